"""Looking before training and after it: dry runs, samples, generation, progress and what a run leaves behind."""
import hashlib
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import subprocess
import time

import h5py
import pytest

import failures
import runs


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = runs.write_small_world(tmp_path_factory.mktemp("world"), sums=30)
    runs.write_prompts(folder / "harmful.jsonl", ["do harm", "do worse"])
    return folder


def configuration(world, output, **changes):
    return runs.write_config(output.with_suffix(".yaml"), {
        "model": {"config": str(world / "model")}, "tokenizer": str(world / "tokenizer"),
        "data": {"train": [{"path": str(world / "sums.jsonl")}]}, "output_dir": str(output), "max_steps": 6,
        "save_steps": 3, "per_device_train_batch_size": 2,
        "prompt_sets": {"harmful": {"path": str(world / "harmful.jsonl")}},
        "monitors": [{"kind": "behaviour", "harmful": "harmful", "thinking": ["off"], "max_new_tokens": 4}], **changes})


@pytest.fixture(scope="module")
def trained(world, tmp_path_factory):
    """A finished run on two ranks, and all that it said."""
    output = tmp_path_factory.mktemp("trained") / "run"
    result = failures.run("train", configuration(world, output), "data.train.0.weight=2", ranks=2)
    assert result.returncode == 0, result.stderr
    return output, result


def table(text):
    return dict(re.findall(r"^(\w+)  +(.*)$", text, re.MULTILINE))


def test_dry_run_says_what_would_happen_and_writes_nothing(world, tmp_path):
    rows = table(runs.rimscope("train", configuration(world, tmp_path / "run", gradient_accumulation_steps=5),
                               "--dry-run"))
    assert rows["batch"] == "2 samples x 1 rank x 5 accumulation steps = 10 samples per step"
    assert rows["steps"] == "6 (2 epochs of 3), 0 of them warm-up"
    assert rows["data"].startswith("30 rows, 0 dropped, 0 truncated; ")
    assert rows["monitors"] == "behaviour; 3 observations, the base model's first"
    assert "a rank" in rows["memory"] and "free" in rows["memory"] and "a checkpoint" in rows["disk"]
    assert not (tmp_path / "run").exists()


def test_dry_run_counts_parameters_as_transformers_does(world, tmp_path):
    from transformers import AutoConfig, AutoModelForCausalLM
    expected = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(world / "model")).num_parameters()
    rows = table(runs.rimscope("train", configuration(world, tmp_path / "run"), "--dry-run"))
    assert rows["parameters"] == f"{expected:,}, of which {expected:,} are trained (100%)"


def test_data_show_marks_the_trained_tokens(world, tmp_path):
    text = runs.rimscope("data", "show", configuration(world, tmp_path / "run"), "-n", 2)
    samples = text.split("--- ")[1:]
    assert len(samples) == 2 and samples[0].startswith(f"{world}/sums.jsonl:1  (")
    rows = [json.loads(line) for line in (world / "sums.jsonl").read_text().splitlines()[:2]]
    for sample, row in zip(samples, rows):
        question, answer = (message["content"] for message in row["messages"])
        trained = re.findall(r"\[\[(.*?)\]\]", sample, re.DOTALL)
        assert len(trained) == 1
        assert answer.split("</think>")[-1].strip() in trained[0] and trained[0].endswith("<|im_end|>")
        assert question not in trained[0] and question in sample


def test_data_show_shows_rows_that_nothing_is_left_of(world, tmp_path):
    text = runs.rimscope("data", "show", configuration(world, tmp_path / "run"), "-n", 2, "data.max_length=4")
    assert len(text.split("--- ")[1:]) == 2
    assert re.search(r"sums\.jsonl:1  \(\d+ tokens, left out: its first trained token is number \d+, and "
                     r"data\.max_length is 4\)", text)
    assert text.count("[[") == 2


