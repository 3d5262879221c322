"""Runs that end early, and the ones that go on from them."""
import json
import pathlib
import shutil
import signal

import h5py
import pytest
from safetensors.numpy import load_file

import failures
import runs
from failures import BAD_DATA, CONFIG, NO_INPUT, RANKS, error, train_error


def kill_in_mid_run(world, *overrides):
    """A run without end that is killed before a checkpoint of its own."""
    process = runs.start(["train", world / "run.yaml", "max_steps=1000000", "save_steps=0", *overrides])
    log = world / "other/log.jsonl"
    runs.wait_until(lambda: log.exists() and log.read_text().count("\n") >= 3)
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


def test_a_run_that_ended_before_its_first_checkpoint_is_started_over(world):
    kill_in_mid_run(world, f"output_dir={world}/other")
    call = ["train", world / "run.yaml", f"output_dir={world}/other", "max_steps=2"]
    assert "auto" not in error(*call, code=CONFIG)  # there is nothing to resume
    runs.rimscope(*call, "resume_from_checkpoint=auto")
    assert [line["step"] for line in runs.log_of(world / "other")] == [1, 2]


@pytest.mark.parametrize("trouble", ["seed=5", "max_steps=3", "trainable=['*norm*']", "model.path", "damage"])
def test_a_checkpoint_that_cannot_be_gone_on_from_replaces_nothing(world, trouble):
    runs.rimscope("train", world / "run.yaml")
    checkpoint = world / "run/checkpoints/step-000004"
    runs.rimscope("train", world / "run.yaml", f"output_dir={world}/other")
    before = {path: path.read_bytes() for path in (world / "other").rglob("*")
              if path.is_file() and path.name not in (".lock", "status.json")}
    overrides = [trouble]
    if trouble == "damage":
        damage(checkpoint / "optimizer.safetensors")
        overrides = []
    if trouble == "model.path":  # of another size than the checkpoint's weights
        config = json.loads((world / "model/config.json").read_text())
        (world / "model/config.json").write_text(json.dumps({**config, "intermediate_size": 64}))
        overrides = []
    error("train", world / "run.yaml", f"output_dir={world}/other", "overwrite_output_dir=true",
          f"resume_from_checkpoint={checkpoint}", *overrides,
          code=BAD_DATA if trouble in ("damage", "model.path") else CONFIG)
    assert {path: path.read_bytes() for path in before} == before


def test_a_checkpoint_that_was_set_aside_is_no_place_to_go_on_from(world):
    runs.rimscope("train", world / "run.yaml")
    runs.rimscope("train", world / "run.yaml", f"resume_from_checkpoint={world}/run/checkpoints/step-000002")
    aside = world / "run/checkpoints/step-000004.abandoned"
    assert (aside / "DONE").exists()
    assert "model.path" in train_error(world, f"resume_from_checkpoint={aside}", code=CONFIG)
    runs.rimscope("train", world / "run.yaml", f"model.path={aside}", f"output_dir={world}/other", "max_steps=1")


def test_a_record_that_cannot_be_taken_along_is_said(world):
    """The disk is full before the copy of run.h5 is whole."""
    prompts = [f"prompt_sets.harmful={{path: {world}/harmful.jsonl}}",
               "monitors=[{kind: behaviour, harmful: harmful, max_new_tokens: 2}]"]
    runs.rimscope("train", world / "run.yaml", *prompts)
    room = (world / "run/run.h5").stat().st_size // 2
    result = failures.run("train", world / "run.yaml", *prompts, f"output_dir={world}/other",
                          f"resume_from_checkpoint={world}/run/checkpoints/step-000002",
                          preexec_fn=failures.limit_file_size(room))
    assert result.returncode == failures.INPUT_OUTPUT, result.stderr
    assert [line for line in failures.errors_of(result) if "run.h5.partial: cannot be lengthened" in line]
    assert not list((world / "other").glob("run.h5*"))


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
    runs.wait_until(ready)
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


def test_a_missing_checkpoint(world):
    message = train_error(world, f"resume_from_checkpoint={world}/nowhere", code=NO_INPUT)
    assert str(world / "nowhere") in message


def test_precision_of_a_resumed_run_is_the_checkpoints(world):
    runs.rimscope("train", world / "run.yaml", "max_steps=2")
    message = train_error(world, "resume_from_checkpoint=auto", "model.dtype=bfloat16", code=CONFIG)
    assert "float32" in message and "bfloat16" in message
