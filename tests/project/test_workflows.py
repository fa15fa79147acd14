"""What GitHub and pre-commit are told agrees with the project: the same commands and versions."""

import os
import re
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet
from versions import differing, locked

from conftest import ROOT

FOLDER = ROOT / ".github" / "workflows"
NAMES = ("book", "test", "weekly")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PYTHONS = [
    classifier.rpartition(" ")[2]
    for classifier in PROJECT["classifiers"]
    if re.fullmatch(r"Programming Language :: Python :: 3\.\d+", classifier)
]
NEWEST = PYTHONS[-1]


def text_of(name):
    return (FOLDER / f"{name}.yml").read_text(encoding="utf-8")


def workflow(name):
    parsed = yaml.safe_load(text_of(name))
    # YAML 1.1 takes the key for a truth value.
    parsed["on"] = parsed.pop(True)
    return parsed


def steps(name):
    return [step for job in workflow(name)["jobs"].values() for step in job["steps"]]


def made(name):
    """Return the make commands that a workflow runs."""
    commands = "\n".join(step.get("run", "") for step in steps(name))
    return re.findall(r"^\s*make ([^|\n]*?)\s*(?:2>&1.*)?$", commands, re.MULTILINE)


def test_there_are_these_workflows():
    assert sorted(path.stem for path in FOLDER.iterdir()) == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_workflow_is_bounded_and_says_that_it_has_not_run(name):
    parsed = workflow(name)
    assert text_of(name).startswith("# Configured, not yet run anywhere")
    assert parsed["permissions"] == {"contents": "read"}
    assert parsed.get("concurrency") or parsed["jobs"]["publish"]["concurrency"]
    for job in parsed["jobs"].values():
        assert job["timeout-minutes"] <= 45
    for step in steps(name):
        if "uses" in step:
            assert re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"])


#: Faults that a workflow may have, each with what is said of it.
FAULTS = {
    ("matrix.system }}", "matrix.sytem }}"): 'property "sytem" is not defined',
    ("timeout-minutes", "timeout-minute"): 'unexpected key "timeout-minute"',
    ("actions/checkout@v6", "actions/checkout@v4"): 'runtime "node20" is deprecated',
    ("if: failure()", "if: failed()"): 'undefined function "failed"',
}


@pytest.mark.parametrize(("old", "new"), FAULTS, ids=lambda text: text.split()[0])
def test_a_fault_in_a_workflow_is_found(old, new, tmp_path):
    """By the linter of ``make lint``, which has nothing to say of the workflows as they are."""
    linter = Path(sysconfig.get_path("scripts")) / "actionlint"
    assert old in text_of("test")
    faulty = tmp_path / "test.yml"
    faulty.write_text(text_of("test").replace(old, new), encoding="utf-8")
    for file, faults in ((FOLDER / "test.yml", 0), (faulty, 1)):
        command = [linter, "-shellcheck=", "-pyflakes=", file]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == faults, done.stdout + done.stderr
    assert FAULTS[old, new] in done.stdout


def test_workflows_run_the_projects_own_commands():
    assert made("test") == ["test PYTHON=python"]
    assert made("book") == ["book PYTHON=python"]
    assert made("weekly") == ["test NEWEST=1 PYTHON=python"]
    assert set(workflow("test")["on"]) == {"push", "pull_request"}
    assert "schedule" in workflow("weekly")["on"]


def test_pythons_are_the_lowest_and_the_newest_supported():
    allowed = SpecifierSet(PROJECT["requires-python"])
    assert PYTHONS == sorted(PYTHONS, key=lambda version: int(version.split(".")[1]))
    assert all(version in allowed for version in PYTHONS)
    assert f"3.{int(PYTHONS[0].split('.')[1]) - 1}" not in allowed
    matrix = workflow("test")["jobs"]["test"]["strategy"]["matrix"]
    assert matrix["python"] == [PYTHONS[0], NEWEST]
    assert {system.split("-")[0] for system in matrix["system"]} == {"ubuntu", "macos"}
    for name in ("book", "weekly"):
        given = [step["with"]["python-version"] for step in steps(name) if "setup" in str(step)]
        assert given[:1] == [NEWEST]