def plain_pair(world, tmp_path, **changes):
    """What data show makes of one plain pair, and the configuration that it was read with."""
    (tmp_path / "plain.jsonl").write_text(json.dumps({"prompt": "1+1=", "completion": "2"}) + "\n")
    config = configuration(world, tmp_path / "run", data={"train": [
        {"path": str(tmp_path / "plain.jsonl"), "format": "prompt_completion"}]}, monitors=[], **changes)
    return runs.rimscope("data", "show", config), config


def test_plain_text_ends_in_the_tokenizers_end_token(world, tmp_path):
    """tokenizer_config.json's eos_token, as in TRL; the model's own where it names none."""
    shutil.copytree(world / "tokenizer", tmp_path / "tokenizer")
    shutil.copytree(world / "model", tmp_path / "model")
    model = json.loads((tmp_path / "model/config.json").read_text())
    end_of_text = 256
    (tmp_path / "model/config.json").write_text(json.dumps({**model, "eos_token_id": end_of_text}))
    folders = {"tokenizer": str(tmp_path / "tokenizer"), "model": {"config": str(tmp_path / "model")}}
    assert "1+1=[[2<|im_end|>]]" in plain_pair(world, tmp_path, **folders)[0]
    (tmp_path / "tokenizer/tokenizer_config.json").unlink()
    assert "1+1=[[2<|endoftext|>]]" in plain_pair(world, tmp_path, **folders)[0]


def test_a_checkpoint_holds_the_tokenizer_file_that_was_read(world, tmp_path):
    shutil.copytree(world / "tokenizer", tmp_path / "tokenizer")
    own = tmp_path / "tokenizer/own.json"
    own.write_text((world / "tokenizer/tokenizer.json").read_text() + "\n")
    (tmp_path / "tokenizer/tokenizer.json").write_text("{}")
    config = plain_pair(world, tmp_path, tokenizer=str(own), max_steps=1, save_steps=1)[1]
    runs.rimscope("train", config)
    assert (runs.last_checkpoint(tmp_path / "run") / "tokenizer.json").read_text() == own.read_text()


