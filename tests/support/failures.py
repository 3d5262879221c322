"""Runs that must fail: what they say, and with which code."""
import os
import subprocess
import time

import runs

USAGE, BAD_DATA, NO_INPUT, SOFTWARE, INPUT_OUTPUT, PREEMPTED, CONFIG = 64, 65, 66, 70, 74, 75, 78
PREFIX = "rimscope: error: "


def run(*arguments, ranks=1, timeout=120, **options):
    """rimscope to its end; a hang is a TimeoutExpired."""
    environment = {**os.environ, **runs.MPI_ENVIRONMENT, **options.pop("environment", {})}
    return subprocess.run(runs.command(arguments, ranks), env=environment, text=True, capture_output=True,
                          timeout=timeout, **options)


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
