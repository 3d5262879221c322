"""Ranks that read different things, or of which one fails or hangs alone."""
import json
import os
import signal

import failures
import runs
from failures import CONFIG, NO_INPUT, SOFTWARE, assert_no_run, run_unlike_ranks, train_error


def test_unused_key_is_an_error_under_mpirun(world):
    assert "did you mean 'learning_rate'?" in train_error(world, "learning_rte=1", code=CONFIG, ranks=2)


def test_an_error_of_one_rank_alone_ends_all(world):
    """The second rank reads another file, which is not there; the first waits for it in a collective."""
    result = run_unlike_ranks(["train", world / "run.yaml"], ["train", world / "nowhere.yaml"])
    assert result.returncode == NO_INPUT, result.stderr
    assert [line.startswith("rank 1 of 2 (") and "nowhere.yaml" in line for line in failures.errors_of(result)] == [True]
    assert_no_run(world)


def test_the_cause_is_told_before_what_it_led_to(world):
    """The first rank gives up waiting for the second within the seconds in which failed ranks look for each other."""
    result = run_unlike_ranks(["train", world / "run.yaml", "ddp_timeout=1"], ["train", world / "nowhere.yaml"])
    assert result.returncode == NO_INPUT, result.stderr
    cause, consequence = failures.errors_of(result)
    assert cause.startswith("rank 1 of 2 (") and "nowhere.yaml" in cause
    assert consequence.startswith("rank 0 of 2 waited 1.")


def test_a_first_rank_that_hangs_ends_the_run_and_another_says_why(world):
    process = runs.start(["train", world / "run.yaml", "max_steps=1000000", "save_steps=0", "ddp_timeout=2"], ranks=2)
    log = world / "run/log.jsonl"
    runs.wait_until(lambda: log.exists() and log.read_text().count("\n") >= 3)
    os.kill(json.loads((world / "run/status.json").read_text())["pid"], signal.SIGSTOP)
    _, said = process.communicate(timeout=60)
    assert process.returncode == SOFTWARE, said
    assert "rank 1 of 2 waited 2." in said
    status = json.loads((world / "run/status.json").read_text())
    assert status["state"] == "failed" and status["message"].startswith("rank 1 of 2 waited 2.")


def test_ranks_with_different_configurations_are_told(world):
    result = run_unlike_ranks(["train", world / "run.yaml"], ["train", world / "run.yaml", "seed=2"])
    assert result.returncode == CONFIG, result.stderr
    assert "different configurations" in failures.errors_of(result)[0]


def test_ranks_with_different_prompts_are_told(world):
    """The configuration is the same; the file that it names is not."""
    hosts = [world / "host0", world / "host1"]
    for rank, host in enumerate(hosts):
        host.mkdir()
        runs.write_prompts(host / "harmful.jsonl", ["do harm", f"do worse {rank}"])
    call = ["train", world / "run.yaml", "prompt_sets.harmful={path: harmful.jsonl}",
            "monitors=[{kind: behaviour, harmful: harmful}]"]
    result = run_unlike_ranks(call, call, folders=hosts)
    assert result.returncode == CONFIG, result.stderr
    assert "different prompts as prompt_sets.harmful" in failures.errors_of(result)[0]
    assert_no_run(world)
