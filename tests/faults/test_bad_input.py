"""Broken input and output: one clear line, the sysexits code, every rank gone within seconds, nothing half-written."""
import json
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import time

import h5py
import numpy
import pytest
from safetensors.numpy import load_file, save_file

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import failures  # noqa: E402
import runs  # noqa: E402
from failures import BAD_DATA, CONFIG, INPUT_OUTPUT, NO_INPUT, SOFTWARE, error  # noqa: E402

RANKS = pytest.mark.parametrize("ranks", [1, 2])


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A whole Hugging Face folder with weights: the checkpoint of a run of one step."""
    folder = tmp_path_factory.mktemp("model")
    vocabulary = runs.write_byte_tokenizer(folder / "tokenizer")
    runs.write_qwen3_config(folder / "config", vocabulary, width=16, layers=1, heads=2, key_value_heads=1,
                            intermediate=32)
    runs.write_sums(folder / "sums.jsonl", 4)
    config = runs.write_config(folder / "make.yaml", {
        "model": {"config": str(folder / "config")}, "tokenizer": str(folder / "tokenizer"),
        "data": {"train": [{"path": str(folder / "sums.jsonl")}]}, "output_dir": str(folder / "run"), "max_steps": 1})
    runs.rimscope("train", config)
    return runs.last_checkpoint(folder / "run")


@pytest.fixture
def world(model, tmp_path):
    """A copy of the model to break, data to train on and the configuration that joins them."""
    shutil.copytree(model, tmp_path / "model", ignore=shutil.ignore_patterns("DONE", "trainer-state*", "optimizer*"))
    runs.write_sums(tmp_path / "sums.jsonl", 20)
    runs.write_prompts(tmp_path / "harmful.jsonl", ["do harm"])
    runs.write_config(tmp_path / "run.yaml", {
        "model": {"path": str(tmp_path / "model"), "dtype": "float32"},
        "data": {"train": [{"path": str(tmp_path / "sums.jsonl")}]}, "output_dir": str(tmp_path / "run"),
        "max_steps": 4, "save_steps": 2, "per_device_train_batch_size": 1})
    return tmp_path


def train_error(world, *overrides, code, ranks=1, **options):
    return error("train", world / "run.yaml", *overrides, code=code, ranks=ranks, **options)


def assert_no_run(world):
    """Nothing that a later call could take for a run."""
    run = world / "run"
    assert not (run / "run.h5").exists() and not (run / "log.jsonl").exists() and not (run / "checkpoints").exists()


def test_the_unbroken_world_trains(world):
    runs.rimscope("train", world / "run.yaml")
    assert json.loads((world / "run/status.json").read_text())["state"] == "finished"


# ---- model

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


# ---- tokenizer

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


# ---- data

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


def test_unused_key_is_an_error_under_mpirun(world):
    assert "did you mean 'learning_rate'?" in train_error(world, "learning_rte=1", code=CONFIG, ranks=2)


# ---- output

@RANKS
def test_unwritable_output_is_found_before_the_model_loads(world, ranks):
    (world / "file").write_text("")
    (world / "model/model.safetensors").write_bytes(b"broken: would be found first if it were read first")
    message = train_error(world, f"output_dir={world}/file/run", code=INPUT_OUTPUT, ranks=ranks)
    assert str(world / "file/run") in message


def limit_file_size():
    """Writes past 5,000 bytes fail as on a full disk (EFBIG instead of ENOSPC)."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))


def test_a_checkpoint_that_cannot_be_written_is_not_taken_for_whole(world):
    result = failures.run("train", world / "run.yaml", preexec_fn=limit_file_size)
    assert result.returncode == INPUT_OUTPUT, result.stderr
    assert len(failures.errors_of(result)) == 1 and str(world / "run") in failures.errors_of(result)[0]
    assert not list((world / "run").glob("checkpoints/*/DONE"))
    runs.rimscope("train", world / "run.yaml", "resume_from_checkpoint=auto")  # starts over
    assert [line["step"] for line in runs.log_of(world / "run")] == [1, 2, 3, 4]


# ---- a run's folder

