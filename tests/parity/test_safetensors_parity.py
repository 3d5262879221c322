"""trainer/model's safetensors reader against the reference implementation on damaged files."""
import json
import random
import struct
import subprocess

import pytest
import safetensors

import runs

TOOL = runs.program("model_tool")


def whole_file(draw):
    """A valid header (as a dictionary) and the number of its data bytes."""
    header, position = {}, 0
    if draw.random() < 0.5:
        header["__metadata__"] = {"format": "pt"}
    for i in range(draw.randint(1, 4)):
        dtype, size = draw.choice([("F32", 4), ("BF16", 2), ("I64", 8), ("U8", 1), ("BOOL", 1), ("F16", 2)])
        shape = [draw.randint(0, 3) for _ in range(draw.randint(0, 3))]
        bytes_needed = size
        for extent in shape:
            bytes_needed *= extent
        header[f"tensor{i}"] = {"dtype": dtype, "shape": shape, "data_offsets": [position, position + bytes_needed]}
        position += bytes_needed
    return header, position


def damage(draw, header, data_bytes):
    """Returns the bytes of the file, damaged in one random way (some ways leave it valid)."""
    name = draw.choice([key for key in header if key != "__metadata__"])
    entry = header[name]
    extreme = draw.choice([-1, 0, 1, 2, 7, 2**31, 2**32, 2**62, 2**63, 2**64 - 1, 1.5, "1", None, [], True])
    how = draw.randrange(11)  # 9 and 10: no damage
    if how == 0:
        entry["data_offsets"][draw.randrange(2)] = extreme
    elif how == 1:
        # Sizes that do not fit libtorch's signed ones are refused here even in tensors without elements.
        fits = not isinstance(extreme, int) or extreme < 2**63
        entry["shape"] = entry["shape"] + [extreme if fits else -2]
    elif how == 2:
        entry["dtype"] = draw.choice(["F32", "BF16", "I64", "X", "", "f32", 3])
    elif how == 3:
        del entry[draw.choice(list(entry))]
    elif how == 4:
        data_bytes = max(0, data_bytes + draw.choice([-8, -1, 1, 8]))
    elif how == 5:
        header["extra"] = {"dtype": "U8", "shape": [0], "data_offsets": [draw.randint(0, 9)] * 2}
    elif how == 6:
        shift = draw.choice([-1, 1, 4])
        entry["data_offsets"] = [offset + shift for offset in entry["data_offsets"]]
    text = json.dumps(header).encode()
    length = len(text)
    if how == 7:
        text = text[: draw.randrange(len(text))]
    if how == 8:
        length += draw.choice([-1, 1, 100, 2**63, 2**64 - 1 - length])
    return struct.pack("<Q", length % 2**64) + text + bytes(data_bytes)


def reference_names(path):
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            return sorted(file.keys())
    except Exception:
        return None


def test_accepts_and_refuses_what_the_reference_does(tmp_path):
    draw = random.Random(17)
    paths = []
    for i in range(600):
        path = tmp_path / f"{i}.safetensors"
        path.write_bytes(damage(draw, *whole_file(draw)))
        paths.append(path)
    replies = json.loads(subprocess.run([TOOL, "names", *paths], check=True, capture_output=True, text=True).stdout)
    accepted = 0
    for path, reply in zip(paths, replies):
        expected = reference_names(path)
        accepted += expected is not None
        ours = reply if isinstance(reply, list) else None
        assert ours == expected, (path.read_bytes(), reply, expected)
    assert 50 < accepted < 550, "the damage should leave some files valid and break many"
