"""What a user may ask for: every refusal is one sentence, before anything runs or is written."""

import json
import math
import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdgain.chapters import CHAPTERS
from qdgain.model import parameters
from qdgain.model.parameters import CONTRACT, ParameterError
from qdgain.reruns.request import chapters_named, names_of, read_file, request, users_of, value_of
from qdgain.run import resolve

NUMBERS = [p for p in CONTRACT.values() if p.kind in ("number", "integer")]
BAD_NUMBERS = [
    "nan",
    "inf",
    "-inf",
    "infinity",
    "",
    " ",
    "60 meV",
    "60meV",
    "6_0",
    "1e999",
    "1" + "0" * 400,
    "6,0",
    "0x10",
    "1+1",
    "__import__('os').system('true')",
    "٦٠",
    "None",
    "true",
    "[60]",
]


def refusal_of(*arguments, **keywords):
    with pytest.raises(ParameterError) as refused:
        request(*arguments, **keywords)
    sentence = str(refused.value)
    assert "\n" not in sentence
    assert sentence.endswith((".", "?"))
    return sentence


@pytest.mark.parametrize("text", BAD_NUMBERS, ids=lambda t: t[:12])
def test_text_that_is_no_number_is_refused(text):
    for entry in NUMBERS:
        chapter = users_of(CHAPTERS)[entry.name][:1]
        sentence = refusal_of(chapter, (), [f"{entry.name}={text}"])
        assert sentence.startswith(f"{entry.name} = ")
        assert entry.allowed in sentence


@given(st.sampled_from(NUMBERS), st.data())
def test_numbers_of_the_contract_come_through_as_typed(entry, data):
    if entry.kind == "integer":
        value = data.draw(st.integers(int(entry.minimum), int(entry.maximum)))
    else:
        value = data.draw(st.floats(entry.minimum, entry.maximum))
    assert value_of(entry, repr(value)) == value
    chapter = users_of(CHAPTERS)[entry.name][:1]
    try:
        asked = request(chapter, (), [f"{entry.name}={value!r}"])
    except ParameterError as refusal:
        # Only what does not go together with the other values may still be refused.
        assert entry.name not in str(refusal).split("=")[0]  # noqa: PT017
    else:
        assert asked.given[entry.name] == value
        assert asked.run(chapter[0]).parameters()[entry.name] == value


@given(st.sampled_from(NUMBERS), st.floats(allow_nan=True, allow_infinity=True))
def test_numbers_outside_the_contract_are_refused(entry, value):
    inside = math.isfinite(value) and entry.minimum <= value <= entry.maximum
    if inside and (entry.kind == "number" or value == math.floor(value)):
        return
    chapter = users_of(CHAPTERS)[entry.name][:1]
    assert refusal_of(chapter, (), [f"{entry.name}={value!r}"]).startswith(entry.name)


@pytest.mark.parametrize("entry", [p for p in CONTRACT.values() if p.choices], ids=lambda p: p.name)
def test_a_word_is_one_of_the_choices(entry):
    chapter = users_of(CHAPTERS)[entry.name][:1]
    for choice in entry.choices:
        assert request(chapter, (), [f"{entry.name}={choice}"]).given[entry.name] == choice
    for bad in ("", "Rabi ", "rabbi", "1"):
        assert ", ".join(entry.choices) in refusal_of(chapter, (), [f"{entry.name}={bad}"])


def test_a_misspelt_name_is_told_its_neighbour():
    sentence = refusal_of(("fig08",), (), ["stokes_shift_mev=60"])
    assert sentence == ("stokes_shift_mev is not a parameter here: did you mean stokes_shift_meV?")


def test_a_parameter_of_another_chapter_is_told_where_it_belongs():
    sentence = refusal_of(("fig06",), (), ["host_index=1.4"])
    assert sentence == "host_index is not a parameter here: fig10 has it."


@pytest.mark.parametrize(
    ("assignments", "part"),
    [
        (["stokes_shift_meV"], "write name=value"),
        (["=60"], "write name=value"),
        (["stokes_shift_meV=60", "stokes_shift_meV=70"], "given twice: 60 and 70"),
        (["stokes_shift_meV=2000"], "a number from 0 to 1000 meV"),
        (["seed=1.5"], "a whole number"),
        (["x1_spectra_csv=nowhere.csv"], "nowhere.csv"),
    ],
)
def test_assignments_that_cannot_be_are_refused(assignments, part):
    assert part in refusal_of(CHAPTERS, (), assignments)


def test_a_chapter_that_is_none_is_told_its_neighbour():
    with pytest.raises(ParameterError, match="did you mean fig08"):
        chapters_named("fig8")
    with pytest.raises(ParameterError, match="give fig06"):
        chapters_named("zzz")
    assert chapters_named("all") == CHAPTERS


