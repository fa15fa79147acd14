"""The project's own files agree with each other."""

import ast
import graphlib
import hashlib
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from itertools import chain

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from versions import locked

from conftest import ROOT
from qdgain import __version__
from qdgain.book import built

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def parsed(lines):
    requirements = [Requirement(line) for line in lines]
    return {canonicalize_name(r.name): str(r.specifier) for r in requirements}


def test_environment_has_the_projects_packages_and_bounds():
    entries = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    conda = [entry for entry in entries if isinstance(entry, str) and entry != "pip"]
    (from_pip,) = [entry["pip"] for entry in entries if isinstance(entry, dict)]
    python = f"python{PROJECT['requires-python']}"
    # Pip takes no other option beside an editable requirement; Binder knows this one as local.
    assert from_pip[0] == "-e ."
    assert parsed([*conda, *from_pip[1:]]) == parsed(
        [
            python,
            *PROJECT["dependencies"],
            *chain.from_iterable(EXTRAS[name] for name in ("book", "sweep", "data", "test")),
        ]
    )


def test_lock_meets_every_requirement():
    versions = locked(LOCK)
    for line in (*PROJECT["dependencies"], *chain.from_iterable(EXTRAS.values())):
        requirement = Requirement(line)
        name = canonicalize_name(requirement.name)
        assert name in versions, f"{name} is not in the lock: run make lock"
        for version in versions[name]:
            assert requirement.specifier.contains(version), f"{line} against {version}"


def test_installed_packages_meet_every_requirement():
    """An upper bound that is not met, as with Jupyter Book 2, changes what the tests prove."""
    for line in (*PROJECT["dependencies"], *chain.from_iterable(EXTRAS.values())):
        requirement = Requirement(line)
        installed = metadata.version(requirement.name)
        assert requirement.specifier.contains(installed), f"{line} against {installed}"


def test_lock_is_hashed_and_names_no_address():
    assert "://" not in LOCK
    for entry in re.split(r"\n(?=[A-Za-z0-9])", LOCK.strip()):
        assert "--hash=sha256:" in entry, entry.splitlines()[0]


def test_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == __version__
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def modules():
    package = ROOT / "lib" / "qdgain"
    for path in sorted(package.rglob("*.py")):
        if path.stem not in ("__init__", "__main__", "version"):
            yield ".".join(path.relative_to(package).with_suffix("").parts), path


def test_api_reference_has_every_module():
    pages = (ROOT / "book").glob("api*.md")
    reference = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    documented = set(re.findall(r"automodule:: qdgain\.(\S+)", reference))
    inits = (ROOT / "lib" / "qdgain").glob("*/__init__.py")
    assert documented == {name for name, _ in modules()} | {init.parent.name for init in inits}


NOTEBOOK_MODULES = (
    "book.chapter",
    "book.explorer",
    "book.explorer_page",
    "book.notebooks",
    "book.pictures",
    "commands.rerun",
    "reruns.page",
    "reruns.rerun",
    "reruns.run_folder",
    "commands.sweep",
    "sweep.notebooks",
)
PLOTTING_MODULES = (
    "book.built",
    "book.keep",
    "book.landing",
    "commands.fit_dot",
    "commands.fit_dot_series",
    "ledger.joined",
    "ledger.matrix",
)


NAMES = {name for name, _ in modules()}
PACKAGES = {name.partition(".")[0] for name in NAMES if "." in name}


def imports_of(path):
    """Yield what a module of the library imports from the library, as ``package.module``.

    A module whose name stands in a string, such as ``"qdgain.figures.fit"``, counts as imported.
    """
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name.startswith("qdgain.")]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("qdgain"):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names = re.findall(r"\Aqdgain(?:\.\w+)+(?=\.?\Z)", node.value)
        else:
            continue
        for name in names:
            whole = name.removeprefix("qdgain.")
            yield whole if whole in NAMES or whole in PACKAGES else whole.rpartition(".")[0]