def on_terminal(arguments, ranks=1, **environment):
    """What rimscope writes to a terminal, both streams together."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(runs.command(arguments, ranks), stdout=follower, stderr=follower, stdin=subprocess.DEVNULL,
                               env={**os.environ, **runs.MPI_ENVIRONMENT, "TERM": "xterm", **environment})
    os.close(follower)
    said = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        said += part
    os.close(leader)
    assert process.wait(timeout=60) == 0, said
    return said.decode()


def test_colour_on_a_terminal_unless_it_is_not_wanted(world, tmp_path):
    config = configuration(world, tmp_path / "run")
    coloured = on_terminal(["data", "show", config, "-n", "1"])
    assert "\033[1;32m" in coloured and "[[" not in coloured
    plain = on_terminal(["data", "show", config, "-n", "1"], NO_COLOR="1")
    assert "\033" not in plain and "[[" in plain


@pytest.mark.parametrize("ranks", [1, 2])  # mpirun gives its ranks a pipe
def test_progress_is_one_updating_line_on_a_terminal(world, tmp_path, ranks):
    said = on_terminal(["train", str(configuration(world, tmp_path / "run"))], ranks)
    assert re.search(r"\r\033\[Kstep \d+/6  loss ", said)
    assert not re.search(r"\nstep \d+/6  loss", said)


def test_no_colour_in_a_file_under_mpirun(world, tmp_path):
    """Open MPI gives its ranks a terminal for standard output."""
    config = configuration(world, tmp_path / "run")
    command = ["mpirun", "-np", "1", *runs.command(["data", "show", config, "-n", "1"])]
    shown = subprocess.run(command, env={**os.environ, **runs.MPI_ENVIRONMENT, "TERM": "xterm"}, capture_output=True, check=True)
    assert b"\033" not in shown.stdout and b"[[" in shown.stdout


def test_progress_is_plain_lines_elsewhere(trained):
    _, result = trained
    lines = [line for line in result.stderr.splitlines() if re.match(r"step \d+/6  loss \d", line)]
    assert [line.split("/")[0] for line in lines] == [f"step {step}" for step in range(1, 7)]
    assert all("grad norm" in line and "lr" in line and "tok/s" in line for line in lines)
    assert "\033" not in result.stderr and "\r" not in result.stderr


def test_start_up_table_is_printed_once_for_all_ranks(trained):
    output, result = trained
    rows = table(result.stderr)
    assert result.stderr.count("parameters ") == 1
    assert rows["world"].startswith("2 ranks on ") and rows["devices"] == "rank 0: cpu, rank 1: cpu"
    assert rows["config"].endswith(", the same on all ranks")
    digest = hashlib.sha256((output / "config.yaml").read_bytes()).hexdigest()
    assert digest in rows["config"]


def test_the_end_names_the_paths_and_the_next_command(trained):
    output, result = trained
    assert result.stdout.startswith("finished: step 6 of 6, loss ")
    assert f"checkpoint  {output}/checkpoints/step-000006" in result.stdout
    assert f"report {output}" in result.stdout


def test_the_written_configuration_repeats_the_run(trained, tmp_path):
    output, _ = trained
    again = tmp_path / "again"
    runs.rimscope("train", output / "config.yaml", f"output_dir={again}", ranks=2)
    losses = [[line["loss"] for line in runs.log_of(run)] for run in (output, again)]
    assert losses[0] == losses[1]


def test_record_holds_the_provenance(trained):
    output, _ = trained
    with h5py.File(output / "run.h5") as file:
        facts = {name: value[()] for name, value in file["provenance"].items()}
    facts = {name: value.decode() if isinstance(value, bytes) else str(value) for name, value in facts.items()}
    assert facts["config"] == (output / "config.yaml").read_text()
    assert facts["config_sha256"] == hashlib.sha256(facts["config"].encode()).hexdigest()
    assert facts["world_size"] == "2" and facts["seed"] == "1" and facts["dtype"] == "float32"
    assert "train" in facts["argv"] and "data.train.0.weight=2" in facts["argv"]
    for name in ("git_commit", "git_dirty", "rimscope_version", "libtorch_version", "hdf5_version", "mpi_version", "hosts"):
        assert facts[name], name


def test_record_says_what_was_trained_and_measured(trained):
    output, _ = trained
    with h5py.File(output / "run.h5") as file:
        facts = {name: value.asstr()[()] for name, value in file["provenance"].items()}
    for name in ("base_weights_digest", "training_samples_sha256"):
        assert re.fullmatch("[0-9a-f]{64}", facts[name]), name
    fields = [field for number, text in enumerate(["do harm", "do worse"], 1)
              for field in (f"harmful:{number}", text, "", "", "", "")]
    digest = hashlib.sha256("".join(f"{len(field)}:{field}" for field in fields).encode()).hexdigest()
    assert facts["prompt_sets_sha256"] == f"harmful {digest}"
    model_names = re.findall(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    assert not model_names or facts["processor"] == model_names[0]
    assert ("gpus" in facts) == ("cuda_driver_version" in facts)


def test_texts_can_be_emptied_on_the_command_line(world, tmp_path):
    text = runs.rimscope("train", configuration(world, tmp_path / "run"), 'monitors.0.refusal_text=""',
                         'monitors.0.compliance_text=""', "--print-config")
    assert re.search(r"""refusal_text: (""|'')""", text) and re.search(r"""compliance_text: (""|'')""", text)


def test_summary_and_report_follow_the_run(trained):
    output, _ = trained
    assert runs.rimscope("report", output).strip() == str(output / "report.html")
    text = runs.rimscope("summary", output)
    assert "base -> step 6" in text and re.search(r"refusal harmful, thinking off +\d+% \[\d+, \d+\] -> ", text)
    assert "complied harmful" in text and "incoherent harmful" in text and str(output / "report.html") in text


def test_generate_answers_and_says_when_it_was_cut(trained):
    output, _ = trained
    checkpoint = runs.last_checkpoint(output)  # six steps: it has not learnt to stop yet
    result = failures.run("generate", "--model", checkpoint, "--thinking", "off", "--max-new-tokens", 3, "1+1?")
    assert result.returncode == 0, result.stderr
    assert result.stderr.splitlines()[-1] == "(cut after 3 tokens; --max-new-tokens gives it more)"


def test_any_limit_of_new_tokens_costs_only_what_is_generated(trained, tmp_path):
    shutil.copytree(runs.last_checkpoint(trained[0]), tmp_path / "model")
    vocabulary = json.loads((tmp_path / "model/config.json").read_text())["vocab_size"]
    (tmp_path / "model/generation_config.json").write_text(json.dumps({"eos_token_id": list(range(vocabulary))}))
    result = failures.run("generate", "--model", tmp_path / "model", "--max-new-tokens", 1_000_000_000, "1+1?")
    assert result.returncode == 0, result.stderr
    assert "with 1000000000 new ones may go beyond" in result.stderr and "max_position_embeddings" in result.stderr


def test_dry_run_warns_of_lengths_beyond_the_models_positions(world, tmp_path):
    shutil.copytree(world / "model", tmp_path / "model")
    path = tmp_path / "model/config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "max_position_embeddings": 40}))
    config = configuration(world, tmp_path / "run", model={"config": str(tmp_path / "model")})
    fitting = runs.rimscope("train", config, "data.max_length=40", "monitors.0.max_new_tokens=1", "--dry-run")
    assert "max_position_embeddings" not in fitting
    beyond = runs.rimscope("train", config, "data.max_length=41", "monitors.0.max_new_tokens=40", "--dry-run")
    assert "WARNING: the longest sample has 41 tokens, more than the 40 positions" in beyond
    assert re.search(r"WARNING: the longest prompt with its new tokens has \d+ tokens, more than the 40", beyond)


def test_generate_is_what_transformers_generates(trained):
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoModelForCausalLM
    output, _ = trained
    checkpoint = runs.last_checkpoint(output)
    tokenizer = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
    prompt = "<|im_start|>user\n2+3?<|im_end|>\n<|im_start|>assistant\n"
    tokens = torch.tensor([tokenizer.encode(prompt).ids])
    model = AutoModelForCausalLM.from_pretrained(checkpoint, dtype=torch.float32)
    new = model.generate(tokens, max_new_tokens=8, do_sample=False, eos_token_id=tokenizer.token_to_id("<|im_end|>"),
                         pad_token_id=0)[0, tokens.shape[1]:]
    said = runs.rimscope("generate", "--model", checkpoint, "--thinking", "on", "--max-new-tokens", 8, "2+3?")
    expected = tokenizer.decode(new.tolist(), skip_special_tokens=True)
    shown = "".join(c for c in expected if c in "\n\t" or (ord(c) >= 32 and not 127 <= ord(c) < 160))
    assert said.removesuffix("\n") == shown


def test_a_stopped_run_says_how_to_go_on_and_does(world, tmp_path):
    output = tmp_path / "run"
    config = configuration(world, output, max_steps=2000, save_steps=1000, prompt_sets={}, monitors=[],
                           overwrite_output_dir=True)
    process = runs.start(["train", config])
    deadline = time.monotonic() + 60
    while not (output / "log.jsonl").exists() or not (output / "log.jsonl").read_text():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    status = json.loads((output / "status.json").read_text())
    assert status["state"] in ("starting", "running") and status["total_steps"] == 2000
    process.send_signal(signal.SIGTERM)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == failures.PREEMPTED, stderr
    stopped = json.loads((output / "status.json").read_text())
    assert stopped["state"] == "preempted" and 0 < stopped["step"] < 2000
    command = re.search(r"^  resume +(.*)$", stdout, re.MULTILINE).group(1)
    assert command.endswith("overwrite_output_dir=false resume_from_checkpoint=auto")
    resumed = subprocess.run(f"{command} max_steps={stopped['step'] + 3}", shell=True, text=True, capture_output=True,
                             env={**os.environ, **runs.MPI_ENVIRONMENT}, timeout=60)
    assert resumed.returncode == 0, resumed.stderr
    assert f"note: max_steps was 2000 before, and is {stopped['step'] + 3} now\n" in resumed.stderr
    assert [line["step"] for line in runs.log_of(output)] == list(range(1, stopped["step"] + 4))
