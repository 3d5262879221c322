"""A machine whose driver shows a GPU that nothing can compute with: what is said about it."""
import os
import re
import subprocess

import pytest

import failures
import runs

# As much of the driver as the survey asks for; libtorch's CUDA half wants more and finds no device.
DRIVER = r"""
#include <string.h>
int cuInit(unsigned flags) { return flags != 0; }
int cuDriverGetVersion(int* version) { *version = 13000; return 0; }
int cuDeviceGetCount(int* count) { *count = 1; return 0; }
int cuDeviceGet(int* device, int ordinal) { *device = ordinal; return 0; }
int cuDeviceGetName(char* name, int length, int device) { strncpy(name, "Pretended GPU", length); return device; }
int cuDeviceTotalMem_v2(unsigned long* bytes, int device) { *bytes = 16ul << 30; return device; }
int cuDeviceGetAttribute(int* value, int attribute, int device) { *value = attribute == 75 ? 9 : 0; return device; }
"""


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    folder = tmp_path_factory.mktemp("driver")
    source = folder / "driver.c"
    source.write_text(DRIVER)
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-o", folder / "libcuda.so.1", source], check=True)
    return {"LD_LIBRARY_PATH": str(folder)}


@pytest.fixture(scope="module")
def configuration(tmp_path_factory):
    folder = runs.write_small_world(tmp_path_factory.mktemp("world"), sums=10)
    return runs.write_config(folder / "config.yaml", {
        "model": {"config": str(folder / "model")}, "tokenizer": str(folder / "tokenizer"),
        "data": {"train": [{"path": str(folder / "sums.jsonl")}]}, "output_dir": str(folder / "run"), "max_steps": 1,
        "per_device_train_batch_size": 2})


def test_doctor_names_the_gpu_and_why_it_stays_unused(driver):
    result = failures.run("doctor", environment=driver)
    assert result.returncode == 0, result.stderr
    assert re.search(r"^ok +GPU +Pretended GPU \(16\.0 GiB, compute 9\.0\)$", result.stdout, re.MULTILINE)
    assert re.search(r"^- +CUDA in libtorch +\S.*\n +device auto takes the CPU", result.stdout, re.MULTILINE)
    assert re.search(r"^- +NCCL +needs CUDA", result.stdout, re.MULTILINE)


def test_a_run_on_the_processor_of_a_gpu_node_is_warned_about(driver, configuration):
    result = failures.run("train", configuration, ranks=2, environment=driver)
    assert result.returncode == 0, result.stderr
    assert "rank 0: cpu, rank 1: cpu\n" in result.stderr
    assert len(re.findall(r"WARNING: no GPU is used on \S+: \S", result.stderr)) == 1, "once for each host"
    assert "talking over MPI\n" in result.stderr


def test_asking_for_the_gpu_is_refused_with_the_reason(driver, configuration):
    result = failures.run("train", configuration, "device=cuda", "overwrite_output_dir=true", environment=driver)
    assert result.returncode == failures.CONFIG
    assert re.search(r"device: cuda: \S", result.stderr)


def test_asking_for_the_processor_warns_of_nothing(driver, configuration):
    assert "WARNING: no GPU" not in failures.run("train", configuration, "device=cpu", "--dry-run",
                                                 environment=driver).stdout