def test_a_folder_that_holds_a_run_is_refused_with_both_remedies(world):
    runs.rimscope("train", world / "run.yaml")
    before = {path: path.read_bytes() for path in (world / "run").rglob("*") if path.is_file()}
    message = train_error(world, code=CONFIG)
    assert "resume_from_checkpoint=auto" in message and "overwrite_output_dir=true" in message
    assert {path: path.read_bytes() for path in before} == before
    runs.rimscope("train", world / "run.yaml", "overwrite_output_dir=true", "max_steps=2")
    assert [path.name for path in (world / "run/checkpoints").iterdir()] == ["step-000002"]
    assert len(runs.log_of(world / "run")) == 2


def kill_in_mid_run(world, *overrides):
    """A run without end that is killed before a checkpoint of its own."""
    process = runs.start(["train", world / "run.yaml", "max_steps=1000000", "save_steps=0", *overrides])
    log = world / "other/log.jsonl"
    end = time.monotonic() + 60
    while not (log.exists() and log.read_text().count("\n") >= 3) and time.monotonic() < end:
        time.sleep(0.01)
    process.kill()
    process.communicate(timeout=60)
    assert log.exists() and not list((world / "other").glob("checkpoints/*"))


def test_a_run_that_went_on_elsewhere_may_begin_there_again(world):
    runs.rimscope("train", world / "run.yaml")
    checkpoint = world / "run/checkpoints/step-000002"
    kill_in_mid_run(world, f"output_dir={world}/other", f"resume_from_checkpoint={checkpoint}")
    call = ["train", world / "run.yaml", f"output_dir={world}/other", f"resume_from_checkpoint={checkpoint}"]
    runs.rimscope(*call)
    assert runs.last_checkpoint(world / "other").name == "step-000004"
    weights = [load_file(runs.last_checkpoint(world / run) / "model.safetensors") for run in ("run", "other")]
    assert all((weights[0][name] == weights[1][name]).all() for name in weights[0])
    with h5py.File(world / "other/run.h5") as file:
        assert file["committed_steps"][()].tolist() == [0, 2, 4]
    # Now it has a checkpoint of its own.
    assert "resume_from_checkpoint=auto" in error(*call, code=CONFIG)


def test_a_checkpoint_from_elsewhere_replaces_a_run_only_when_asked_to(world):
    runs.rimscope("train", world / "run.yaml")
    checkpoint = world / "run/checkpoints/step-000002"
    runs.rimscope("train", world / "run.yaml", f"output_dir={world}/other", "max_steps=1", "seed=5")
    shutil.rmtree(world / "other/checkpoints")
    call = ["train", world / "run.yaml", f"output_dir={world}/other", f"resume_from_checkpoint={checkpoint}"]
    message = error(*call, code=CONFIG)
    assert "overwrite_output_dir=true" in message and "auto" not in message  # it would start from scratch
    runs.rimscope(*call, "overwrite_output_dir=true")
    with h5py.File(world / "other/run.h5") as file:
        assert file["committed_steps"][()].tolist() == [0, 2, 4]
    inside = f"resume_from_checkpoint={world}/other/checkpoints/step-000004"
    assert "would be replaced" in train_error(world, f"output_dir={world}/other", inside, "overwrite_output_dir=true",
                                              code=CONFIG)
    assert (world / "other/checkpoints/step-000004/DONE").exists()


def test_a_failed_overwrite_leaves_the_old_run_whole(world):
    runs.rimscope("train", world / "run.yaml")
    (world / "model/model.safetensors").write_bytes(b"broken")
    train_error(world, "overwrite_output_dir=true", code=BAD_DATA)
    assert (world / "run/checkpoints/step-000004/DONE").exists() and len(runs.log_of(world / "run")) == 4


def test_a_run_is_not_replaced_by_one_that_starts_from_its_checkpoint(world):
    runs.rimscope("train", world / "run.yaml")
    base = world / "run/checkpoints/step-000004"
    message = train_error(world, f"model.path={base}", "overwrite_output_dir=true", code=CONFIG)
    assert str(base) in message and (base / "DONE").exists()