def test_only_a_book_that_was_tested_is_published():
    waited = workflow("book")["on"]["workflow_run"]
    assert waited == {"workflows": ["test"], "types": ["completed"], "branches": ["main"]}
    assert workflow("test")["name"] == "test"
    assert set(workflow("book")["on"]) == {"workflow_run"}
    run = "github.event.workflow_run"
    condition = f"{run}.conclusion == 'success' && {run}.event == 'push'"
    assert workflow("book")["jobs"]["build"]["if"] == condition
    # The commit that was tested, not what main is by now.
    assert "workflow_run.head_sha" in steps("book")[0]["with"]["ref"]
    assert workflow("book")["jobs"]["publish"]["needs"] == "build"


def test_pages_come_from_where_the_book_is_built():
    (uploaded,) = (s for s in steps("book") if "upload-pages" in s.get("uses", ""))
    assert uploaded["with"]["path"] == "_build/html"


def test_hooks_are_local_and_the_linters_of_make():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    (repository,) = config["repos"]
    assert repository["repo"] == "local"
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    lint = re.search(r"^lint:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)[1]
    used = {hook["entry"].split()[0].removeprefix(".venv/bin/") for hook in repository["hooks"]}
    assert used == set(re.findall(r"\$\(BIN\)/(\S+)", lint))
    for hook in repository["hooks"]:
        assert hook["language"] == "system"


FAILING = """
import pytest

def test_drift():
    moved = "fig08, headline fig08-threshold-4ls: 1.1, in the reference 1.0, off by 0.1"
    pytest.fail("\\n".join([moved, *20_000 * ["and more than an issue takes"]]), pytrace=False)

@pytest.mark.parametrize("number", range(100))
def test_more(number):
    assert "a" * 1000 == str(number)
"""
STAND_IN = """#!/bin/sh
[ "$2" = create ] && cp report.md created.md
exit 0
"""


@pytest.fixture
def reported(tmp_path):
    """Return a function that gives what the weekly workflow reports of a log."""
    (script,) = (step["run"] for step in steps("weekly") if step.get("name") == "Report")
    stand_in = tmp_path / "bin" / "gh"
    stand_in.parent.mkdir()
    stand_in.write_text(STAND_IN, encoding="utf-8")
    stand_in.chmod(0o755)
    path = f"{stand_in.parent}{os.pathsep}{os.environ['PATH']}"

    def report(log):
        (tmp_path / "weekly.log").write_text(log, encoding="utf-8")
        # As GitHub starts a shell given by name.
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
        environment = os.environ | {"PATH": path, "RUN_URL": "the run"}
        subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)
        text = (tmp_path / "created.md").read_text(encoding="utf-8")
        assert "the run has the whole log" in text
        assert len(text) < 65536  # GitHub takes no more
        return text

    return report


@pytest.mark.slow
def test_the_weekly_report_has_the_numbers_that_moved(reported, tmp_path):
    (tmp_path / "test_drift.py").write_text(FAILING, encoding="utf-8")
    pytest_ = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_drift.py"]
    # Where CI is set, pytest shortens no line.
    environment = os.environ | {"CI": "true"}
    done = subprocess.run(
        pytest_, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    report = reported(done.stdout + "not as locked: numpy 9.0 (2.0)\n")
    assert "FAILED test_drift.py::test_drift" in report
    assert "numpy 9.0 (2.0)" in report
    # By itself, where the line of the summary is cut.
    assert re.search(
        r"^fig08, headline fig08-threshold-4ls: 1\.1, .* off by 0\.1$", report, re.MULTILINE
    )


def test_the_weekly_report_has_the_end_of_a_log_without_failed_tests(reported):
    lines = [f"line {number}" for number in range(100)]
    report = reported("\n".join([*lines, "lib/a.py:1: error: no such type", "make: *** Error 1"]))
    assert "error: no such type" in report
    assert "line 99" in report
    assert "line 9\n" not in report
    assert "none was installed" in report


def test_versions_other_than_the_locked_are_told():
    lock = locked("one==1.0 ; python_full_version < '3.12' \\\none==2.0 \\\nTwo_x==3.1\n")
    assert differing({"one": "2.0", "two-x": "3.1", "three": "1"}, lock) == []
    assert differing({"one": "2.1"}, lock) == ["not as locked: one 2.1 (1.0 or 2.0)"]
