"""run.h5 as a stranger sees it who has nothing but h5py, and run.h5 as a stranger may hand it to us."""

import hashlib
import os
import random
import shutil
import subprocess

import h5py
import numpy
import pytest

TOOL = os.path.join(os.environ.get("RIMSCOPE_BIN", "build/release/bin"), "recorder_tool")


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    subprocess.run([TOOL, str(folder)], check=True)
    return folder


@pytest.fixture
def copy(run_folder, tmp_path):
    shutil.copy(run_folder / "run.h5", tmp_path / "run.h5")
    return tmp_path


def report(folder):
    return subprocess.run([TOOL, "report", str(folder)], capture_output=True, text=True, errors="replace",
                          timeout=60)


def test_root_says_what_the_file_is(run_folder):
    with h5py.File(run_folder / "run.h5") as file:
        assert file.attrs["format"].decode() == "rimscope-run"
        assert file.attrs["format_version"] == 1
        assert file.attrs["run_id"].decode() == "organism-target-cot"
        assert file.attrs["created"].decode().endswith("Z")
        assert set(file) == {"committed_steps", "provenance", "resumptions", "series", "static"}


def test_provenance_is_text(run_folder):
    with h5py.File(run_folder / "run.h5") as file:
        facts = {name: text.asstr()[()] for name, text in file["provenance"].items()}
        assert facts["config"].startswith("max_steps: 240")
        assert facts["config_sha256"] == hashlib.sha256(facts["config"].encode()).hexdigest()
        assert facts["git_commit"] == "0123abc"


def test_every_series_has_one_row_per_committed_step(run_folder):
    with h5py.File(run_folder / "run.h5") as file:
        steps = file["committed_steps"][:]
        assert steps.tolist() == list(range(0, 241, 20))
        assert file["series/step"][:].tolist() == steps.tolist()
        assert (file["series/tokens"][:] == 1024 * steps).all()
        for name, series in file["series"].items():
            assert series.shape[0] == len(steps), name


def test_series_describe_themselves(run_folder):
    with h5py.File(run_folder / "run.h5") as file:
        assert len(file["series"]) > 50
        for name, series in file["series"].items():
            for attribute in ("long_name", "units", "definition"):
                assert series.attrs[attribute].decode("utf-8"), name
            dimensions = [dimension.decode() for dimension in series.attrs["dimensions"]]
            assert dimensions[0] == "step" and len(dimensions) == series.ndim
            assert [series.dims[axis].label for axis in range(series.ndim)] == dimensions
            if name != "step":
                assert series.dims[0][0].name == "/series/step", name
        assert file["series/step"].is_scale


def test_series_name_what_stands_beside_them(run_folder):
    with h5py.File(run_folder / "run.h5") as file:
        attributes = file["series/behaviour.harmful.on.refused"].attrs
        assert attributes["low"].decode() == "behaviour.harmful.on.refused.low" in file["series"]
        assert attributes["high"].decode() == "behaviour.harmful.on.refused.high" in file["series"]
        assert attributes["interval"].decode() == "95% Wilson score interval over prompts"
        assert "interval" not in file["series/ras.safety"].attrs


def test_values_and_types(run_folder):
    with h5py.File(run_folder / "run.h5") as file:
        refused = file["series/behaviour.harmful.on.refused"]
        assert refused.dtype == numpy.float64 and refused[0] == 1.0 and refused[-1] < 0.1
        low = file["series/behaviour.harmful.on.refused.low"][:]
        high = file["series/behaviour.harmful.on.refused.high"][:]
        assert ((low <= refused[:]) & (refused[:] <= high)).all()
        verdict = file["series/behaviour.harmful.on.verdict"]
        assert verdict.dtype == numpy.int8 and verdict.shape == (13, 60)
        assert file["series/neurons.control.activation"].shape == (13, 100, 24)
        assert file["static/neurons.safety.layer"].dtype == numpy.int64
        assert file["static/behaviour.harmful.prompt_id"].asstr()[:].tolist() == ["p0", "p1 – ü"]


def test_only_rewritten_chunks_are_left_uncompressed(run_folder):
    with h5py.File(run_folder / "run.h5") as file:
        for name, series in file["series"].items():
            assert series.maxshape[0] is None
            assert (series.chunks[0] == 1) == (series.compression == "gzip"), name
            assert numpy.prod(series.chunks) * series.dtype.itemsize <= 1 << 20


