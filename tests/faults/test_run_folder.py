"""What a run's folder holds already, or cannot take."""
import signal

import pytest

import failures
import runs
from failures import BAD_DATA, CONFIG, INPUT_OUTPUT, NO_INPUT, RANKS, error, train_error


@RANKS
def test_unwritable_output_is_found_before_the_model_loads(world, ranks):
    (world / "file").write_text("")
    (world / "model/model.safetensors").write_bytes(b"broken: would be found first if it were read first")
    message = train_error(world, f"output_dir={world}/file/run", code=INPUT_OUTPUT, ranks=ranks)
    assert str(world / "file/run") in message


def test_a_checkpoint_that_cannot_be_written_is_not_taken_for_whole(world):
    result = failures.run("train", world / "run.yaml", preexec_fn=failures.limit_file_size(5000))
    assert result.returncode == INPUT_OUTPUT, result.stderr
    assert len(failures.errors_of(result)) == 1 and str(world / "run") in failures.errors_of(result)[0]
    assert not list((world / "run").glob("checkpoints/*/DONE"))
    runs.rimscope("train", world / "run.yaml", "resume_from_checkpoint=auto")  # starts over
    assert [line["step"] for line in runs.log_of(world / "run")] == [1, 2, 3, 4]


def test_a_folder_that_holds_a_run_is_refused_with_both_remedies(world):
    runs.rimscope("train", world / "run.yaml")
    before = {path: path.read_bytes() for path in (world / "run").rglob("*") if path.is_file()}
    message = train_error(world, code=CONFIG)
    assert "resume_from_checkpoint=auto" in message and "overwrite_output_dir=true" in message
    assert {path: path.read_bytes() for path in before} == before
    runs.rimscope("train", world / "run.yaml", "overwrite_output_dir=true", "max_steps=2")
    assert [path.name for path in (world / "run/checkpoints").iterdir()] == ["step-000002"]
    assert len(runs.log_of(world / "run")) == 2


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


def test_a_strangers_folder_where_a_checkpoint_would_go_is_found_at_the_start(world):
    foreign = world / "run/checkpoints/step-000004/model.safetensors"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("mine")
    assert str(foreign.parent) in train_error(world, code=CONFIG)
    assert foreign.read_text() == "mine" and not (world / "run/run.h5").exists()


def test_two_runs_do_not_share_a_folder(world):
    process = runs.start(["train", world / "run.yaml", "max_steps=1000000", "save_steps=0"])
    runs.wait_until((world / "run/log.jsonl").exists)
    message = train_error(world, "resume_from_checkpoint=auto", code=CONFIG)
    assert str(world / "run") in message and f"process {process.pid} on " in message
    process.send_signal(signal.SIGUSR1)
    _, said = process.communicate(timeout=60)
    assert process.returncode == failures.PREEMPTED, said
    step = int(runs.last_checkpoint(world / "run").name.removeprefix("step-"))
    runs.rimscope("train", world / "run.yaml", "resume_from_checkpoint=auto", f"max_steps={step}")


@pytest.mark.parametrize("verb", ["report", "summary"])
def test_a_run_that_is_not_there(tmp_path, verb):
    assert "run.h5" in error(verb, tmp_path, code=NO_INPUT)


def test_a_record_that_is_not_one(tmp_path):
    (tmp_path / "run.h5").write_bytes(b"not HDF5" * 100)
    assert "run.h5" in error("summary", tmp_path, code=BAD_DATA)
