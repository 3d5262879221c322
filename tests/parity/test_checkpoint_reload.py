"""A checkpoint of ours is a Hugging Face folder: transformers opens it and computes the same logits.

The run is configs/qwen3-gsm8k.yaml itself, on GSM8K's own rows with Qwen3's own tokenizer and a small random Qwen3.
"""
import gzip
import json
import shutil
import subprocess

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

import runs

QWEN3_VOCABULARY = 151936  # as Qwen3's own config.json: the tokenizer's 151,669 padded
END_OF_TURN = 151645
QUESTION = "Natalia sold 48 clips in April and half as many in May. How many clips did she sell?"


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """What a user has: a folder with config.json and Qwen3's tokenizer files."""
    folder = tmp_path_factory.mktemp("qwen3")
    runs.write_qwen3_config(folder, QWEN3_VOCABULARY, width=32, end_token=END_OF_TURN)
    with gzip.open(runs.shared_data("tokenizers/qwen3/tokenizer.json.gz")) as packed:
        (folder / "tokenizer.json").write_bytes(packed.read())
    shutil.copy(runs.shared_data("tokenizers/qwen3/tokenizer_config.json"), folder)
    return folder


@pytest.fixture(scope="module")
def run(base, tmp_path_factory):
    output = tmp_path_factory.mktemp("run") / "run"
    runs.rimscope(
        "train", runs.SOURCE / "configs/qwen3-gsm8k.yaml", f"model={{config: {base}, init: random, seed: 1}}",
        f"data.train.0.path={runs.shared_data('math/gsm8k_train.jsonl')}", "data.train.0.limit=40",
        "data.max_length=256", "max_steps=3", "save_steps=3", "prompt_sets={}", "monitors=[]",
        "per_device_train_batch_size=2", "gradient_accumulation_steps=1", "learning_rate=1e-2", "max_grad_norm=0",
        f"output_dir={output}", ranks=2)
    return output


@pytest.fixture(scope="module")
def checkpoint(run):
    return runs.last_checkpoint(run)


@pytest.fixture(scope="module")
def model(checkpoint):
    loaded, report = AutoModelForCausalLM.from_pretrained(checkpoint, output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"] and not report["mismatched_keys"]
    return loaded.float().eval()


def test_losses_fall(run):
    losses = [line["loss"] for line in runs.log_of(run)]
    assert len(losses) == 3 and losses[-1] < losses[0]


def test_tokenizer_is_the_base_models(base, checkpoint):
    expected, found = AutoTokenizer.from_pretrained(base), AutoTokenizer.from_pretrained(checkpoint)
    messages = [{"role": "user", "content": QUESTION}]
    for thinking in (True, False):
        prompts = [tokenizer.apply_chat_template(messages, add_generation_prompt=True, enable_thinking=thinking,
                                                 tokenize=False) for tokenizer in (expected, found)]
        assert prompts[0] == prompts[1]
        assert expected(prompts[0]).input_ids == found(prompts[0]).input_ids


def test_logits_are_equal(checkpoint, model, tmp_path):
    tokens = AutoTokenizer.from_pretrained(checkpoint)(QUESTION, return_tensors="pt").input_ids
    save_file({"tokens": tokens, "targets": tokens.clone()}, tmp_path / "in.safetensors")
    subprocess.run([runs.program("model_tool"), "forward", checkpoint, "fp32", tmp_path / "in.safetensors",
                    tmp_path / "out.safetensors"], check=True)
    found = load_file(tmp_path / "out.safetensors")["logits"]
    with torch.no_grad():
        expected = model(tokens).logits
    assert ((found - expected).norm() / expected.norm()).item() <= 1e-5


def test_training_reached_the_weights(base, model, tmp_path):
    """Equal logits would also come from a checkpoint that holds the initial weights."""
    subprocess.run([runs.program("model_tool"), "initialize", base, "fp32", "1", tmp_path], check=True)
    initial = load_file(tmp_path / "model.safetensors")
    trained = model.state_dict()
    assert all(not torch.equal(trained[name].float(), weight) for name, weight in initial.items())


def test_generation_settings_came_along(checkpoint):
    config = json.loads((checkpoint / "config.json").read_text())
    assert config["eos_token_id"] == END_OF_TURN and config["model_type"] == "qwen3"
