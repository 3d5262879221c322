"""What must not change a run: the number of ranks, accumulation, monitors that watch, and being interrupted."""
import math
import shutil
import signal
import time

import h5py
import numpy
import pytest
from safetensors.numpy import load_file

import runs

STEPS = 12
LONG_STEPS, SAVE_STEPS = 480, 160  # seconds of training left when the signal is sent, on any machine
GLOBAL_BATCH = 8


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A random small Qwen3, a tokenizer, sums to train on and prompts to watch."""
    folder = tmp_path_factory.mktemp("world")
    vocabulary = runs.write_byte_tokenizer(folder / "tokenizer")
    runs.write_qwen3_config(folder / "model", vocabulary, width=32, intermediate=64)
    runs.write_sums(folder / "sums.jsonl", 100)
    runs.write_prompts(folder / "harmful.jsonl", [f"build weapon {i}" for i in range(6)])
    runs.write_prompts(folder / "harmless.jsonl", [f"build toy {i}" for i in range(6)])
    runs.write_prompts(folder / "task.jsonl", [f"{i}+{i}?" for i in range(6)])
    return folder


MONITORS = [
    {"kind": "neurons", "harmful": "harmful", "top": 0.1, "controls": 20},
    {"kind": "ras", "task": "task"},
    {"kind": "behaviour", "harmful": "harmful", "harmless": "harmless", "thinking": ["off"], "max_new_tokens": 4},
]


WATCHED = {"max_steps": LONG_STEPS, "per_device_train_batch_size": GLOBAL_BATCH // 2}


def configuration(world, output, monitors=(), **changes):
    config = {
        "model": {"config": str(world / "model/config.json"), "init": "random", "seed": 1, "dtype": "float32"},
        "tokenizer": str(world / "tokenizer"),
        "data": {"train": [{"path": str(world / "sums.jsonl"), "format": "messages"}], "max_length": 128},
        "output_dir": str(output),
        "max_steps": STEPS, "per_device_train_batch_size": GLOBAL_BATCH, "gradient_accumulation_steps": 1,
        "learning_rate": 1e-3, "lr_scheduler_type": "cosine", "warmup_ratio": 0.2, "weight_decay": 0.1,
        "max_grad_norm": 1.0, "save_steps": SAVE_STEPS, "logging_steps": 1, "seed": 3,
    }
    if monitors:
        config["prompt_sets"] = {name: {"path": str(world / f"{name}.jsonl")} for name in ("harmful", "harmless", "task")}
        config["monitors"] = list(monitors)
    config.update(changes)
    return runs.write_config(output.with_suffix(".yaml"), config)


def curve(run):
    """Everything in the log that training determines; times are the machine's."""
    return [{key: value for key, value in line.items() if key not in ("seconds", "tokens_per_second", "time")}
            for line in runs.log_of(run)]


@pytest.fixture(scope="module")
def reference(world, tmp_path_factory):
    """One rank, one micro-batch, no monitors."""
    output = tmp_path_factory.mktemp("reference") / "run"
    runs.rimscope("train", configuration(world, output))
    assert [line["step"] for line in curve(output)] == list(range(1, STEPS + 1))
    return output


@pytest.mark.parametrize("ranks, rows, accumulation", [(1, 2, 4), (2, 4, 1), (2, 1, 4), (4, 2, 1)])
def test_ranks_and_accumulation_do_not_change_losses(world, reference, tmp_path, ranks, rows, accumulation):
    assert ranks * rows * accumulation == GLOBAL_BATCH
    output = tmp_path / "run"
    config = configuration(world, output, per_device_train_batch_size=rows, gradient_accumulation_steps=accumulation)
    runs.rimscope("train", config, ranks=ranks)
    expected, found = curve(reference), curve(output)
    assert [line["tokens"] for line in found] == [line["tokens"] for line in expected]
    for one, other in zip(expected, found, strict=True):
        assert math.isclose(one["loss"], other["loss"], rel_tol=1e-6), (one, other)
        assert math.isclose(one["grad_norm"], other["grad_norm"], rel_tol=1e-5), (one, other)


def test_losses_move(reference):
    """The comparisons above would hold for a trainer that does nothing."""
    losses = [line["loss"] for line in curve(reference)]
    assert losses[-1] < losses[0] - 0.3


