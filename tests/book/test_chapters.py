"""Every chapter is executed, checked, parametrised from the contract, and follows the skeleton."""

import re

import nbformat
import pytest

from checked_table import differences, stored_faults
from conftest import ROOT
from qdgain.book import notebooks
from qdgain.book.notebooks import parameters_cell
from qdgain.chapters import CHAPTERS as NAMES
from qdgain.chapters import name_of
from qdgain.figures.modules import MODULES
from qdgain.model import parameters
from regression import HEADLINES, stored

CHAPTERS = notebooks.chapters()
WITH_FIGURE = [c for c in CHAPTERS if name_of(c) in MODULES]
SKELETON = [
    "What the paper shows",
    "Checked numbers",
    "Run it with your own dot",
]
SKELETON_BEYOND = [
    "The question",
    "The result",
    "What would change it",
    "Checked numbers",
    "Run it with your own dot",
]
MOST_WORDS = 900
FIGURES = [f"fig{number:02d}" for number in (6, 7, 8, 9, 10)]


def read(chapter):
    return nbformat.read(chapter, as_version=4)


def code_cells(chapter):
    return [cell for cell in read(chapter).cells if cell.cell_type == "code"]


def by_stem(chapter):
    return chapter.stem


def words_unfolded(chapter):
    """Return how many words a reader meets: no folds, tables or commands, a formula as one word."""
    cells = (cell.source for cell in read(chapter).cells if cell.cell_type == "markdown")
    prose = re.sub(r"(?ms)^(:::\{dropdown\}.*?^:::|```.*?^```)\s*$", "", "\n\n".join(cells))
    prose = re.sub(r"\{[\w:+-]+\}`[^`]*`|\$[^$]*\$", "W", prose)
    return sum(len(line.split()) for line in prose.splitlines() if not line.startswith("|"))


@pytest.mark.parametrize("chapter", CHAPTERS, ids=by_stem)
def test_a_chapter_is_read_in_a_few_minutes(chapter):
    assert words_unfolded(chapter) <= MOST_WORDS, "fold what is not the argument"


def test_every_figure_of_the_paper_has_its_chapter():
    assert [name_of(c) for c in CHAPTERS if c.stem.startswith("fig")] == FIGURES


def test_every_chapter_has_its_figure_module():
    assert tuple(MODULES) == NAMES
    assert {name_of(c) for c in WITH_FIGURE} == set(NAMES)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=by_stem)
def test_chapter_is_executed_in_order_and_keeps_its_checked_table_alone(chapter):
    assert list(stored_faults(read(chapter))) == [], "run make refresh"


def never_run(cells, checked):
    for cell in cells:
        cell.execution_count, cell.outputs = None, []


def strip_the_table(cells, checked):
    checked.outputs = []


def empty_the_table(cells, checked):
    checked.outputs[0]["data"]["text/plain"] = ""


def keep_its_head_alone(cells, checked):
    table = checked.outputs[0]["data"]["text/plain"]
    checked.outputs[0]["data"]["text/plain"] = table.splitlines()[0]


def lose_the_tag(cells, checked):
    checked.metadata["tags"].remove(notebooks.CHECKED)


def run_a_cell_again(cells, checked):
    cells[-1].execution_count += 1


def store_another_output(cells, checked):
    cells[0].outputs = [nbformat.v4.new_output("stream", text="a warning")]


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (never_run, "not executed"),
        (never_run, "its checked table is not stored, but 0 outputs"),
        (strip_the_table, "its checked table is not stored, but 0 outputs"),
        (empty_the_table, "its checked table is not stored, but 1 outputs"),
        (keep_its_head_alone, "its checked table is not stored"),
        (lose_the_tag, "0 cells are tagged"),
        (run_a_cell_again, "not executed"),
        (store_another_output, "other outputs"),
    ],
    ids=lambda value: getattr(value, "__name__", "said"),
)
def test_a_chapter_that_would_compare_nothing_is_found(spoil, sentence):
    for chapter in CHAPTERS:
        notebook = read(chapter)
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        (checked,) = (cell for cell in cells if notebooks.CHECKED in notebooks.tags(cell))
        spoil(cells, checked)
        assert any(sentence in fault for fault in stored_faults(notebook)), chapter.stem


def moved(cells, checked):
    table = checked.outputs[0]["data"]["text/plain"]
    checked.outputs[0]["data"]["text/plain"] = re.sub(r"\d(?=\n|$)", "x", table, count=1)


