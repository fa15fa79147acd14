"""The command line: what it prints, what it refuses, and how it ends."""

import json
import subprocess
import sys
import tomllib

import pytest

from conftest import ROOT
from qdgain import cli
from qdgain.ledger import joined
from qdgain.paper.claims import claims


@pytest.mark.slow
def test_the_ledger_is_printed_whole(capsys):
    assert cli.main(["claims"]) == 0
    printed = capsys.readouterr().out
    for name in claims():
        assert f"\n{name} " in printed
    papers = sum(not claim.further for claim in claims().values())
    assert f"\n{papers} statements of the paper: " in printed
    assert f"\n{len(claims()) - papers} further tests of this book: " in printed


def test_one_statement_is_explained(capsys):
    assert cli.main(["claims", "F8-3ls"]) == 0
    printed = capsys.readouterr().out
    row = joined.row("F8-3ls")
    for part in ("F8-3ls", "1.0", row.computed_text, row.residual_text, "calibrated"):
        assert part in printed
    assert "qdgain.model.threshold.threshold_at_maximum" in printed
    assert max(map(len, printed.splitlines())) <= 100


@pytest.mark.slow
@pytest.mark.parametrize("name", ["F8-transit", "F7-trapping", "F8-exp-ratio", "F9-centre"])
def test_every_kind_is_explained(name, capsys):
    assert cli.main(["claims", name]) == 0
    assert claims()[name].statement in capsys.readouterr().out


@pytest.mark.slow
def test_json_is_a_list_of_rows(capsys):
    assert cli.main(["claims", "--json"]) == 0
    records = json.loads(capsys.readouterr().out)
    assert [record["id"] for record in records] == list(claims())


@pytest.mark.parametrize(
    ("asked", "meant"), [("F8-3lz-esa", "F8-3ls-esa"), ("f9-amplitud", "F9-amplitude")]
)
def test_an_unknown_id_is_refused_in_a_sentence(asked, meant, capsys):
    assert cli.main(["claims", asked]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == f"qdgain: there is no statement '{asked}': did you mean {meant}?\n"


def test_an_id_like_no_other_has_no_hint(capsys):
    assert cli.main(["claims", "zzzz"]) == 2
    assert capsys.readouterr().err == "qdgain: there is no statement 'zzzz'.\n"


@pytest.mark.parametrize("arguments", [[], ["clams"], ["claims", "F8-3ls", "F8-4ls"]])
def test_a_wrong_call_is_refused_in_a_sentence(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments)
    assert stop.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_an_interrupt_ends_quietly(monkeypatch, capsys):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(joined, "ledger", interrupted)
    assert cli.main(["claims"]) == 130
    assert capsys.readouterr().err == ""


@pytest.mark.slow
def test_a_reader_that_leaves_is_no_error():
    command = [sys.executable, "-m", "qdgain", "claims", "F8-transit"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.wait(timeout=60) == 0
        assert process.stderr.read() == b""


def test_a_missing_package_is_named_in_a_sentence(monkeypatch, capsys):
    for name in ("qdgain.commands.rerun", "qdgain.reruns.rerun", "qdgain.reruns"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "papermill", None)
    assert cli.main(["rerun", "fig08", "-o", "x"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("qdgain: this command needs the package papermill")
    assert len(printed.err.splitlines()) == 1


def test_ranges_and_defaults_are_those_of_the_contract_as_written(capsys):
    assert cli.main(["parameters", "all"]) == 0
    header, *lines = capsys.readouterr().out.splitlines()
    shown = {line.split()[0]: line[header.index("range") :].split("  ")[0] for line in lines}
    written = tomllib.loads((ROOT / "lib/qdgain/data/parameters.toml").read_text("utf-8"))
    for name, entry in {**written["dot"], **written["setting"]}.items():
        if "range" in entry:
            low, high = (float(text) for text in shown[name].split(" to "))
            assert [low, high] == entry["range"]
        elif "choices" in entry:
            assert shown[name].split(", ") == list(entry["choices"])
        else:
            assert shown[name] == "a file"


def test_nothing_is_drawn_or_optimised_before_it_is_asked_for():
    code = (
        "import sys; from qdgain import cli; from qdgain.figures.modules import MODULES; "
        "from qdgain.ledger import joined; from qdgain.commands import claims, rerun; "
        "assert 'fig08' in MODULES and len(list(MODULES)) == len(MODULES); "
        "print({'matplotlib', 'scipy.optimize', 'scipy.interpolate', 'jinja2'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
