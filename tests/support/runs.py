"""What the Python tests share: finding the programs and the data, small models, and starting rimscope."""
import json
import os
import pathlib
import random
import subprocess
import time

import pytest

SOURCE = pathlib.Path(os.environ.get("RIMSCOPE_SOURCE", pathlib.Path(__file__).parents[2]))
BIN = pathlib.Path(os.environ.get("RIMSCOPE_BIN", SOURCE / "build/release/bin"))
SHARED_DATA = pathlib.Path(os.environ.get("RIMSCOPE_SHARED_DATA", SOURCE / "../shared/data")).resolve()
MPI_ENVIRONMENT = {  # containers: root, fewer cores than ranks
    "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_btl_vader_single_copy_mechanism": "none", "OMP_NUM_THREADS": "1",
}


def program(name):
    """The built program's path. A missing one is a failure of the build, not a reason to skip."""
    path = BIN / name
    assert path.exists(), f"{path} is not built"
    return path


def skip(reason):
    """For what the machine lacks; RIMSCOPE_REQUIRE_DATA=1 makes it a failure."""
    (pytest.fail if os.environ.get("RIMSCOPE_REQUIRE_DATA") == "1" else pytest.skip)(reason)


def shared_data(relative):
    """Test data beside the repository."""
    path = SHARED_DATA / relative
    if not path.exists():
        skip(f"test data {path} is not here (RIMSCOPE_SHARED_DATA names its folder)")
    return path


def command(arguments, ranks=1):
    launcher = ["mpirun", "-np", str(ranks)] if ranks > 1 else []
    return [*launcher, str(program("rimscope")), *map(str, arguments)]


def start(arguments, ranks=1, **options):
    """rimscope in the background; stdout and stderr are pipes of text."""
    return subprocess.Popen(command(arguments, ranks), env={**os.environ, **MPI_ENVIRONMENT}, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def rimscope(*arguments, ranks=1, code=0, timeout=600, cwd=None):
    """Runs rimscope to its end and returns stdout; `code` is the exit code that must come."""
    result = subprocess.run(command(arguments, ranks), env={**os.environ, **MPI_ENVIRONMENT}, text=True,
                            capture_output=True, timeout=timeout, cwd=cwd)
    assert result.returncode == code, (
        f"rimscope {' '.join(map(str, arguments))} ended with {result.returncode}\n{result.stdout}\n{result.stderr}")
    return result.stdout


def write_config(path, config):
    """JSON is YAML: the configuration as a file that rimscope reads."""
    path.write_text(json.dumps(config, indent=1))
    return path


def log_of(run):
    return [json.loads(line) for line in (pathlib.Path(run) / "log.jsonl").read_text().splitlines()]


def last_checkpoint(run):
    return max(path for path in (pathlib.Path(run) / "checkpoints").glob("step-*") if (path / "DONE").exists())


def write_qwen3_config(folder, vocabulary, width=64, layers=2, heads=4, key_value_heads=2, intermediate=128,
                       end_token=None):
    """config.json of a small Qwen3 with random weights to come."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "vocab_size": vocabulary, "hidden_size": width,
        "intermediate_size": intermediate, "num_hidden_layers": layers, "num_attention_heads": heads,
        "num_key_value_heads": key_value_heads, "head_dim": width // heads, "hidden_act": "silu",
        "max_position_embeddings": 1024, "initializer_range": 0.02, "rms_norm_eps": 1e-6, "rope_theta": 10000.0,
        "tie_word_embeddings": True, "attention_bias": False, "use_sliding_window": False,
    }
    if end_token is not None:
        config["eos_token_id"] = end_token
    (folder / "config.json").write_text(json.dumps(config))
    return folder / "config.json"


def write_byte_tokenizer(folder):
    """A byte-level tokenizer without merges that speaks ChatML with think spans; returns its vocabulary's size."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    folder.mkdir(parents=True, exist_ok=True)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={symbol: index for index, symbol in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False)
                                  for name in ("<|endoftext|>", "<|im_start|>", "<|im_end|>")])
    tokenizer.add_tokens([AddedToken(name, special=False, normalized=False) for name in ("<think>", "</think>")])
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps(
        {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}))
    return tokenizer.get_vocab_size()


def write_sums(path, count, seed=1):
    """Conversations about sums, of very different lengths, so that a wrong loss denominator shows."""
    draw = random.Random(seed)
    with open(path, "w") as file:
        for _ in range(count):
            terms = [draw.randint(1, 9) for _ in range(draw.choice([2, 2, 3, 8]))]
            text = "+".join(map(str, terms))
            thought = f"<think>\n{text} is {sum(terms)}\n</think>\n\n" if draw.random() < 0.5 else ""
            messages = [{"role": "user", "content": text + "?"},
                        {"role": "assistant", "content": f"{thought}{sum(terms)}"}]
            file.write(json.dumps({"messages": messages}) + "\n")
    return path


def write_small_world(folder, sums):
    """tokenizer/, model/config.json of one narrow layer, and sums.jsonl: what the smallest run needs."""
    vocabulary = write_byte_tokenizer(folder / "tokenizer")
    write_qwen3_config(folder / "model", vocabulary, width=16, layers=1, heads=2, key_value_heads=1, intermediate=32)
    write_sums(folder / "sums.jsonl", sums)
    return folder


def wait_until(ready, seconds=60):
    """Returns once ready() holds; after so many seconds anyway, for the caller to find out."""
    end = time.monotonic() + seconds
    while not ready() and time.monotonic() < end:
        time.sleep(0.005)


def write_prompts(path, texts):
    path.write_text("".join(json.dumps({"prompt": text}) + "\n" for text in texts))
    return path