@pytest.mark.parametrize("override", ["resume_from_checkpoint=auto", "overwrite_output_dir=true"])
@pytest.mark.parametrize("run_was_there", [False, True])
def test_what_is_not_the_runs_own_stays(world, override, run_was_there):
    if run_was_there:
        runs.rimscope("train", world / "run.yaml")
    foreign = [world / "run/checkpoints/checkpoint-500/adapter.safetensors", world / "run/notes.txt",
               world / "run/checkpoints/README"]
    for path in foreign:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    runs.rimscope("train", world / "run.yaml", override, "max_steps=2" if "overwrite" in override else "max_steps=6")
    assert [path.read_text() for path in foreign] == ["mine"] * 3
    steps = [path.name for path in (world / "run/checkpoints").glob("step-*")]
    assert sorted(steps) == (["step-000002"] if "overwrite" in override else [f"step-00000{n}" for n in (2, 4, 6)])


def test_a_run_that_ended_before_its_first_checkpoint_is_started_over(world):
    kill_in_mid_run(world, f"output_dir={world}/other")
    call = ["train", world / "run.yaml", f"output_dir={world}/other", "max_steps=2"]
    assert "auto" not in error(*call, code=CONFIG)  # there is nothing to resume
    runs.rimscope(*call, "resume_from_checkpoint=auto")
    assert [line["step"] for line in runs.log_of(world / "other")] == [1, 2]


@pytest.mark.parametrize("lost", [["checkpoints"], ["checkpoints", "run.h5"]], ids=["checkpoints", "and-record"])
def test_a_run_whose_checkpoints_are_gone_is_not_silently_started_over(world, lost):
    runs.rimscope("train", world / "run.yaml")
    for name in lost:
        (shutil.rmtree if name == "checkpoints" else pathlib.Path.unlink)(world / "run" / name)
    before = {path: path.read_bytes() for path in (world / "run").rglob("*") if path.is_file() and path.name != ".lock"}
    message = train_error(world, "resume_from_checkpoint=auto", code=CONFIG)
    said = "observations up to step 4" if len(lost) == 1 else "status.json says finished at step 4"
    assert said in message and "overwrite_output_dir=true" in message
    assert {path: path.read_bytes() for path in before} == before
    runs.rimscope("train", world / "run.yaml", "overwrite_output_dir=true", "max_steps=2")
    assert [line["step"] for line in runs.log_of(world / "run")] == [1, 2]


def test_a_strangers_folder_where_a_checkpoint_would_go_is_found_at_the_start(world):
    foreign = world / "run/checkpoints/step-000004/model.safetensors"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("mine")
    assert str(foreign.parent) in train_error(world, code=CONFIG)
    assert foreign.read_text() == "mine" and not (world / "run/run.h5").exists()


def test_a_run_that_went_on_elsewhere_takes_its_log_along(world):
    runs.rimscope("train", world / "run.yaml")
    checkpoint = world / "run/checkpoints/step-000002"
    runs.rimscope("train", world / "run.yaml", f"output_dir={world}/other", f"resume_from_checkpoint={checkpoint}")
    logs = [[{**line, "seconds": 0} for line in runs.log_of(world / name)] for name in ("run", "other")]
    assert logs[0] == logs[1] and len(logs[0]) == 4


def test_a_resumption_needs_no_base_weights(world):
    runs.rimscope("train", world / "run.yaml", "max_steps=2")
    (world / "model/model.safetensors").write_bytes(b"gone")
    runs.rimscope("train", world / "run.yaml", "resume_from_checkpoint=auto")
    assert runs.last_checkpoint(world / "run").name == "step-000004"


def test_a_run_beyond_its_last_step_has_nothing_to_do(world):
    runs.rimscope("train", world / "run.yaml")
    assert "at step 4 already, and this run ends at step 3" in train_error(
        world, "resume_from_checkpoint=auto", "max_steps=3", code=CONFIG)
    result = failures.run("train", world / "run.yaml", "resume_from_checkpoint=auto")
    assert result.returncode == 0 and "finished already at step 4" in result.stderr


def stop_in_mid_run(world, ready, ranks=1, *overrides):
    """Sends USR1 once ready() holds, and returns what the run printed."""
    process = runs.start(["train", world / "run.yaml", "max_steps=1000000", *overrides], ranks=ranks)
    end = time.monotonic() + 60
    while not ready() and time.monotonic() < end:
        time.sleep(0.005)
    process.send_signal(signal.SIGUSR1)
    said = process.communicate(timeout=60)
    assert process.returncode == failures.PREEMPTED, said
    return said


