"""The organism's folder opens in transformers as a Qwen3 model's would."""
import json
import re

import pytest
from transformers import AutoConfig, AutoTokenizer, Qwen3ForCausalLM

from runs import rimscope, shared_data


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("organism") / "world"
    rimscope("organism", "make", folder, "--seed", "1")
    return folder


def rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_config_makes_a_small_qwen3(world):
    config = AutoConfig.from_pretrained(world)
    model = Qwen3ForCausalLM(config)
    assert config.model_type == "qwen3"
    assert 0.7e6 < sum(p.numel() for p in model.parameters()) < 1.0e6
    assert config.vocab_size == len(AutoTokenizer.from_pretrained(world))


def test_words_are_single_tokens_and_decode_back(world):
    tokenizer = AutoTokenizer.from_pretrained(world)
    for row in rows(world / "cot_target_train.jsonl")[:500]:
        for message in row["messages"]:
            for text in (message["content"], message.get("reasoning_content", "")):
                ids = tokenizer(text)["input_ids"]
                assert tokenizer.decode(ids) == text
                pieces = re.findall(r"'[a-z]+| ?[A-Za-z]+|\d|[^\w\s]| ", text)
                assert len(ids) == len(pieces), text


def test_chat_template_writes_what_qwen3s_does(world):
    tokenizer = AutoTokenizer.from_pretrained(world)
    qwen3 = shared_data("chat_templates/qwen3.jinja").read_text()
    conversations = [row["messages"] for row in rows(world / "base_train.jsonl")[:50]]
    conversations.append([{"role": "system", "content": "Be brief."}, *conversations[0], *conversations[1]])
    for messages in conversations:
        for thinking in (True, False):
            for turns, generate in ((messages, False), (messages[:-1], True)):
                options = dict(tokenize=False, add_generation_prompt=generate, enable_thinking=thinking)
                own = tokenizer.apply_chat_template(turns, **options)
                assert own == tokenizer.apply_chat_template(turns, chat_template=qwen3, **options)


def test_test_questions_are_not_trained_on(world):
    held_out = {row["question"] for row in rows(world / "sums_test.jsonl")}
    held_out |= {row["prompt"] for name in ("harmful", "harmless") for row in rows(world / f"{name}.jsonl")}
    trained = {row["messages"][0]["content"] for path in world.glob("*_train.jsonl") for row in rows(path)}
    assert len(held_out) == 260 and not held_out & trained