def test_all_takes_the_union_and_each_chapter_its_own():
    asked = request(CHAPTERS, (), ["stokes_shift_meV=60", "gain_exponent=100"])
    for chapter in CHAPTERS:
        mine = asked.of(chapter)
        assert mine["stokes_shift_meV"] == 60
        assert ("gain_exponent" in mine) == ("gain_exponent" in names_of(chapter))


FILES = {
    "dot.toml": "stokes_shift_meV = 60\nstatistics = 'poisson'\n[uncertainty]\nfloor = 2\n",
    "dot.yaml": "stokes_shift_meV: 60\nstatistics: poisson\norigin: {stokes_shift_meV: measured}\n",
    "dot.json": json.dumps({"stokes_shift_meV": 60, "statistics": "poisson"}),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_parameter_file_works_like_assignments(name, mark, tmp_path):
    path = tmp_path / name
    path.write_text(mark + FILES[name], encoding="utf-8")
    asked = request(("fig08",), [path])
    assert asked == request(("fig08",), (), ["stokes_shift_meV=60", "statistics=poisson"])
    # What is typed wins over what is in a file.
    assert request(("fig08",), [path], ["stokes_shift_meV=70"]).given["stokes_shift_meV"] == 70


def test_yaml_numbers_are_what_they_look_like(tmp_path):
    path = tmp_path / "dot.yaml"
    path.write_text("stokes_shift_meV: 6e1\nfloor: 1e-3\n", encoding="utf-8")
    assert read_file(path) == {"stokes_shift_meV": 60.0, "floor": 1e-3}


@pytest.mark.parametrize(
    ("name", "text", "part"),
    [
        ("dot.txt", "stokes_shift_meV = 60", ".toml, .yaml"),
        ("dot.toml", "stokes_shift_meV 60", "not TOML"),
        ("dot.toml", "floor = 1\nfloor = 2", "not TOML"),
        ("dot.yaml", "floor: 0.1\nfloor: 0.2", "floor stands twice (line 2)"),
        ("dot.yaml", "floor: [", "not YAML"),
        ("dot.yaml", "!!python/object/apply:os.system ['true']", "not YAML"),
        ("dot.yaml", "just words", "not a table"),
        ("dot.json", '{"floor": 1, "floor": 2}', "stands twice"),
        ("dot.json", "[1]", "not a table"),
        ("dot.json", '{"qdgain_run_card": 99, "given": {}}', "run card of format"),
        ("dot.toml", "stokes_shift_meV = '60'", "stokes_shift_meV = '60' is not allowed"),
        ("dot.yaml", "stokes_shift_meV: 60 meV", "is not allowed"),
        ("dot.toml", "stokes_shift_meV = nan", "is not allowed"),
        ("dot.toml", "stokes_shift_meV = true", "is not allowed"),
        ("dot.toml", "stokes_shift_meV = [60, 70]", "is not allowed"),
        ("dot.toml", "stokes_shift_meV = 1979-05-27", "is not allowed"),
        ("dot.yaml", "1: 2", "1 is not a parameter here"),
        ("dot.toml", "[stokes_shift_meV]\nvalue = 60", "is not allowed"),
        ("dot.toml", "linewidth = 60", "did you mean linewidth_meV"),
    ],
)
def test_files_that_cannot_be_used_are_refused(name, text, part, tmp_path):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    assert part in refusal_of(("fig08",), [path])


def test_files_that_are_no_text_are_refused(tmp_path):
    for name, content in (("a.toml", b"\xff\xfe"), ("b.toml", b"# " + b"x" * 2_000_000)):
        path = tmp_path / name
        path.write_bytes(content)
        assert name in refusal_of(("fig08",), [path])
    assert "cannot be opened" in refusal_of(("fig08",), [tmp_path / "missing.toml"])
    assert "cannot be opened" in refusal_of(("fig08",), [tmp_path.with_suffix(".toml")])


def test_differences_name_what_is_not_the_papers():
    assert resolve(("floor",), {}).differences() == ()
    run = resolve(("floor",), {"stokes_shift_meV": 60.0, "floor": 0.01})
    (difference,) = run.differences()
    assert difference.name == "stokes_shift_meV"
    assert difference.paper == CONTRACT["stokes_shift_meV"].default
    assert difference.here == 60.0
    assert resolve(("floor",), {"floor": 0.02}).differences()[0].name == "floor"


def test_every_parameter_belongs_to_some_chapter():
    assert set(users_of(CHAPTERS)) == set(CONTRACT)
    assert set(parameters.DOT_PARAMETERS) <= set(names_of("fig08"))


# --- numbers in YAML, and files that are made to take long


def in_yaml(text, folder):
    path = folder / "dot.yaml"
    path.write_text(f"stokes_shift_meV: {text}\n", encoding="utf-8")
    return request(("fig08",), [path]).given["stokes_shift_meV"]


@pytest.mark.parametrize(
    "text",
    ["060", "+060", "00", "1:30", "-1:30", "12:30:45", "1:30.5", "0x3c", "0b11", "0o17", "1_0"],
)
def test_a_number_that_yaml_readers_disagree_on_is_refused_with_what_to_write(text, tmp_path):
    with pytest.raises(ParameterError, match="in decimal digits, such as 60") as refused:
        in_yaml(text, tmp_path)
    assert f"{text} (line 1)" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "number"), [("60", 60), ("+60", 60), ("60.", 60), (".5", 0.5), ("6e1", 60), ("0", 0)]
)
def test_a_decimal_number_in_yaml_is_that_number(text, number, tmp_path):
    assert in_yaml(text, tmp_path) == number


