"""Broken input and output: one clear line, the sysexits code, every rank gone within seconds, nothing half-written."""
import shutil

import pytest

import runs


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A whole Hugging Face folder with weights: the checkpoint of a run of one step."""
    folder = runs.write_small_world(tmp_path_factory.mktemp("model"), sums=4)
    config = runs.write_config(folder / "make.yaml", {
        "model": {"config": str(folder / "model")}, "tokenizer": str(folder / "tokenizer"),
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
