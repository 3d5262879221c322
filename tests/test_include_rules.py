"""docs/architecture.md's table of who may include whom, checked against every #include in the tree."""
import os
import pathlib
import re

import pytest

SOURCE = pathlib.Path(os.environ.get("RIMSCOPE_SOURCE", pathlib.Path(__file__).parents[1]))
ROOMS = ["data", "trainer", "monitors", "launch"]
# External headers that only the named folders may include.
CONFINED = {
    r"^(H5|hdf5)": ["monitors/recorder", "launch/verbs"],
    r"^yaml-cpp/": ["launch"],
    r"^boost/program_options": ["launch"],
    r"^boost/math": ["monitors/statistics"],
    r"^mpi\.h$": ["trainer/parallel", "launch/verbs"],
    r"^nccl": ["trainer/parallel/nccl"],
    r"^(ATen|torch|c10|caffe2)/": ["trainer", "monitors/core", "monitors/builtin", "launch"],
    r"^openssl/": ["data/support"],
    r"^unicode/": ["data/tokenizer"],
    r"^pcre2": ["data/tokenizer"],
}


def allowed_rooms():
    """The rows "| `trainer/loop` | `data/examples`, ... |" of docs/architecture.md."""
    rules = {}
    for line in (SOURCE / "docs/architecture.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 3 and re.fullmatch(r"`\w+/\w+`", cells[0]):
            rules[cells[0].strip("`")] = set(re.findall(r"`(\w+/\w+)`", cells[2]))
    return rules


def includes():
    for room in ROOMS:
        for path in sorted((SOURCE / room).rglob("*")):
            if path.suffix not in {".h", ".cpp"}:
                continue
            for number, line in enumerate(path.read_text().splitlines(), 1):
                match = re.match(r'\s*#include\s+[<"]([^">]+)[">]', line)
                if match:
                    yield path.relative_to(SOURCE), number, match.group(1)


def folder_of(path):
    parts = pathlib.PurePath(path).parts
    return "/".join(parts[:2]) if len(parts) > 2 else parts[0]


def test_every_folder_has_a_row():
    rules = allowed_rooms()
    folders = {folder_of(path) for path, _, _ in includes()} - {"launch"}
    assert folders == set(rules), "docs/architecture.md's table and the tree name different folders"


def test_project_includes_follow_the_table():
    rules = allowed_rooms()
    wrong = []
    for path, number, target in includes():
        if target.split("/")[0] not in ROOMS:
            continue
        source, goal = folder_of(path), folder_of(target)
        if source != goal and not source.startswith("launch") and goal not in rules[source]:
            wrong.append(f"{path}:{number}: {source} may not include {target}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("pattern", CONFINED)
def test_every_confined_header_is_included_somewhere(pattern):
    """A pattern that matches nothing guards nothing."""
    assert any(re.search(pattern, target) for _, _, target in includes())


@pytest.mark.parametrize("pattern", CONFINED)
def test_external_headers_stay_in_their_folders(pattern):
    wrong = [
        f"{path}:{number}: {target}"
        for path, number, target in includes()
        if re.search(pattern, target) and not any(str(path).startswith(place + "/") for place in CONFINED[pattern])
    ]
    assert not wrong, "\n".join(wrong)


def test_every_project_include_exists():
    missing = [
        f"{path}:{number}: {target}"
        for path, number, target in includes()
        if target.split("/")[0] in ROOMS and not (SOURCE / target).is_file()
    ]
    assert not missing, "\n".join(missing)


def test_no_two_headers_define_a_type_of_one_name():
    """All share one namespace: the linker would join their inline functions and call the wrong ones, without a word."""
    headers = {}
    for room in ROOMS:
        for path in sorted((SOURCE / room).rglob("*.h")):
            for name in re.findall(r"^(?:struct|class|enum class) (\w+)(?: final)?(?: : [^;\n]*)? \{", path.read_text(), re.MULTILINE):
                headers.setdefault(name, []).append(str(path.relative_to(SOURCE)))
    assert len(headers) > 50
    assert not {name: paths for name, paths in headers.items() if len(paths) > 1}
