"""The rules of the house that a machine can see: who may include whom, which
file owns which library, what a file exports, how long a function may be.

SPDX-License-Identifier: Apache-2.0
"""
import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ARCHIVES = sorted((ROOT / "build/release").glob("libstoker_*.a"))

LONGEST_FUNCTION = 60
LONGEST_FILE = 800
LONGEST_LINE = 100

# Folder of the includer -> what a quoted include may begin with.
BASE, DATA, FLOW = "agent/base/", "agent/data/", "agent/flow/"
MAY_INCLUDE = {
    "agent/base": [BASE],
    "agent/data": [BASE, DATA],
    "agent/flow": [BASE, DATA, FLOW],
    "inputs": [BASE, DATA, FLOW, "inputs/"],
    "parsers": [BASE, DATA, "agent/flow/parser.h", "parsers/"],
    "outputs": [BASE, DATA, FLOW, "outputs/"],
    "agent": ["agent/", "inputs/", "parsers/", "outputs/"],
    "agent/cli": ["agent/", "inputs/", "parsers/", "outputs/"],
}

# Library header -> the only files that may include it.
OWNERS = {
    r"yaml\.h": r"agent/tree\.c",
    r"sqlite3\.h": r"agent/flow/checkpoint\.c",
    r"pcre2\.h": r"agent/data/pattern\.c",
    r"iconv\.h": r"agent/data/encoding\.c",
    r"zlib\.h": r"inputs/file_bytes\.c",
    r"librdkafka/.*": r"outputs/kafka\w*\.[ch]",
    r"uv\.h": r"(agent/flow|inputs|outputs|agent|agent/cli)/[^/]+",
}


def files(*patterns):
    return sorted({path for pattern in patterns for path in ROOT.glob(pattern)
                   if path.is_file() and ROOT / "build" not in path.parents})


def name(path):
    return str(path.relative_to(ROOT))


def product():
    return files("agent/**/*.[ch]", "inputs/**/*.[ch]", "parsers/**/*.[ch]", "outputs/**/*.[ch]")


def c_files():
    return product() + files("tests/**/*.[ch]")


def scripts():
    return [path for path in files("packaging/*", "tests/run", ".ci/run", "tests/**/*.py")
            if path.suffix == ".py" or path.read_bytes().startswith(b"#!")]


def lines(path):
    return enumerate(path.read_text().splitlines(), 1)


def includes(path):
    """(line, style, header) of every include; style is < or \"."""
    for number, line in lines(path):
        if match := re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line):
            yield number, *match.groups()


def nothing(broken):
    assert not broken, "\n" + "\n".join(broken)


def test_there_is_something_to_look_at():
    assert len(product()) > 40 and len(c_files()) > len(product()) and len(scripts()) > 10


def test_layers_include_only_what_lies_below_them():
    nothing([f"{name(path)}:{number}: may not include {header}"
             for path in product() for number, style, header in includes(path)
             if style == '"' and not header.startswith(tuple(MAY_INCLUDE[name(path.parent)]))])


def test_each_library_is_included_in_one_place():
    nothing([f"{name(path)}:{number}: <{header}> belongs to {owner}"
             for path in product() for number, style, header in includes(path)
             for library, owner in OWNERS.items()
             if style == "<" and re.fullmatch(library, header)
             and not re.fullmatch(owner, name(path))])


def test_every_folder_is_one_library_that_is_linked_to_what_it_may_include():
    """A parser sees one header of the flow, and none of its code."""
    layers = re.findall(r"^stoker_layer\((\w+) ([^\s)]+)([^)]*)\)",
                        (ROOT / "CMakeLists.txt").read_text(), re.M)
    assert [folder for _, folder, _ in layers] == list(MAY_INCLUDE)
    folders = {library: folder for library, folder, _ in layers}
    for library, folder, links in layers:
        for other in filter(folders.get, links.split()):
            assert any(f"{folders[other]}/".startswith(prefix)
                       for prefix in MAY_INCLUDE[folder]), f"{library} is linked to {other}"


def test_includes_are_written_from_the_root():
    nothing([f"{name(path)}:{number}: there is no {header} at the root"
             for path in c_files() for number, style, header in includes(path)
             if style == '"' and not (ROOT / header).is_file()])


def test_only_the_registry_names_plugins():
    """A plugin declares its own, once, to define it."""
    nothing([f"{name(path)}:{number}: {line.strip()}"
             for path in product() for number, line in lines(path)
             for plugin in re.findall(r"\bextern\b.*?\b(\w+)_(?:input|parser|output)_type\b", line)
             if path != ROOT / "agent/registry.c" and path.stem != plugin])


def prefixes(source):
    """What a file may export: `window.c` window_..., `checkpoint.c` checkpoints_... too; the
    files of one family (`kafka_lane.c`) share its name; and what OTHER_NOUNS says."""
    stem = Path(source).stem
    yield from (f"{stem}_", f"{stem}s_", stem, f"{stem.partition('_')[0]}_")
    if stem.endswith("s"):
        yield f"{stem[:-1]}_"
    yield from OTHER_NOUNS.get(stem, ())


# Settings tables are named after what they fill, a worker's scratch after itself.
OTHER_NOUNS = {"encoding": ["decoder_"], "field": ["type_fields"], "transform": ["scratch_"],
               "config": ["agent_"]}