def moved_in_html(cells, checked):
    checked.outputs[0]["data"]["text/html"] += " "


def run_another_cell(cells, checked):
    cells[0].source += "\n1"


def print_more(cells, checked):
    checked.outputs.append(nbformat.v4.new_output("stream", text="more"))


@pytest.mark.parametrize(
    "spoil", [moved, moved_in_html, run_another_cell, print_more, strip_the_table, empty_the_table]
)
@pytest.mark.parametrize("chapter", CHAPTERS, ids=by_stem)
def test_a_run_that_does_not_show_the_stored_table_is_found(chapter, spoil):
    stored, executed = read(chapter), read(chapter)
    assert list(differences(stored, executed)) == []
    cells = [cell for cell in executed.cells if cell.cell_type == "code"]
    (checked,) = (cell for cell in cells if notebooks.CHECKED in notebooks.tags(cell))
    spoil(cells, checked)
    assert len(list(differences(stored, executed))) == 1


@pytest.mark.parametrize("chapter", WITH_FIGURE, ids=by_stem)
def test_parameters_cell_is_the_contracts(chapter):
    module = MODULES[name_of(chapter)]
    (cell,) = [c for c in code_cells(chapter) if "parameters" in notebooks.tags(c)]
    assert cell.source == parameters_cell(module.SETTINGS), "run make refresh"
    namespace = {}
    exec(cell.source, namespace)
    for name in module.SETTINGS:
        assert namespace[name] == parameters.CONTRACT[name].default
    for name in parameters.DOT_PARAMETERS:
        assert namespace[name] is None


@pytest.mark.parametrize("chapter", WITH_FIGURE, ids=by_stem)
def test_chapter_follows_the_skeleton(chapter):
    text = "\n".join(cell.source for cell in read(chapter).cells if cell.cell_type == "markdown")
    sections = re.findall(r"^## (.+)$", text, re.MULTILINE)
    skeleton = SKELETON if chapter.stem.startswith("fig") else SKELETON_BEYOND
    assert [s for s in sections if s in skeleton] == skeleton
    assert "https://arxiv.org/abs/2510.01199" in text
    last = code_cells(chapter)[-1]
    assert "explorer(" in last.source
    assert "remove-cell" in notebooks.tags(last)


@pytest.mark.parametrize("chapter", WITH_FIGURE, ids=by_stem)
def test_every_figure_is_drawn_once_with_name_caption_and_alt_text(chapter):
    module = MODULES[name_of(chapter)]
    drawn = []
    for cell in code_cells(chapter):
        called = re.findall(rf"chapter\.draw\({name_of(chapter)}, \"(\w+)\", run\)", cell.source)
        drawn += called
        if called:
            shown = cell.metadata["mystnb"]
            assert shown["figure"]["name"]
            assert len(shown["figure"]["caption"]) > 30
            assert len(shown["image"]["alt"]) > 60
    assert sorted(drawn) == sorted(module.FIGURES)


@pytest.mark.parametrize("chapter", WITH_FIGURE, ids=by_stem)
def test_cells_call_and_do_not_compute(chapter):
    for cell in code_cells(chapter):
        assert "numpy" not in cell.source
        assert not re.search(r"^(def|class|for|while) ", cell.source, re.MULTILINE)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=by_stem)
def test_numbers_in_the_prose_come_from_code(chapter):
    """Numbers the model computes are glued; only the paper's own and literature's are typed."""
    for cell in read(chapter).cells:
        if cell.cell_type != "markdown":
            continue
        prose = re.sub(r"```.*?```|`[^`]*`|\$[^$]*\$|\([^)]*\)", " ", cell.source, flags=re.DOTALL)
        # Four or more digits in a row behind a decimal point can only be a computed number.
        assert not re.search(r"\d\.\d{4,}", prose), cell.source[:80]


def test_every_glued_number_is_computed():
    for chapter in WITH_FIGURE:
        keys = set(stored(name_of(chapter))["figures"][HEADLINES])
        text = "\n".join(c.source for c in read(chapter).cells if c.cell_type == "markdown")
        used = set(re.findall(r"\{glue:text\}`([^`:]+)`", text))
        assert used <= keys, f"{chapter.stem}: {sorted(used - keys)}"
        assert len(used) > 4, f"{chapter.stem}: its prose has next to no computed numbers"


def test_readme_and_makefile_speak_of_the_same_commands():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    used = set(re.findall(r"make ([a-z]+)", readme))
    assert {"book", "test"} <= used <= targets
