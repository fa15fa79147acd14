"""Reruns: what is written, what is refused before anything is, and what an interrupt leaves."""

import csv
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import matplotlib
import nbformat
import psutil
import pytest

from conftest import ROOT
from qdgain import cli
from qdgain.chapters import notebook_of
from qdgain.figures import fig06
from qdgain.figures.modules import MODULES
from qdgain.ledger import joined
from qdgain.reruns import page as run_page
from qdgain.reruns import rerun
from qdgain.reruns.request import CARD, request
from qdgain.reruns.run_folder import CARD_FILE
from qdgain.run import resolve
from qdgain.text import significant
from qdgain.version import library_hash

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SET = ["-p", "stokes_shift_meV=60", "-p", "cooling_time_ps=2"]


def qdgain(*words, **keywords):
    """Run the command as a user types it."""
    return subprocess.run(
        [sys.executable, "-m", "qdgain", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        **keywords,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return the folder of one real rerun."""
    target = tmp_path_factory.mktemp("reruns") / "my-dot"
    # Short, as the names of sockets have to be.
    temporary = Path(tempfile.mkdtemp(prefix="qd"))
    # On a bad day: no home, no cache, a display that is none; where fonts are listed stays.
    bad = {"HOME": "/proc", "XDG_CACHE_HOME": "/proc/cache", "MPLBACKEND": "nonsense"}
    bad |= {"MPLCONFIGDIR": matplotlib.get_configdir(), "TMPDIR": str(temporary)}
    done = qdgain("rerun", "fig06", *SET, "-o", target, env=os.environ | bad)
    assert done.returncode == 0, done.stderr
    assert [line.split(" in ")[0] for line in done.stderr.splitlines()] == [
        "fig06: running",
        "fig06: done",
    ]
    temporary.rmdir()
    assert done.stdout == f"{target / 'index.html'}\n"
    return target


def card_of(folder):
    return json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))


def test_everything_is_there(folder):
    assert [path.name for path in folder.parent.iterdir()] == ["my-dot"]
    notebook = nbformat.read(folder / "notebook.ipynb", as_version=4)
    nbformat.validate(notebook)
    (injected,) = [c for c in notebook.cells if "injected-parameters" in c.metadata.get("tags", [])]
    assert "stokes_shift_meV = 60.0" in injected.source
    for name in fig06.FIGURES:
        for kind in ("svg", "png"):
            assert (folder / "figures" / f"fig06_{name}.{kind}").stat().st_size > 1000
        assert list((folder / "data").glob(f"fig06_{name}_*.csv"))
    for table in (folder / "data").iterdir():
        with table.open(encoding="utf-8", newline="") as stream:
            header, first, *_ = csv.reader(stream)
        assert header[0] == "series"
        assert all(re.search(r"\[.+\]$", column) for column in header[1:])
        assert len(first) == len(header)


def test_the_card_proves_what_was_run(folder):
    card = card_of(folder)
    assert card[CARD] == 1
    assert card["given"] == {"stokes_shift_meV": 60.0, "cooling_time_ps": 2.0}
    run = resolve(fig06.SETTINGS, card["given"])
    assert {name: p["value"] for name, p in card["parameters"].items()} == run.parameters()
    assert set(card["differs_from_the_paper"]) == {"stokes_shift_meV", "cooling_time_ps"}
    assert card["parameters"]["stokes_shift_meV"]["origin"] == "given"
    assert card["parameters"]["linewidth_meV"]["unit"] == "meV"
    assert card["library"]["hash"] == library_hash()
    assert card["packages"]["numpy"]
    assert card["duration_s"] > 0
    files = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    assert set(card["sha256"]) == set(files) - {CARD_FILE}
    for path, digest in card["sha256"].items():
        assert hashlib.sha256(files[path].read_bytes()).hexdigest() == digest


def test_its_numbers_are_the_librarys(folder):
    computed = {
        h.key: h.value for h in fig06.headlines(resolve(fig06.SETTINGS, card_of(folder)["given"]))
    }
    kept = {row["key"]: float(row["value"]) for row in card_of(folder)["headlines"]}
    assert kept.keys() == computed.keys()
    for key, value in kept.items():
        assert value == pytest.approx(computed[key], rel=1e-9, nan_ok=True), key


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.loads, self.links, self.images = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "img":
            self.images.append(attributes)
        if "src" in attributes:
            self.loads.append(attributes["src"])
        if tag == "link":
            self.loads.append(attributes["href"])
        if tag == "a":
            self.links.append(attributes["href"])


def test_the_page_works_from_a_plain_folder(folder):
    text = (folder / "index.html").read_text(encoding="utf-8")
    page = Page(text)
    assert "url(" not in text
    assert "<script" not in text
    assert len(page.images) == len(fig06.FIGURES)
    for image in page.images:
        assert len(image["alt"]) > 60
    for target in (*page.loads, *page.links):
        if not target.startswith("https://"):
            assert (folder / target).is_file(), target
    assert not [load for load in page.loads if "://" in load]
    assert "{glue" not in text
    assert "{cite" not in text


def test_the_page_says_that_it_is_not_the_papers(folder):
    text = (folder / "index.html").read_text(encoding="utf-8")
    banner = re.search(r'<div class="banner".*?</div>\s*</div>', text, re.DOTALL)[0]
    assert "Not the paper's parameters" in banner
    rows = re.findall(r"<th scope=\"row\">(\w+)</th><td>(.*?)</td><td>(.*?)</td>", banner)
    assert [(name, here) for name, _, here in rows] == [
        ("stokes_shift_meV", "60 meV"),
        ("cooling_time_ps", "2 ps"),
    ]


def test_the_papers_lines_stand_behind_the_users(folder):
    (table,) = (folder / "data").glob("fig06_photoluminescence_b_*.csv")
    assert "the paper's parameters" in table.read_text(encoding="utf-8")


def test_a_run_from_its_card_gives_identical_numbers(folder, tmp_path):
    again = qdgain("rerun", "-f", folder / CARD_FILE, "-o", tmp_path / "again")
    assert again.returncode == 0, again.stderr
    assert "numbers are those of the card" in again.stderr
    before, after = card_of(folder), card_of(tmp_path / "again")
    for part in ("given", "parameters", "headlines", "differs_from_the_paper", "library"):
        assert before[part] == after[part]
    same = [p for p in before["sha256"] if before["sha256"][p] == after["sha256"][p]]
    assert set(same) >= {p for p in before["sha256"] if p.startswith(("data/", "figures/"))}
    # Onto an existing folder only when asked, and only if a run wrote it.
    assert cli.main(["rerun", "fig06", "-o", str(tmp_path / "again")]) == 2


REFUSED = [
    ["rerun", "fig6", "-o", "OUT"],
    ["rerun", "-o", "OUT"],
    ["rerun", "fig08", "-p", "stokes_shift=60", "-o", "OUT"],
    ["rerun", "fig08", "-p", "stokes_shift_meV=60 meV", "-o", "OUT"],
    ["rerun", "fig08", "-p", "stokes_shift_meV=nan", "-o", "OUT"],
    ["rerun", "fig08", "-p", "stokes_shift_meV=-5", "-o", "OUT"],
    ["rerun", "fig08", "-p", "statistics=fermi", "-o", "OUT"],
    ["rerun", "fig06", "-p", "gain_exponent=10", "-o", "OUT"],
    ["rerun", "all", "-p", "gain_exponnt=10", "-o", "OUT"],
    ["rerun", "fig08", "-f", "missing.toml", "-o", "OUT"],
    ["rerun", "fig09", "-p", "x1_spectra_csv=missing.csv", "-o", "OUT"],
    ["rerun", "fig08", "-o", "THERE"],
    ["rerun", "fig08", "-o", "THERE", "--replace"],
    ["rerun", "fig08", "-o", "THERE/file/below"],
    ["parameters", "fig11"],
    ["parameters", "fig08", "stokes_shift"],
]


@pytest.mark.parametrize("words", REFUSED, ids=" ".join)
def test_what_cannot_be_is_refused_before_a_kernel_starts(words, tmp_path, capsys, monkeypatch):
    def never(*_):
        raise AssertionError("a kernel was about to start")

    monkeypatch.setattr(rerun, "execute", never)
    there = tmp_path / "there"
    there.mkdir()
    (there / "file").write_text("mine", encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    words = [w.replace("OUT", str(tmp_path / "out")).replace("THERE", str(there)) for w in words]
    assert cli.main(words) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    assert printed.err.startswith("qdgain: ")
    assert sorted(tmp_path.rglob("*")) == before


def tiny(*sources):
    cells = [nbformat.v4.new_code_cell("", metadata={"tags": ["parameters"]})]
    cells += [nbformat.v4.new_code_cell(source) for source in sources]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    notebook.metadata["language_info"] = {"name": "python"}
    return nbformat.writes(notebook)


def test_what_a_chapter_folds_is_folded_on_its_page():
    text = ":::{dropdown} Why *so*\nBecause $x$.\n\n- one\n:::\n\nAfter."
    page = run_page._markdown({}).render(text)
    assert page.startswith("<details><summary>Why *so*</summary>\n<p>Because <span")
    assert "</ul>\n</details>\n<p>After.</p>" in page


@pytest.mark.parametrize("name", MODULES)
def test_every_chapters_text_has_its_numbers_on_the_page_of_a_run(name):
    glued = {key: significant(h.value, 3) for key, h in joined.headlines_of(name).items()}
    markdown = run_page._markdown(glued)
    cells = nbformat.read(notebook_of(name), as_version=4).cells
    texts = ["".join(cell.source) for cell in cells if cell.cell_type == "markdown"]
    assert len(texts) > 5
    assert all("{glue" not in markdown.render(text) for text in texts)


def test_a_cell_that_raises_is_a_failure_with_its_reason():
    todo = rerun.Task("fig06", tiny("raise ValueError('on purpose')"), {})
    with pytest.raises(rerun.RunFailed, match="ValueError: on purpose"):
        rerun.execute(todo)


def test_a_run_leaves_the_folder_of_the_process_alone(monkeypatch):
    # All runs of `rerun all` share it, and end at different times.
    went = []
    monkeypatch.setattr(os, "chdir", lambda to: went.append(Path(to)))
    where = "from qdgain.book import keep; keep.numbers([]); import os; print(os.getcwd())"
    executed = rerun.execute(rerun.Task("fig06", tiny(where), {}))
    outputs = json.loads(executed.notebook)["cells"][-1]["outputs"]
    assert "qdgain-scratch-" in "".join(outputs[0]["text"])
    assert set(went) <= {Path.cwd()}


def test_a_kernel_that_hangs_is_ended():
    todo = rerun.Task("fig06", tiny("import time", "time.sleep(1000)"), {}, limit_s=3)
    began, before = time.monotonic(), set(psutil.Process().children())
    with pytest.raises(rerun.RunFailed, match="longer than 3 s"):
        rerun.execute(todo)
    assert time.monotonic() - began < 60
    # Kernels of tests before this one, in the same process, may still be there.
    started = set(psutil.Process().children()) - before
    assert not [c for c in started if "ipykernel" in " ".join(c.cmdline())]


def test_numbers_of_another_library_than_the_commands_are_refused():
    other = "from qdgain.book import keep; keep.library_hash = lambda: 64 * '0'; keep.numbers([])"
    with pytest.raises(rerun.RunFailed, match="another version of qdgain than this command"):
        rerun.execute(rerun.Task("fig06", tiny(other), {}))


def test_a_users_file_travels_with_the_task_and_stays_with_the_run(tmp_path):
    path = tmp_path / "mine.csv"
    edge = [0.02, 0.1, 0.5, 1.0, 0.6, 0.4, 0.6, 0.9, 1.2, 1.5]
    lines = [
        "energy_eV,N=0,N=2,PL",
        *(f"{1.9 + 0.02 * i:.2f},{a},{a - 1},{max(1 - abs(i - 1), 0)}" for i, a in enumerate(edge)),
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    asked = request(("fig09",), (), [f"x1_spectra_csv={path}"])
    todo = rerun.task("fig09", asked.of("fig09"))
    path.unlink()
    read = "from qdgain.book import keep; keep.numbers([]); print(open(x1_spectra_csv).read())"
    executed = rerun.execute(replace(todo, notebook=tiny(read)))
    assert executed.kept["inputs/x1_spectra_csv.csv"].decode().splitlines() == lines
    outputs = json.loads(executed.notebook)["cells"][-1]["outputs"]
    assert "".join(outputs[0]["text"]).splitlines()[: len(lines)] == lines


@pytest.mark.parametrize(("chapter", "how"), [("fig06", signal.SIGINT), ("all", signal.SIGHUP)])
def test_an_interrupt_leaves_nothing(chapter, how, tmp_path):
    temporary = Path(tempfile.mkdtemp(prefix="qd"))
    command = [sys.executable, "-m", "qdgain", "rerun", chapter, "-o", str(tmp_path / "out")]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env=os.environ | {"TMPDIR": str(temporary)}
    ) as process:
        assert any("running" in line for line in iter(process.stderr.readline, ""))
        while not (kernels := psutil.Process(process.pid).children(recursive=True)):
            time.sleep(0.1)
        time.sleep(1)  # the kernel is at work, or about to be
        process.send_signal(how)
        assert process.wait(timeout=60) == 128 + how
        assert "Traceback" not in process.stderr.read()
    assert list(tmp_path.iterdir()) == []
    temporary.rmdir()
    _, alive = psutil.wait_procs(kernels, timeout=20)
    assert alive == []


def test_parameters_are_listed(capsys):
    assert cli.main(["parameters", "fig08", "--json"]) == 0
    records = json.loads(capsys.readouterr().out)
    keys = {"name", "symbol", "unit", "allowed", "default", "origin", "source", "chapters"}
    assert all(keys <= set(record) for record in records)
    assert cli.main(["parameters", "fig08"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in printed[1:]] == [record["name"] for record in records]
    assert cli.main(["parameters", "all", "gain_exponent"]) == 0
    assert "chapters: fig09" in capsys.readouterr().out


def test_the_notebooks_are_found_from_anywhere(tmp_path):
    assert qdgain("parameters", "fig08", "floor", cwd=tmp_path, env=os.environ).returncode == 0
    assert ROOT.joinpath("book").is_dir()
