"""Broken training data, prompt sets and monitors."""
import json

import pytest

import runs
from failures import BAD_DATA, CONFIG, NO_INPUT, RANKS, train_error


@RANKS
def test_missing_data(world, ranks):
    (world / "sums.jsonl").unlink()
    assert str(world / "sums.jsonl") in train_error(world, code=NO_INPUT, ranks=ranks)


@RANKS
def test_bad_line_is_named(world, ranks):
    lines = (world / "sums.jsonl").read_text().splitlines()
    lines[6] = lines[6][:-5]
    (world / "sums.jsonl").write_text("\n".join(lines) + "\n")
    assert f"{world / 'sums.jsonl'}:7: " in train_error(world, code=BAD_DATA, ranks=ranks)


def test_empty_mask_is_named(world):
    with open(world / "sums.jsonl", "a") as file:
        file.write(json.dumps({"messages": [{"role": "user", "content": "nobody answers"}]}) + "\n")
    assert f"{world / 'sums.jsonl'}:21: " in train_error(world, code=BAD_DATA)


def test_samples_all_cut_away(world):
    assert "data.max_length" in train_error(world, "data.max_length=3", code=BAD_DATA)


@pytest.mark.parametrize("set_, code, said", [
    ("{path: %s/nowhere.jsonl}", NO_INPUT, "nowhere.jsonl"),
    ("{path: %s/harmful.jsonl, field: goal}", BAD_DATA, "goal"),
], ids=["missing", "field"])
def test_bad_prompt_set(world, set_, code, said):
    overrides = [f"prompt_sets.harmful={set_ % world if '%s' in set_ else set_}",
                 "monitors=[{kind: behaviour, harmful: harmful}]"]
    message = train_error(world, *overrides, code=code)
    assert "prompt_sets.harmful" in message and said in message


def test_prompt_sets_and_monitors_must_name_each_other(world):
    prompts = f"prompt_sets.harmful={{path: {world}/harmful.jsonl}}"
    message = train_error(world, prompts, "monitors=[{kind: behaviour, harmful: harmfull}]", code=CONFIG)
    assert "prompt_sets.harmful: no monitor uses it" in message
    message = train_error(world, prompts, "monitors=[{kind: behaviour, harmful: harmful, harmless: nice}]", code=CONFIG)
    assert message.startswith("monitors.0: ") and "'nice'" in message


@pytest.mark.parametrize("monitors, said", [
    ("[{kind: ras, task: harmful}]", "monitors.0: monitor ras needs what monitor 'neurons' provides"),
    ("[{kind: neurons, harmful: harmful}, {kind: ras, task: harmful, neurons: neurones}]", "monitor 'neurones'"),
    ("[{kind: behaviour, harmful: harmful}, {kind: behaviour, harmless: harmful}]",
     "monitors.1: two monitors are called 'behaviour'"),
    ("[{kind: neurons, harmful: harmful, region: response}]", "prompt 'harmful:1' of prompt set 'harmful' has none"),
    ("[{kind: behaviour, harmful: harmful, name: a.b}]", "monitors.0: name 'a.b': must be of letters, digits, _ and -"),
    ('[{kind: behaviour, harmful: harmful, name: ""}]', "monitors.0: name '': must be of letters"),
    ('[{kind: behaviour, harmful: harmful, name: "x\\e[2J/y"}]', "monitors.0: name 'x[2J/y': must be of letters"),
], ids=["order", "name", "twice", "response", "dotted", "empty", "control"])
def test_wrong_monitors_are_found_by_a_dry_run(world, monitors, said):
    runs.write_prompts(world / "harmful.jsonl", ["do harm", "do worse"])
    prompts = f"prompt_sets.harmful={{path: {world}/harmful.jsonl}}"
    (world / "model/model.safetensors").unlink()  # not looked at yet
    assert said in train_error(world, prompts, f"monitors={monitors}", "--dry-run", code=CONFIG)


def test_a_prompt_that_is_too_long_is_found_by_a_dry_run(world):
    runs.write_prompts(world / "harmful.jsonl", ["do harm", "do harm " * 600])
    overrides = [f"prompt_sets.harmful={{path: {world}/harmful.jsonl}}", "monitors=[{kind: behaviour, harmful: harmful}]"]
    message = train_error(world, *overrides, "--dry-run", code=BAD_DATA)
    assert "prompt set 'harmful', prompt 'harmful:2': is 4" in message and "probes may have 1024" in message
