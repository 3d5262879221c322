"""Runs that must fail: what they say, and with which code."""
import os
import resource
import signal
import subprocess
import time

import pytest

import runs

USAGE, BAD_DATA, NO_INPUT, SOFTWARE, INPUT_OUTPUT, PREEMPTED, CONFIG = 64, 65, 66, 70, 74, 75, 78
PREFIX = "rimscope: error: "
RANKS = pytest.mark.parametrize("ranks", [1, 2])


def run(*arguments, ranks=1, timeout=120, **options):
    """rimscope to its end; a hang is a TimeoutExpired."""
    environment = {**os.environ, **runs.MPI_ENVIRONMENT, **options.pop("environment", {})}
    return subprocess.run(runs.command(arguments, ranks), env=environment, text=True, capture_output=True,
                          timeout=timeout, **options)


def run_unlike_ranks(*calls, folders=None):
    """mpirun with one rank a call, each with arguments (and a working folder) of its own, as on several hosts."""
    command = ["mpirun"]
    for rank, call in enumerate(calls):
        place = ["-wdir", str(folders[rank])] if folders else []
        command += [":"] * (rank > 0) + ["-np", "1", *place, str(runs.program("rimscope")), *map(str, call)]
    environment = {**os.environ, **runs.MPI_ENVIRONMENT}
    return subprocess.run(command, env=environment, text=True, capture_output=True, timeout=60)


def errors_of(result):
    return [line.removeprefix(PREFIX) for line in result.stderr.splitlines() if line.startswith(PREFIX)]


def error(*arguments, code, ranks=1, within=60, **options):
    """The one error line of a call that must end with `code`, and end soon."""
    start = time.monotonic()
    result = run(*arguments, ranks=ranks, **options)
    passed = time.monotonic() - start
    said = f"{result.stdout}\n{result.stderr}"
    assert result.returncode == code, f"ended with {result.returncode}\n{said}"
    assert passed < within, f"took {passed:.0f} s"
    lines = errors_of(result)
    assert len(lines) == 1, said
    if ranks == 1:  # mpirun adds remarks of its own
        assert result.stderr.splitlines()[-1] == PREFIX + lines[0], said
    return lines[0]


def train_error(world, *overrides, code, ranks=1, **options):
    """The error of training with the run.yaml of that folder (tests/faults/conftest.py)."""
    return error("train", world / "run.yaml", *overrides, code=code, ranks=ranks, **options)


def assert_no_run(world):
    """Nothing that a later call could take for a run."""
    run = world / "run"
    assert not (run / "run.h5").exists() and not (run / "log.jsonl").exists() and not (run / "checkpoints").exists()


def limit_file_size(limit):
    """For preexec_fn: writes past `limit` bytes of a file fail as on a full disk (EFBIG instead of ENOSPC)."""
    def set_limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    return set_limit