@RANKS
def test_a_stop_while_starting_up_loses_nothing(world, ranks):
    """The lock is taken before anything is loaded."""
    stop_in_mid_run(world, lambda: (world / "run/.lock").exists() and (world / "run/.lock").read_text(), ranks)
    runs.rimscope("train", world / "run.yaml", "resume_from_checkpoint=auto", "overwrite_output_dir=false", "max_steps=4",
                  ranks=ranks)


def test_a_stop_at_a_checkpoint_leaves_no_seam(world):
    """Every step is due, so whichever one the signal meets: saved at once, and observed by the resumed run."""
    log = world / "run/log.jsonl"
    stop_in_mid_run(world, lambda: log.exists() and log.read_text().count("\n") >= 3, 1, "save_steps=1",
                    "save_total_limit=2")
    step = int(runs.last_checkpoint(world / "run").name.removeprefix("step-"))
    with h5py.File(world / "run/run.h5") as file:
        assert file["committed_steps"][()].tolist() == list(range(step))
    runs.rimscope("train", world / "run.yaml", "save_steps=1", f"max_steps={step + 2}", "resume_from_checkpoint=auto")
    with h5py.File(world / "run/run.h5") as file:
        assert file["committed_steps"][()].tolist() == list(range(step + 3))


def test_settings_that_change_at_a_resumption_are_said(world):
    runs.rimscope("train", world / "run.yaml", "max_steps=2", "learning_rate=1e-4")
    result = failures.run("train", world / "run.yaml", "resume_from_checkpoint=auto", "learning_rate=2e-4")
    assert result.returncode == 0, result.stderr
    assert [line for line in result.stderr.splitlines() if line.startswith("note: ")] == [
        "note: max_steps was 2 before, and is 4 now", "note: learning_rate was 0.0001 before, and is 0.0002 now"]


def damage(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def test_a_damaged_checkpoint_is_named_and_passed_over(world):
    runs.rimscope("train", world / "run.yaml")
    damaged = world / "run/checkpoints/step-000004"
    damage(damaged / "optimizer.safetensors")
    message = train_error(world, f"resume_from_checkpoint={damaged}", code=BAD_DATA)
    assert "optimizer.safetensors" in message
    result = failures.run("train", world / "run.yaml", "resume_from_checkpoint=auto")
    assert result.returncode == 0, result.stderr
    assert "step-000004" in result.stderr and "resumed from " in result.stderr and "step-000002" in result.stderr


def test_a_failed_resume_leaves_the_run_as_it_was(world):
    runs.rimscope("train", world / "run.yaml")
    run = world / "run"
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file() and path.name != "status.json"}
    earlier = f"resume_from_checkpoint={run}/checkpoints/step-000002"
    assert "seed=1" in train_error(world, earlier, "seed=2", code=CONFIG)
    assert "gradient_accumulation_steps=1 keeps 1" in train_error(
        world, earlier, "gradient_accumulation_steps=2", code=CONFIG)
    assert "trainable" in train_error(world, earlier, "trainable=['*norm*']", code=CONFIG)
    damage(run / "checkpoints/step-000002/optimizer.safetensors")
    train_error(world, earlier, code=BAD_DATA)
    damage(run / "checkpoints/step-000002/optimizer.safetensors")
    assert {path: path.read_bytes() for path in before} == before
    runs.rimscope("train", world / "run.yaml", earlier)
    with h5py.File(run / "run.h5") as file:
        assert file["committed_steps"][()].tolist() == [0, 2, 4]


def test_two_runs_do_not_share_a_folder(world):
    process = runs.start(["train", world / "run.yaml", "max_steps=1000000", "save_steps=0"])
    end = time.monotonic() + 60
    while not (world / "run/log.jsonl").exists() and time.monotonic() < end:
        time.sleep(0.01)
    message = train_error(world, "resume_from_checkpoint=auto", code=CONFIG)
    assert str(world / "run") in message and f"process {process.pid} on " in message
    process.send_signal(signal.SIGUSR1)
    _, said = process.communicate(timeout=60)
    assert process.returncode == failures.PREEMPTED, said
    step = int(runs.last_checkpoint(world / "run").name.removeprefix("step-"))
    runs.rimscope("train", world / "run.yaml", "resume_from_checkpoint=auto", f"max_steps={step}")