def test_modules_named_in_strings_count_as_imported(tmp_path):
    path = tmp_path / "one.py"
    path.write_text(
        "import importlib\n"
        "import qdgain.run\n"
        "MAKERS = {'one': 'qdgain.figures.fit'}\n"
        "importlib.import_module(f'qdgain.commands.{name}')\n"
        "importlib.import_module('qdgain.stored')\n"
        "text = 'see qdgain.cli, or `qdgain.version`'\n"
    )
    assert set(imports_of(path)) == {"run", "figures.fit", "commands", "stored"}


def test_packages_import_only_downwards():
    """No package or module of the top imports one that imports it, at whatever distance."""
    above = {}
    for name, path in modules():
        needed = {imported.partition(".")[0] for imported in imports_of(path)}
        own = name.partition(".")[0]
        above.setdefault(own, set()).update(needed - {own, ""})
    assert len(above) > 15
    tuple(graphlib.TopologicalSorter(above).static_order())


def test_every_modules_name_leads_to_the_module():
    """No function or attribute of a package has the name of one of its modules.

    In a process of its own: where faults were tried, packages have been imported anew.
    """
    code = """
import functools, importlib, sys
import qdgain
for name in sys.argv[1:]:
    found = importlib.import_module(f"qdgain.{name}")
    assert found is functools.reduce(getattr, name.split("."), qdgain), name
"""
    names = [name for name, _ in modules()]
    done = subprocess.run([sys.executable, "-c", code, *names], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize(("name", "path"), list(modules()), ids=lambda v: getattr(v, "stem", ""))
def test_physics_knows_no_plotting_and_plotting_no_notebooks(name, path):
    imported = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module.split(".")[0])
    imported |= {f"qdgain.{module}" for module in imports_of(path)}
    jupyter = {
        "IPython",
        "ipywidgets",
        "myst_nb",
        "nbformat",
        "nbclient",
        "papermill",
        *(f"qdgain.{module}" for module in NOTEBOOK_MODULES),
    }
    if name not in NOTEBOOK_MODULES:
        assert not imported & jupyter
        if not name.startswith("figures.") and name not in PLOTTING_MODULES:
            assert "matplotlib" not in imported
            assert not any(module.startswith("qdgain.figures") for module in imported)


def test_rooms_are_built_one_upon_another():
    assert list(graphlib.TopologicalSorter(built.rooms()).static_order())


def lines_of_code(function):
    """How many lines a function has that are neither blank, comment nor docstring."""
    first = function.body[0]
    has_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    documented = set(range(first.lineno, first.end_lineno + 1)) if has_text else set()
    return set(range(function.lineno, function.end_lineno + 1)) - documented


@pytest.mark.parametrize(("name", "path"), list(modules()), ids=lambda v: getattr(v, "stem", ""))
def test_a_module_can_be_read_in_one_sitting(name, path):
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    assert len(lines) <= (420 if name.startswith("figures.") else 450)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            code = [lines[i - 1].strip() for i in lines_of_code(node)]
            assert sum(bool(line) and not line.startswith("#") for line in code) <= 50, node.name


MODEL = [(name, path) for name, path in modules() if name.startswith("model.")]


@pytest.mark.parametrize(("name", "path"), MODEL, ids=[name for name, _ in MODEL])
def test_every_public_function_of_the_model_has_an_example(name, path):
    public = [
        node
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    ]
    assert [f.name for f in public if ">>>" not in (ast.get_docstring(f) or "")] == []


def test_scripts_of_the_pages_are_unchanged_and_licensed():
    folder = ROOT / "book" / "_static" / "mathjax"
    assert "Apache License" in (folder / "LICENSE").read_text(encoding="utf-8")
    hashes = (folder / "SHA256SUMS").read_text(encoding="utf-8").split("\n")
    listed = dict(reversed(line.split("  ", 1)) for line in hashes if line)
    files = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    for name in ("LICENSE", "README.md", "SHA256SUMS"):
        files.pop(name)
    assert set(listed) == set(files)
    for name, path in files.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == listed[name]


def test_every_citation_has_a_doi_or_an_isbn():
    entries = re.split(r"\n(?=@)", (ROOT / "book" / "references.bib").read_text(encoding="utf-8"))
    for entry in entries:
        assert re.search(r"\b(doi|isbn)\s*=", entry, re.IGNORECASE), entry[:60]
