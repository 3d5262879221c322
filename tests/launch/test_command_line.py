"""The command line as a user meets it: help, versions, mistakes, and the verbs that need no model."""
import json
import re

import pytest
import yaml

import failures
import runs

VERBS = ["train", "data show", "report", "summary", "generate", "organism make", "word-problems", "doctor",
         "config-reference"]


def test_help_lists_every_verb_in_groups():
    text = runs.rimscope("--help")
    for verb in VERBS:
        assert re.search(rf"^  {verb}  +\w", text, re.MULTILINE), verb
    assert text.index("Training") < text.index("Looking") < text.index("Making data")


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_explains_itself_with_two_examples(verb):
    text = runs.rimscope(*verb.split(), "--help")
    assert text == runs.rimscope(*verb.split(), "-h") == runs.rimscope("help", *verb.split())
    assert text.startswith(f"Usage: rimscope {verb}")
    examples = text.split("Examples\n")[1].strip().splitlines()
    assert len(examples) == 2 and all("rimscope" in line for line in examples)


def test_usage_shows_options_that_must_be_given():
    assert runs.rimscope("generate", "--help").startswith("Usage: rimscope generate PROMPT --model DIR [options]\n")


def test_no_words_at_all_shows_the_help_and_is_a_usage_error():
    result = failures.run()
    assert result.returncode == failures.USAGE and "Usage: rimscope VERB" in result.stdout


def test_version_names_the_build_and_its_libraries():
    text = runs.rimscope("--version")
    assert re.match(r"rimscope \d+\.\d+\.\d+ \((?:[0-9a-f]{12}(?:, with local changes)?|unknown)\)\n", text)
    for library in ("libtorch 2.", "HDF5 1.", "MPI "):
        assert library in text


@pytest.mark.parametrize("words, said", [
    (["trian"], "there is no verb 'trian'; did you mean 'train'?"),
    (["frobnicate"], "there is no verb 'frobnicate'; `rimscope --help` lists the verbs"),
    (["--verison"], "there is no option '--verison' before a verb; did you mean '--version'?"),
    (["--quiet", "train"], "there is no option '--quiet' before a verb; `rimscope --help` lists the verbs"),
    (["data"], "'data' needs a second word; did you mean 'data show'?"),
    (["train"], "train: CONFIG is missing"),
    (["train", "a.yaml", "--dry-rnu"], "there is no option '--dry-rnu'; did you mean '--dry-run'?"),
    (["train", "a.yaml", "--dry"], "there is no option '--dry'"),
    (["generate", "hello"], "the option '--model' is required"),
    (["generate", "--model", "m", "--max-new-tokens", "many", "hello"], "--max-new-tokens"),
    (["generate", "--model", "m", "--max-new-tokens", "0", "hello"], "--max-new-tokens must be at least 1, but is 0"),
    (["generate", "--model", "m", "--device", "gpu", "hello"], "--device 'gpu' is none of auto, cpu, cuda"),
    (["generate", "--model", "m", "--thinking", "maybe", "hello"], "--thinking 'maybe' is none of on, off, empty"),
    (["generate", "--model", "m", "--chat-template", "x", "hello"], "'x' is none of auto, chatml, llama3"),
    (["word-problems", "/nonexistent/p", "--train", "0"], "--train must be at least 1, but is 0"),
    (["word-problems", "/nonexistent/p", "--train", "20000", "--test", "1"], "together at most 20000"),
    (["word-problems", "/nonexistent/p", "--seed=-1"], "--seed must be at least 0, but is -1"),
    (["organism", "make", "/nonexistent/o", "--seed=-1"], "--seed must be at least 0, but is -1"),
    (["data", "show", "a.yaml", "-n", "0"], "-n must be at least 1"),
])
def test_usage_errors_name_the_way_out(words, said):
    assert said in failures.error(*words, code=failures.USAGE)


def test_usage_errors_are_said_once_under_mpirun():
    assert "did you mean 'train'?" in failures.error("trian", code=failures.USAGE, ranks=2)


def test_help_is_printed_once_under_mpirun():
    assert runs.rimscope("train", "--help", ranks=2).count("Usage: ") == 1


def test_doctor_finds_what_the_build_needs():
    text = runs.rimscope("doctor")
    for part in ("processor", "memory", "MPI", "mpirun", "libtorch", "HDF5", "GPU", "NCCL", "bfloat16 on CPU"):
        assert re.search(rf"^(ok|-)\s+{part}", text, re.MULTILINE), text
    assert "Everything that is needed is here." in text


def test_doctor_without_mpirun_says_what_to_install():
    result = failures.run("doctor", environment={"PATH": "/nonexistent"})
    assert result.returncode == failures.CONFIG
    assert "MISSING  mpirun" in result.stdout and "apt-get install openmpi-bin" in result.stdout


def test_configuration_page_is_the_one_the_program_prints():
    page = (runs.SOURCE / "docs/configuration.md").read_text()
    assert page == runs.rimscope("config-reference"), "rimscope config-reference > docs/configuration.md"


@pytest.mark.parametrize("path", sorted((runs.SOURCE / "configs").glob("*.yaml")), ids=lambda path: path.name)
def test_shipped_configurations_are_valid_and_print_round_trip(path, tmp_path):
    printed = runs.rimscope("train", path, "--print-config")
    again = tmp_path / "again.yaml"
    again.write_text(printed)
    assert runs.rimscope("train", again, "--print-config") == printed
    # Another YAML reader sees the same values, the word "on" among them.
    values = yaml.safe_load(printed)
    assert values["data"]["thinking"] in ("on", "off", "empty")
    assert isinstance(values["learning_rate"], float)


def test_overrides_reach_the_printed_configuration():
    path = runs.SOURCE / "configs/organism-target.yaml"
    values = yaml.safe_load(runs.rimscope("train", path, "monitors.0.top=0.25", "data.train.0.limit=10", "seed=9",
                                          "--print-config"))
    assert (values["monitors"][0]["top"], values["data"]["train"][0]["limit"], values["seed"]) == (0.25, 10, 9)


def test_every_configuration_error_is_reported_at_once(tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text("model: {path: m}\ndata: {train: [{path: t}]}\noutput_dir: o\nmax_steps: 1\nlearning_rte: 1\nseed: x\n")
    result = failures.run("train", path, "save_stps=3")
    assert result.returncode == failures.CONFIG
    assert failures.errors_of(result) == [
        f"{path}:5:1: 'learning_rte' is unknown; did you mean 'learning_rate'?",
        f"{path}:6:7: 'seed' must be a whole number, but is 'x'",
        "command line: save_stps=3: 'save_stps' is unknown; did you mean 'save_steps'?"]
    assert result.stdout == "" and len(result.stderr.splitlines()) == 3


def test_organism_is_a_function_of_its_seed(tmp_path):
    for name, seed in (("one", 1), ("again", 1), ("two", 2)):
        runs.rimscope("organism", "make", tmp_path / name, "--seed", seed)
    read = lambda name: (tmp_path / name / "base_train.jsonl").read_bytes()  # noqa: E731
    assert read("one") == read("again") != read("two")


def test_word_problems_writes_what_was_asked_for(tmp_path):
    runs.rimscope("word-problems", tmp_path / "problems", "--train", 30, "--test", 7)
    rows = [json.loads(line) for line in (tmp_path / "problems/train.jsonl").read_text().splitlines()]
    assert len(rows) == 30 and "####" in rows[0]["answer"]
    assert len((tmp_path / "problems/test.jsonl").read_text().splitlines()) == 7
