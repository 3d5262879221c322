"""Broken or missing models and tokenizers."""
import json
import re
import shutil

import numpy
import pytest
from safetensors.numpy import load_file, save_file

import runs
from failures import BAD_DATA, NO_INPUT, SOFTWARE, RANKS, assert_no_run, error, train_error


def test_the_unbroken_world_trains(world):
    runs.rimscope("train", world / "run.yaml")
    assert json.loads((world / "run/status.json").read_text())["state"] == "finished"


@RANKS
def test_missing_model(world, ranks):
    shutil.rmtree(world / "model")
    assert str(world / "model") in train_error(world, code=NO_INPUT, ranks=ranks)
    assert_no_run(world)


@RANKS
def test_truncated_weights(world, ranks):
    weights = world / "model/model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    assert "model.safetensors" in train_error(world, code=BAD_DATA, ranks=ranks)
    assert_no_run(world)


def test_weights_that_lack_a_tensor(world):
    weights = load_file(world / "model/model.safetensors")
    del weights["model.norm.weight"]
    save_file(weights, world / "model/model.safetensors", {"format": "pt"})
    assert "model.norm.weight" in train_error(world, code=BAD_DATA)


@pytest.mark.parametrize("verb", ["train", "dry-run", "generate"])
def test_a_config_that_asks_for_more_than_the_weights_hold_takes_no_memory(world, verb):
    """A hundred million rows of vocabulary are compared with the file before they are allocated."""
    config = json.loads((world / "model/config.json").read_text())
    (world / "model/config.json").write_text(json.dumps({**config, "vocab_size": 10 ** 8, "hidden_size": 8192}))
    call = {"train": ["train", world / "run.yaml"], "dry-run": ["train", world / "run.yaml", "--dry-run"],
            "generate": ["generate", "--model", world / "model", "hello"]}[verb]
    message = error(*call, code=BAD_DATA)
    assert message.startswith(f"{world / 'model'}: the weights do not fit config.json: misshapen: model.embed_tokens")


def test_generate_names_its_own_option_for_an_unknown_template(world):
    (world / "model/chat_template.jinja").write_text("{% for m in messages %}<|im_start|>{{ m.content }}{% endfor %}")
    message = error("generate", "--model", world / "model", "hello", code=BAD_DATA)
    assert "--chat-template chatml renders it as plain ChatML" in message
    assert "data.chat_template: chatml" in error("data", "show", world / "run.yaml", code=BAD_DATA)


def test_only_pickled_weights(world):
    (world / "model/model.safetensors").unlink()
    (world / "model/pytorch_model.bin").write_bytes(b"\x80\x02")
    assert "safetensors" in train_error(world, code=BAD_DATA)