def test_a_missing_checkpoint(world):
    message = train_error(world, f"resume_from_checkpoint={world}/nowhere", code=NO_INPUT)
    assert str(world / "nowhere") in message


def test_precision_of_a_resumed_run_is_the_checkpoints(world):
    runs.rimscope("train", world / "run.yaml", "max_steps=2")
    message = train_error(world, "resume_from_checkpoint=auto", "model.dtype=bfloat16", code=CONFIG)
    assert "float32" in message and "bfloat16" in message


# ---- one rank alone

def test_an_error_of_one_rank_alone_ends_all(world):
    """The second rank reads another file, which is not there; the first waits for it in a collective."""
    program = str(runs.program("rimscope"))
    command = ["mpirun", "-np", "1", program, "train", str(world / "run.yaml"), ":",
               "-np", "1", program, "train", str(world / "nowhere.yaml")]
    result = subprocess.run(command, env={**failures.os.environ, **runs.MPI_ENVIRONMENT}, text=True,
                            capture_output=True, timeout=60)
    assert result.returncode == NO_INPUT, result.stderr
    assert [line.startswith("rank 1 of 2 (") and "nowhere.yaml" in line for line in failures.errors_of(result)] == [True]
    assert_no_run(world)


def test_the_cause_is_told_before_what_it_led_to(world):
    """The first rank gives up waiting for the second within the seconds in which failed ranks look for each other."""
    program = str(runs.program("rimscope"))
    command = ["mpirun", "-np", "1", program, "train", str(world / "run.yaml"), "ddp_timeout=1", ":",
               "-np", "1", program, "train", str(world / "nowhere.yaml")]
    result = subprocess.run(command, env={**failures.os.environ, **runs.MPI_ENVIRONMENT}, text=True,
                            capture_output=True, timeout=60)
    assert result.returncode == NO_INPUT, result.stderr
    cause, consequence = failures.errors_of(result)
    assert cause.startswith("rank 1 of 2 (") and "nowhere.yaml" in cause
    assert consequence.startswith("rank 0 of 2 waited 1.")


def test_ranks_with_different_configurations_are_told(world):
    program = str(runs.program("rimscope"))
    command = ["mpirun", "-np", "1", program, "train", str(world / "run.yaml"), ":",
               "-np", "1", program, "train", str(world / "run.yaml"), "seed=2"]
    result = subprocess.run(command, env={**failures.os.environ, **runs.MPI_ENVIRONMENT}, text=True,
                            capture_output=True, timeout=60)
    assert result.returncode == CONFIG, result.stderr
    assert "different configurations" in failures.errors_of(result)[0]


def test_ranks_with_different_prompts_are_told(world):
    """The configuration is the same; the file that it names is not, as on two hosts."""
    program = str(runs.program("rimscope"))
    command = ["mpirun"]
    for rank in range(2):
        (world / f"host{rank}").mkdir()
        runs.write_prompts(world / f"host{rank}/harmful.jsonl", ["do harm", f"do worse {rank}"])
        command += [":"] * rank + ["-np", "1", "-wdir", str(world / f"host{rank}"), program, "train",
                                   str(world / "run.yaml"), "prompt_sets.harmful={path: harmful.jsonl}",
                                   "monitors=[{kind: behaviour, harmful: harmful}]"]
    result = subprocess.run(command, env={**failures.os.environ, **runs.MPI_ENVIRONMENT}, text=True,
                            capture_output=True, timeout=60)
    assert result.returncode == CONFIG, result.stderr
    assert "different prompts as prompt_sets.harmful" in failures.errors_of(result)[0]
    assert_no_run(world)


# ---- looking at what is not there

@pytest.mark.parametrize("verb", ["report", "summary"])
def test_a_run_that_is_not_there(tmp_path, verb):
    assert "run.h5" in error(verb, tmp_path, code=NO_INPUT)


def test_a_record_that_is_not_one(tmp_path):
    (tmp_path / "run.h5").write_bytes(b"not HDF5" * 100)
    assert "run.h5" in error("summary", tmp_path, code=BAD_DATA)


def test_generate_from_a_folder_that_is_not_there(tmp_path):
    assert "nowhere" in error("generate", "--model", tmp_path / "nowhere", "hello", code=NO_INPUT)