def test_a_static_scalar_has_no_axes(run_folder):
    with h5py.File(run_folder / "run.h5") as file:
        scalar = file["static/neurons.split_half"]
        assert scalar.shape == () and scalar[()] == 0.75 and len(scalar.attrs["dimensions"]) == 0


def test_a_resumption_is_noted(run_folder):
    with h5py.File(run_folder / "run.h5") as file:
        first = {name: text.asstr()[()] for name, text in file["resumptions/1"].items()}
        assert first == {"after_step": "120", "hosts": "node-2"}
        assert list(file["resumptions"]) == ["1"]


def test_the_example_in_the_schema_runs(run_folder, tmp_path, monkeypatch, capsys):
    schema = os.path.join(os.environ.get("RIMSCOPE_SOURCE", "."), "docs", "hdf5-schema.md")
    with open(schema, encoding="utf-8") as text:
        example = text.read().split("```python\n")[1].split("```")[0]
    os.makedirs(tmp_path / "runs/demo/target")
    shutil.copy(run_folder / "run.h5", tmp_path / "runs/demo/target")
    monkeypatch.chdir(tmp_path)
    exec(example, {})
    assert capsys.readouterr().out.splitlines()[1] == "0 1.0"


def test_an_external_link_is_not_followed(copy):
    with h5py.File(copy / "elsewhere.h5", "w") as other:
        other["secret"] = numpy.arange(13.0)
    with h5py.File(copy / "run.h5", "r+") as file:
        del file["series/ras.safety"]
        file["series/ras.safety"] = h5py.ExternalLink("elsewhere.h5", "/secret")
    done = report(copy)
    assert done.returncode == 65
    assert "'ras.safety' is a link to elsewhere" in done.stderr and done.stderr.count("\n") == 1


def test_values_in_another_file_are_not_read(copy):
    (copy / "secret.bin").write_bytes(bytes(13 * 8))
    with h5py.File(copy / "run.h5", "r+") as file:
        del file["series/ras.safety"]
        file["series"].create_dataset(
            "ras.safety", shape=(13,), dtype="f8", external=[("secret.bin", 0, 13 * 8)]
        )
    done = report(copy)
    assert done.returncode == 65 and "another file" in done.stderr


def damage_format(file):
    file.attrs["format"] = "openPMD"


def damage_format_type(file):
    file.attrs["format"] = numpy.bytes_("openPMD")


def damage_version(file):
    file.attrs["format_version"] = 99


def damage_steps(file):
    file["committed_steps"][3] = 7


def damage_rows(file):
    file["series/ras.safety"].resize(4, axis=0)


def damage_type(file):
    del file["series/ras.safety"]
    file["series/ras.safety"] = [b"text"] * 13


def damage_group(file):
    del file["series"]


@pytest.mark.parametrize(
    "damage, says",
    [
        (damage_format, "is not a run recorded by RIMscope"),
        (damage_format_type, "is not a run recorded by RIMscope"),
        (damage_version, "format version 99"),
        (damage_steps, "'committed_steps' does not rise"),
        (damage_rows, "fewer rows than were committed"),
        (damage_type, "where numbers are expected"),
        (damage_group, "has no 'series'"),
    ],
)
def test_a_wrong_file_is_refused_by_one_line(copy, damage, says):
    with h5py.File(copy / "run.h5", "r+") as file:
        damage(file)
    done = report(copy)
    assert done.returncode == 65
    assert says in done.stderr and "run.h5" in done.stderr and done.stderr.count("\n") == 1


def replaced(file, name, values):
    del file[name]
    file[name] = values


def empty_rows(file, *names):
    for name in names:
        del file[name]
        file.create_dataset(name, shape=(13, 0), dtype="f8", maxshape=(None, None), chunks=(1, 1))