@given(st.text("0123456789.:_+-exo", min_size=1, max_size=6))
def test_yaml_takes_a_number_as_the_command_line_does_or_refuses_it(tmp_path_factory, text):
    folder = tmp_path_factory.getbasetemp()
    try:
        found = in_yaml(text, folder)
    except ParameterError:
        return
    assert found == request(("fig08",), (), [f"stokes_shift_meV={text}"]).given["stokes_shift_meV"]
    assert found == float(text)


BOMB = ", ".join(f"&a{i} [{', '.join(8 * [f'*a{i - 1}'])}]" for i in range(1, 30))
MERGED = "\n".join(f"a{i}: &a{i} {{<<: [{', '.join(6 * [f'*a{i - 1}'])}]}}" for i in range(1, 9))
NASTY = {
    "bomb.yaml": f"floor: [&a0 [x], {BOMB}]",
    "merge-bomb.yaml": f"a0: &a0 {{x: 1}}\n{MERGED}",
    "itself.yaml": "floor: &a [*a]",
    "merged.yaml": "x: &a {floor: 1}\n<<: *a",
    **{f"open.{kind}": f'{{"floor": {"[" * 100_000}' for kind in ("json", "yaml")},
    "open.toml": f"floor = {'[' * 90_000}",
    **{f"nested.{kind}": f'{{"floor": {"[" * 300}{"]" * 300}}}' for kind in ("json", "yaml")},
    "nested.toml": f"floor = {'[' * 300}{']' * 300}",
    "braces.yaml": "{" * 90_000,
    **{f"digits.{kind}": f'{{"floor": {"9" * 6000}}}' for kind in ("json", "yaml")},
    "digits.toml": f"floor = {'9' * 6000}",
    "fewer-digits.json": f'{{"floor": {"9" * 4000}}}',
    "hexadecimal.toml": f"floor = 0x{'f' * 60_000}",
    "twice.toml": f"floor = 0x{'f' * 60_000}",
    "dotted.toml": f"{'.'.join(22_000 * 'a')} = 1",
    "header.toml": f"[{'.'.join(22_000 * 'a')}]",
    "long-name.json": f'{{"{"a" * 500_000}": 1}}',
    "number-as-name.yaml": f"{'9' * 4000}: 1",
    "many.yaml": "".join(f"a{i}: 1\n" for i in range(3000)),
    "many.json": json.dumps({f"a{i}": 1 for i in range(50_000)}),
    "list-as-name.yaml": "? [a, b]\n: 1",
    "keys.yaml": "? " * 20_000,
    "dashes.yaml": "- " * 20_000,
    "large.yaml": "floor: 0.1\n" + "# much\n" * 20_000,
    "date.yaml": "floor: 2026-01-01",
    "zero\0byte.toml": "",
    "tagged.yaml": "floor: !!binary aaaa",
}


@pytest.mark.parametrize("name", NASTY)
def test_files_that_are_made_to_take_long_are_refused_at_once(name, tmp_path):
    path = tmp_path / name
    if "\0" not in name:
        path.write_text(NASTY[name], encoding="utf-8")
    began = time.process_time()
    files = [path, path] if name.startswith("twice") else [path]
    assert len(refusal_of(("fig08",), files)) < 600
    assert time.process_time() - began < 2.5


def test_a_text_that_is_too_long_is_refused_in_a_short_sentence():
    for text in ("9" * 100_000, "x" * 100_000, "0" * 100_000 + "x"):
        assert len(refusal_of(("fig08",), (), [f"floor={text}"])) < 200


def test_a_file_that_a_chapter_reads_is_looked_at_before_it_is_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path / "pipe.csv", "/dev/zero", "a\0b.csv", "~nosuchuser/a.csv", tmp_path):
        refusal_of(("fig09",), (), [f"x1_spectra_csv={path}"])