def exported():
    """(library, file, symbol) of every global symbol of the release build."""
    text = subprocess.run(["nm", "-A", "-g", "--defined-only", *ARCHIVES], check=True,
                          capture_output=True, text=True).stdout
    for line in text.splitlines():
        library, _, rest = line.partition(":")
        member, _, rest = rest.partition(":")
        if rest:
            yield Path(library).name, member.removesuffix(".o"), rest.split()[-1]


@pytest.mark.skipif(not ARCHIVES, reason="build/release is not built")
def test_a_file_exports_only_its_own_prefix():
    nothing([f"{library}: {source} exports {symbol}" for library, source, symbol in exported()
             if not symbol.startswith(("cli_", *prefixes(source)))])


def test_functions_fit_a_screen():
    broken = []
    for path in c_files():
        opened = None
        for number, line in lines(path):
            if line.startswith("{"):
                opened = number
            elif line.startswith("}") and opened:
                if number - opened > LONGEST_FUNCTION:
                    broken.append(f"{name(path)}:{opened}: {number - opened} lines")
                opened = None
    nothing(broken)


def test_files_are_one_room_each():
    """A test may be long: it is a list of cases, not a mechanism."""
    nothing([f"{name(path)}: {count} lines" for path in c_files() + scripts()
             if not name(path).startswith("tests/")
             and (count := len(path.read_text().splitlines())) > LONGEST_FILE])


def test_lines_are_not_too_long_and_hold_no_tabs():
    nothing([f"{name(path)}:{number}: {len(line)} columns" if len(line) > LONGEST_LINE else
             f"{name(path)}:{number}: a tab or a blank at the end"
             for path in c_files() + scripts() for number, line in lines(path)
             if len(line) > LONGEST_LINE or "\t" in line or line != line.rstrip()])


def test_every_source_file_names_its_licence():
    nothing([name(path) for path in c_files() + scripts()
             if "SPDX-License-Identifier: Apache-2.0" not in path.read_text()])


def test_nothing_is_left_open_in_the_code():
    words = re.compile("|".join(rf"\b{word}\b" for word in ("TO" "DO", "FIX" "ME", "X" "XX",
                                                            "HA" "CK")))
    nothing([f"{name(path)}:{number}: {line.strip()}"
             for path in c_files() + scripts() for number, line in lines(path)
             if words.search(line)])


def test_structs_have_no_typedef():
    nothing([f"{name(path)}:{number}: {line.strip()}"
             for path in c_files() for number, line in lines(path)
             if re.match(r"\s*typedef\s+(struct|union|enum)\b[^(]*$", line)])


def test_every_header_is_guarded_by_its_path():
    broken = []
    for path in files("agent/**/*.h", "inputs/**/*.h", "parsers/**/*.h", "outputs/**/*.h"):
        guard = re.sub(r"[^A-Z0-9]", "_", name(path).upper())
        if f"#ifndef {guard}\n#define {guard}\n" not in path.read_text():
            broken.append(f"{name(path)}: wants {guard}")
    nothing(broken)


def test_asserts_have_no_side_effects_and_stay_on():
    assert "NDEBUG" not in (ROOT / "CMakeLists.txt").read_text()
    nothing([f"{name(path)}:{number}: {line.strip()}"
             for path in product() for number, line in lines(path)
             if re.search(r"\bassert\(.*(\+\+|--|[^=!<>]=[^=])", line)])


def test_the_release_build_has_its_asserts():
    program = ROOT / "build/release/stoker"
    if not program.exists():
        pytest.skip("there is no build/release/stoker")
    needs = subprocess.run(["nm", "-D", program], capture_output=True, text=True, check=True)
    assert "__assert_fail" in needs.stdout


def test_there_is_a_preset_for_every_kind_of_build():
    presets = json.loads((ROOT / "CMakePresets.json").read_text())
    settings = {p["name"]: p.get("cacheVariables", {}) for p in presets["configurePresets"]}
    assert settings["release"]["CMAKE_BUILD_TYPE"] == "Release"
    assert settings["debug"]["CMAKE_BUILD_TYPE"] == "Debug"
    assert settings["asan"]["STOKER_SANITIZE"] == "address,undefined"
    assert settings["tsan"]["STOKER_SANITIZE"] == "thread"
    assert settings["fuzz"]["STOKER_FUZZ"] == "ON"


def test_every_fuzzer_has_a_corpus():
    programs = {path.stem.removeprefix("fuzz_") for path in files("tests/fuzz/fuzz_*.c")}
    corpora = {path.parent.name for path in files("tests/fuzz/corpus/*/*")}
    assert programs == corpora


def test_every_parser_has_a_fuzzer():
    type_ = re.compile(r"^const struct parser_type (\w+)_parser_type", re.M)
    parsers = {found for path in files("parsers/*.c") for found in type_.findall(path.read_text())}
    assert len(parsers) == 7
    nothing([parser for parser in sorted(parsers)
             if not (ROOT / f"tests/fuzz/fuzz_{parser}.c").exists()])


def test_every_unit_test_file_is_built():
    """The globs of tests/CMakeLists.txt know these folders only."""
    known = {"base", "data", "flow", "inputs", "parsers", "outputs", "agent"}
    nothing([name(path) for path in files("tests/unit/**/*.c") if path.parent.name not in known])