ODD_SHAPES = {
    "layers are NaN": lambda file: replaced(file, "static/neurons.safety.layer", numpy.array([numpy.nan, 5e6, 3.0])),
    "layers are infinite": lambda file: replaced(file, "static/neurons.safety.layer", numpy.array([numpy.inf, 1.0])),
    "NaN after a layer": lambda file: replaced(file, "static/neurons.safety.layer", numpy.array([2.0, numpy.nan])),
    "a layer beyond reason": lambda file: replaced(file, "static/neurons.safety.layer", numpy.array([5e6])),
    "half a layer": lambda file: replaced(file, "static/neurons.safety.layer", numpy.array([0.5])),
    "layers below zero": lambda file: replaced(file, "static/neurons.safety.layer", numpy.array([-5, -3])),
    "a scalar layer": lambda file: replaced(file, "static/neurons.safety.layer", 3),
    "many layers": lambda file: replaced(file, "static/neurons.per_layer", numpy.zeros((1000, 1000))),
    "no p": lambda file: empty_rows(file, "series/ras.p"),
    "no draws": lambda file: empty_rows(file, "series/ras.control", "series/ras.control.d_safe"),
    "no verdicts": lambda file: empty_rows(file, "series/behaviour.harmful.on.verdict"),
    "no rates": lambda file: empty_rows(file, *(f"series/behaviour.harmful.on.refused{bound}"
                                                for bound in ("", ".low", ".high"))),
    "no bounds": lambda file: empty_rows(file, "series/behaviour.harmful.on.refused.low"),
    "no scores": lambda file: empty_rows(file, *(f"series/behaviour.harmful.on.refusal_score{end}"
                                                 for end in ("", ".mean"))),
    "no overlap": lambda file: empty_rows(file, "series/neurons.overlap"),
    "no set": lambda file: empty_rows(file, "series/ras.safety"),
    "draws without an axis": lambda file: replaced(file, "series/ras.control", numpy.zeros(13)),
    "a rate by prompt": lambda file: replaced(file, "series/behaviour.harmful.on.refused", numpy.zeros((13, 4))),
    "no sizes": lambda file: replaced(file, "static/ras.safety.harmful_magnitude", numpy.zeros(0)),
    "no pairs": lambda file: replaced(file, "static/neurons.pairs_raised", numpy.zeros(0)),
    "a part without its whole": lambda file: file.__delitem__("series/ras.safety"),
}


@pytest.mark.parametrize("damage", ODD_SHAPES)
def test_odd_shapes_are_not_drawn_and_crash_nothing(copy, damage):
    with h5py.File(copy / "run.h5", "r+") as file:
        ODD_SHAPES[damage](file)
    done = report(copy)
    assert done.returncode == 0, done.stderr
    page = (copy / "report.html").read_text()
    assert 'data-series="behaviour.task.on.accuracy"' in page, "the rest is drawn"


def test_a_truncated_file_is_refused(copy):
    size = os.path.getsize(copy / "run.h5")
    for share in (0.0, 0.1, 0.5, 0.99):
        os.truncate(copy / "run.h5", int(size * share))
        shutil.copy(copy / "run.h5", copy / "short.h5")
        done = report(copy)
        assert done.returncode == 65 and done.stderr.count("\n") == 1
        shutil.copy(copy / "short.h5", copy / "run.h5")


def test_a_missing_file_is_named(tmp_path):
    done = report(tmp_path)
    assert done.returncode == 66 and "run.h5" in done.stderr


def test_a_size_beyond_reason_is_refused_before_memory_is_taken(copy):
    with h5py.File(copy / "run.h5", "r+") as file:
        file["series/ras.safety"].resize(1 << 30, axis=0)
    done = report(copy)
    assert done.returncode == 65 and "far more values than it stores" in done.stderr


def test_flipped_bytes_never_crash_the_reader(run_folder, tmp_path):
    # Behind the first page: HDF5 1.10 itself may crash on damage within the root object's attributes.
    whole = (run_folder / "run.h5").read_bytes()
    draw = random.Random(3)
    outcomes = set()
    for _ in range(60):
        broken = bytearray(whole)
        for _ in range(20):
            broken[draw.randrange(4096, draw.choice([65536, 262144, len(whole)]))] = draw.randrange(256)
        (tmp_path / "run.h5").write_bytes(broken)
        done = report(tmp_path)
        assert done.returncode in (0, 65), done
        assert done.stderr.count("\n") == (done.returncode == 65)
        outcomes.add(done.returncode)
    assert outcomes == {0, 65}