def test_weights_that_git_lfs_did_not_fetch(world):
    (world / "model/model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    assert "is a Git LFS pointer, not the file: run git lfs pull" in train_error(world, code=BAD_DATA)


def test_the_file_in_a_model_folder_is_not_the_folder(world):
    path = world / "model/config.json"
    said = f"{path}: is a file; give the model's folder"
    assert said in train_error(world, f"model.path={path}", "--dry-run", code=NO_INPUT)
    assert said in error("generate", "--model", path, "hello", code=NO_INPUT)


@pytest.mark.parametrize("changes, code, said", [
    ({"model/model.safetensors": None}, NO_INPUT, "holds neither model.safetensors"),
    ({"weight": "0.01"}, BAD_DATA, "no samples after weighting"),
], ids=["weights", "weight"])
def test_a_dry_run_finds_what_the_run_would(world, changes, code, said):
    overrides = [f"data.train.0.weight={changes['weight']}"] if "weight" in changes else []
    for path in changes.keys() - {"weight"}:
        (world / path).unlink()
    assert said in train_error(world, *overrides, "--dry-run", code=code)


def test_plain_text_needs_no_chat_template(world):
    """Neither the tokens nor the template of a conversation, but an end token."""
    tokenizer = json.loads((world / "model/tokenizer.json").read_text())
    for token in tokenizer["added_tokens"]:
        token["content"] = token["content"].replace("im_", "other_")
    (world / "model/tokenizer.json").write_text(json.dumps(tokenizer))
    message = train_error(world, "data.chat_template=chatml", code=BAD_DATA)
    assert "<|im_start|>" in message
    config = json.loads((world / "model/config.json").read_text())
    assert "no end token" in train_error(world, code=BAD_DATA)
    (world / "model/config.json").write_text(json.dumps({**config, "eos_token_id": 256}))
    assert "neither ChatML nor Llama-3" in train_error(world, code=BAD_DATA)  # the data are conversations
    (world / "plain.jsonl").write_text(json.dumps({"prompt": "1+1=", "completion": "2"}) + "\n")
    runs.rimscope("train", world / "run.yaml", f"data.train.0={{path: {world}/plain.jsonl, format: prompt_completion}}")


def test_config_that_is_not_json(world):
    (world / "model/config.json").write_text('{"model_type": "qwen3",')
    assert re.search(r"config\.json: not valid JSON", train_error(world, code=BAD_DATA))


def test_unsupported_family(world):
    config = json.loads((world / "model/config.json").read_text())
    (world / "model/config.json").write_text(json.dumps({**config, "model_type": "mamba"}))
    assert "mamba" in train_error(world, code=BAD_DATA)


def test_weights_that_are_not_finite(world):
    weights = load_file(world / "model/model.safetensors")
    weights["model.norm.weight"] = numpy.full_like(weights["model.norm.weight"], numpy.nan)
    save_file(weights, world / "model/model.safetensors", {"format": "pt"})
    assert "diverged" in train_error(world, code=SOFTWARE, ranks=2)
    assert json.loads((world / "run/status.json").read_text())["state"] == "failed"
    assert not list((world / "run").glob("checkpoints/*"))


@RANKS
def test_missing_tokenizer(world, ranks):
    (world / "model/tokenizer.json").unlink()
    assert "tokenizer" in train_error(world, code=NO_INPUT, ranks=ranks)


def test_corrupt_tokenizer(world):
    (world / "model/tokenizer.json").write_text("{}")
    assert "tokenizer.json" in train_error(world, code=BAD_DATA)


def set_id(tokenizer, token, value):
    tokenizer["model"]["vocab"][token] = value


@pytest.mark.parametrize("break_, said", [
    (lambda tokenizer: set_id(tokenizer, "a", -1), "'a' has id -1"),
    (lambda tokenizer: set_id(tokenizer, "a", 10 ** 12), "'a' has id 1000000000000"),
    (lambda tokenizer: set_id(tokenizer, "a", 2 ** 64 - 1), "'a'"),
    (lambda tokenizer: set_id(tokenizer, "a", 1.5), "'a' is not a whole number"),
    (lambda tokenizer: set_id(tokenizer, "a", tokenizer["model"]["vocab"]["b"]), "has too"),
    (lambda tokenizer: set_id(tokenizer, "", 300), "empty spelling"),
    (lambda tokenizer: tokenizer["model"].update(merges=[["a", "nothing"]]), "merge 1"),
    (lambda tokenizer: tokenizer["model"].update(merges={"a": "b"}), "'merges' must be a list"),
    (lambda tokenizer: tokenizer["added_tokens"][0].update(id=7), "added token"),
], ids=["negative", "large", "larger", "float", "twice", "empty", "merge", "merges", "added"])
def test_malformed_tokenizer(world, break_, said):
    path = world / "model/tokenizer.json"
    tokenizer = json.loads(path.read_text())
    break_(tokenizer)
    path.write_text(json.dumps(tokenizer))
    message = error("data", "show", world / "run.yaml", code=BAD_DATA)
    assert message.startswith(f"{path}: ") and said in message


def test_tokenizer_of_another_model(world):
    config = json.loads((world / "model/config.json").read_text())
    (world / "model/config.json").write_text(json.dumps({**config, "vocab_size": 100}))
    assert "do not belong together" in train_error(world, code=BAD_DATA)


def test_generate_from_a_folder_that_is_not_there(tmp_path):
    assert "nowhere" in error("generate", "--model", tmp_path / "nowhere", "hello", code=NO_INPUT)