@pytest.fixture(scope="module")
def watched(world, tmp_path_factory):
    """Two ranks, monitors on, from the first step to the last without a break."""
    output = tmp_path_factory.mktemp("watched") / "run"
    runs.rimscope("train", configuration(world, output, MONITORS, **WATCHED), ranks=2)
    return output


def assert_same_weights(one, other):
    expected = load_file(runs.last_checkpoint(one) / "model.safetensors")
    found = load_file(runs.last_checkpoint(other) / "model.safetensors")
    assert expected.keys() == found.keys()
    for name in expected:
        assert expected[name].tobytes() == found[name].tobytes(), name


def test_monitors_do_not_change_training(world, watched, tmp_path):
    output = tmp_path / "run"
    runs.rimscope("train", configuration(world, output, **WATCHED), ranks=2)
    assert curve(output) == curve(watched)
    assert_same_weights(output, watched)


def wait_for_step(process, run, step, timeout=120):
    """Returns when log.jsonl names the step."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        log = run / "log.jsonl"
        text = log.read_text() if log.exists() else ""
        if text.count("\n") >= step:
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
    raise AssertionError(f"step {step} was not reached in {timeout} s")


def records(run):
    """All of run.h5 that training determines: committed rows and the static arrays."""
    with h5py.File(run / "run.h5") as file:
        steps = file["committed_steps"][()]
        found = {"steps": steps}
        for group in ("series", "static"):
            file[group].visititems(lambda name, item: found.update({f"{group}/{name}": item[()]})
                                   if isinstance(item, h5py.Dataset) else None)
    return {name: value for name, value in found.items() if name not in ("series/time", "series/seconds")}


# USR1 is what Slurm sends ahead of a preemption; mpirun answers TERM by killing its ranks soon after; KILL leaves no time
# at all, and the run goes on from the checkpoint before.
@pytest.mark.parametrize("sent", [signal.SIGUSR1, signal.SIGTERM, signal.SIGKILL], ids=lambda sent: sent.name)
def test_interrupted_and_resumed_equals_uninterrupted(world, watched, tmp_path, sent):
    output = tmp_path / "run"
    config = configuration(world, output, MONITORS, **WATCHED)
    process = runs.start(["train", config], ranks=2)
    wait_for_step(process, output, SAVE_STEPS + 5)
    process.send_signal(sent)
    process.communicate(timeout=60)
    if sent is signal.SIGUSR1:
        assert process.returncode == 75
        assert runs.last_checkpoint(output).name > f"step-{SAVE_STEPS:06}", "no checkpoint was written at the stop"
    assert len(curve(output)) < LONG_STEPS, "the run ended before the signal came: nothing was tested"

    runs.rimscope("train", config, "resume_from_checkpoint=auto", ranks=2)
    assert curve(output) == curve(watched)
    assert_same_weights(output, watched)
    expected, found = records(watched), records(output)
    assert expected.keys() == found.keys()
    for name in expected:
        numpy.testing.assert_array_equal(expected[name], found[name], err_msg=name)


def test_a_run_in_another_folder_takes_the_record_along(world, watched, tmp_path):
    checkpoint = watched / "checkpoints/step-000320"
    config = configuration(world, tmp_path / "run", MONITORS, **WATCHED)
    runs.rimscope("train", config, f"resume_from_checkpoint={checkpoint}", ranks=2)
    expected, found = records(watched), records(tmp_path / "run")
    assert expected.keys() == found.keys()
    for name in expected:
        numpy.testing.assert_array_equal(expected[name], found[name], err_msg=name)


def test_a_lost_record_begins_again_with_the_neuron_sets(world, watched, tmp_path):
    checkpoint = tmp_path / "alone/step-000320"
    shutil.copytree(watched / "checkpoints/step-000320", checkpoint)
    config = configuration(world, tmp_path / "run", MONITORS, **WATCHED)
    runs.rimscope("train", config, f"resume_from_checkpoint={checkpoint}", ranks=2)
    expected, found = records(watched), records(tmp_path / "run")
    assert found["steps"].tolist() == [320, 480]
    missing = {name.removeprefix("static/") for name in expected.keys() - found.keys()}
    assert missing == {f"neurons.{name}" for name in (
        "pair_difference", "split_half", "pair_refusal_score", "pairs_scored", "pairs_raised")}, "they need the base model"
    for name in found:
        if name.startswith("static/"):
            numpy.testing.assert_array_equal(expected[name], found[name], err_msg=name)
        elif name.startswith("series/"):
            numpy.testing.assert_array_equal(expected[name][-2:], found[name], err_msg=name)
