"""The command fit-dot: what it writes, prints and refuses, and the dot it makes of a fit."""

import csv
import functools
import hashlib
import json
import os
import re
import subprocess
import sys
import tomllib
from itertools import product

import numpy as np
import pytest

import fit_coverage
import qdgain
from qdgain import ParameterError, cli
from qdgain.beyond.ensemble import Ensemble
from qdgain.beyond.ensemble_thresholds import ensemble_thresholds
from qdgain.commands import fit_dot
from qdgain.commands.fit_dot_series import pairs
from qdgain.figures import fit as picture
from qdgain.fitting import synthetic_spectra
from qdgain.fitting.band_fit import FittedBands, fit_bands
from qdgain.fitting.fitted_dot import (
    ThresholdInterval,
    fitted_dot,
    one_dot,
    parameter_file,
    threshold_intervals,
)
from qdgain.model.parameters import DOT_PARAMETERS
from qdgain.reruns.request import request
from qdgain.sweep.points import points
from qdgain.version import library_hash

PRESET = qdgain.presets()["3LS+ESA"]
DOT = qdgain.Dot(
    absorption_energy_eV=2.0,
    linewidth_meV=85.0,
    stokes_shift_meV=45.0,
    emission_linewidth_meV=75.0,
    absorptive_binding_meV=20.0,
    xx_absorption_strength=1.2,
)


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Synthetic files in the working folder; what takes seconds is cut short."""
    monkeypatch.chdir(tmp_path)
    few = functools.partial(threshold_intervals, samples=20)
    monkeypatch.setattr(fit_dot, "threshold_intervals", few)
    monkeypatch.setattr(picture, "to_svg", lambda figure: "picture")
    monkeypatch.setattr(picture, "to_png", lambda figure: b"picture")
    synthetic_spectra.write(tmp_path, DOT, noise=0.01, seed=1)
    return tmp_path


def run(*arguments):
    """Run the command with the option that the PL file of two traces needs."""
    return cli.main(["fit-dot", *arguments])


PAIR = ("absorption.csv", "pl.csv", "--column", "sample")
THREE = ("absorption.csv", "pl.csv", "transient.csv", "--column", "sample")


def the_file(path="my-dot.toml"):
    with open(path, "rb") as stream:
        table = tomllib.load(stream)
    about = {name: table.pop(name) for name in ("uncertainty", "correlation", "origin", "source")}
    return table, about


def refused(capsys, *arguments):
    """Return the sentence of a refusal; nothing is written by it."""
    before = {path: path.stat().st_mtime_ns for path in fit_dot.Path().iterdir()}
    try:
        code = run(*arguments)
    except SystemExit as stop:
        code = stop.code
    printed = capsys.readouterr()
    assert code == 2
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    assert {path: path.stat().st_mtime_ns for path in fit_dot.Path().iterdir()} == before
    return printed.err


@pytest.mark.slow
def test_the_command_as_typed(tmp_path):
    """Whole, as a process: three files, the table, and a picture that is one."""
    synthetic_spectra.write(tmp_path, DOT, noise=0.01, seed=1)
    command = [sys.executable, "-m", "qdgain", "fit-dot", *THREE, "-o", "out.toml"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert max(map(len, done.stdout.splitlines())) <= 130
    for part in ("taken per eV by λ²/hc", "stokes_shift_meV", "without ESA, onset", "out.toml"):
        assert part in done.stdout
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "out.svg").read_text(encoding="utf-8")
    assert len(list(tmp_path.iterdir())) == 6
    values, about = the_file(tmp_path / "out.toml")
    for name, error in about["uncertainty"].items():
        assert abs(values[name] - DOT.values()[name]) < 4 * error, name


@pytest.mark.slow
def test_the_file_is_a_dot_with_errors_and_origins(files):
    assert run(*THREE) == 0
    values, about = the_file()
    dot = qdgain.Dot(**values)
    assert set(about["uncertainty"]) == {
        "absorption_energy_eV",
        "linewidth_meV",
        "stokes_shift_meV",
        "emission_linewidth_meV",
        "absorptive_binding_meV",
        "xx_absorption_strength",
    }
    for name, error in about["uncertainty"].items():
        assert abs(values[name] - DOT.values()[name]) < 4 * error
        assert about["origin"][name].startswith("measured")
    assert set(values) == set(about["origin"])
    for name in ("emissive_binding_meV", "xx_emission_strength"):
        assert values[name] == getattr(PRESET, name)
        assert about["origin"][name] == "assumed: preset 3LS+ESA"
    assert dot.xx_emission_linewidth_meV == dot.emission_linewidth_meV
    assert about["origin"]["xx_emission_linewidth_meV"] == "assumed: as PL_X"
    assert len(about["correlation"]) == 15
    assert all(-1 <= value <= 1 for value in about["correlation"].values())
    source = about["source"]
    assert source["library"] == library_hash()
    assert (source["pl"], source["pl_column"], source["pl_unit"]) == ("pl.csv", "sample", "nm")
    content = (files / "transient.csv").read_bytes()
    assert source["transient_sha256"] == hashlib.sha256(content).hexdigest()
    text = (files / "my-dot.toml").read_text(encoding="utf-8")
    assert "stokes_shift_meV = 4" in text
    assert "# meV, ± " in text


def test_a_rerun_accepts_the_file(files):
    assert run(*THREE) == 0
    asked = request(("fig08",), files=["my-dot.toml"])
    assert asked.run("fig08").dots["your dot+ESA"] == qdgain.Dot(**the_file()[0])


def test_without_a_transient_the_biexciton_is_assumed(files, capsys):
    assert run(*PAIR, "-o", "pair.toml") == 0
    values, about = the_file("pair.toml")
    for name in ("absorptive_binding_meV", "xx_absorption_strength"):
        assert values[name] == getattr(PRESET, name)
        assert about["origin"][name] == "assumed: preset 3LS+ESA"
        assert name not in about["uncertainty"]
    printed = capsys.readouterr().out
    assert "Without ESA: from the absorption and PL alone." in " ".join(printed.split())
    assert "With the strength a free" not in printed


def test_the_same_files_give_the_same_bytes(files):
    assert run(*THREE) == 0
    first = (files / "my-dot.toml").read_bytes()
    assert run(*THREE, "--replace") == 0
    assert (files / "my-dot.toml").read_bytes() == first


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".toml", ".svg", ".png"])
def test_nothing_is_overwritten_unasked(files, capsys, suffix):
    (files / f"my-dot{suffix}").write_text("mine")
    assert f"my-dot{suffix} is there already: name another, or add --replace" in refused(
        capsys, *THREE
    )
    assert run(*THREE, "--replace") == 0
    assert (files / f"my-dot{suffix}").read_bytes() != b"mine"


def test_a_folder_that_cannot_be_written_to_fails_whole(files, capsys, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(picture, "to_png", full)
    assert run(*THREE) == 1
    assert "my-dot.toml cannot be written: No space left" in capsys.readouterr().err
    assert not [path for path in files.iterdir() if "my-dot" in path.name]


def test_the_strength_can_be_held_or_freed(files, capsys):
    assert run(*THREE, "--strength", "1.2") == 0
    values, about = the_file()
    assert values["xx_absorption_strength"] == 1.2
    assert about["origin"]["xx_absorption_strength"] == "assumed: given by the user"
    assert about["origin"]["absorptive_binding_meV"].endswith("with the strength a held")
    assert "Above, a is held" in " ".join(capsys.readouterr().out.split())
    assert run(*THREE, "--strength", "free", "--replace") == 0
    assert "xx_absorption_strength" in the_file()[1]["uncertainty"]


@pytest.mark.slow
def test_columns_units_and_window_reach_the_fit(files):
    # All three in one file, told apart by columns.
    simulated = synthetic_spectra.simulate(DOT, noise=0.01, seed=1)
    text = synthetic_spectra.as_text("lambda\tA\tPL\tdA", *simulated, separator="\t")
    (files / "all.txt").write_text(text, encoding="utf-16")
    columns = ("--absorption-column", "A", "--pl-column", "3", "--transient-column", "da")
    arguments = ("all.txt", "all.txt", "all.txt", *columns, "--unit", "nm")
    assert run(*arguments, "--from-eV", "1.8", "--to-eV", "2.3") == 0
    values, about = the_file()
    assert abs(values["stokes_shift_meV"] - 45) < 4 * about["uncertainty"]["stokes_shift_meV"]
    assert about["source"]["absorption_window_eV"] == pytest.approx([1.8, 2.3], abs=0.006)
    # The intensity taken as per eV already: the known bias to the blue.
    assert run(*arguments, "--pl-per", "eV", "-o", "biased.toml") == 0
    assert values["stokes_shift_meV"] - the_file("biased.toml")[0]["stokes_shift_meV"] > 0.5


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("absorption.csv", "pl.csv"), "the PL file pl.csv .* 2 traces: choose one by --pl-column"),
        ((*PAIR, "--pl-column", "red"), "no trace 'red' for --pl-column"),
        (("none.csv", "pl.csv"), "the absorption file none.csv is not usable: it cannot be opened"),
        ((*PAIR, "--unit", "eV"), "which cannot be eV"),
        ((*PAIR, "--unit", "cm"), "invalid choice"),
        ((*PAIR, "--from-eV", "2.2", "--to-eV", "2.1"), "--from-eV 2.2 is not below --to-eV 2.1"),
        ((*PAIR, "--from-eV", "nan"), "'nan' is no photon energy"),
        ((*PAIR, "--to-eV", "2 eV"), "'2 eV' is no photon energy"),
        ((*PAIR, "--strength", "1"), "--strength needs a transient file"),
        ((*PAIR, "--transient-column", "1"), "--transient-column needs a transient file"),
        ((*THREE, "--strength", "one"), "neither a number nor 'free'"),
        ((*THREE, "--strength", "9"), "xx_absorption_strength = 9.0 is not allowed"),
        ((*PAIR, "-o", "my-dot.yaml"), "ends in .toml"),
        ((*PAIR, "-o", "pl.csv/my-dot.toml"), "my-dot.toml cannot be written: "),
        (("absorption.csv",), "required: pl"),
        ((*PAIR, "--colum", "x", "y", "z"), "unrecognized|ambiguous"),
        ((*PAIR[:2], "--column", "blank"), "no band stands out of the PL"),
        (("pl.csv", "pl.csv", "--column", "sample"), "absorption and PL are the same spectrum"),
        (("absorption.csv", "pl.csv", "absorption.csv", "--column", "sample"), "no bleach"),
    ],
)
def test_bad_calls_are_refused_in_one_sentence(files, capsys, arguments, why):
    assert re.search(why, refused(capsys, *arguments))


def test_a_reflectance_is_refused(files, capsys):
    text = (files / "absorption.csv").read_text(encoding="utf-8-sig")
    for name in ("%R", "Reflectance"):
        (files / "r.csv").write_text(text.replace("Absorbance", name), encoding="utf-8")
        assert "is a reflectance: give the absorbance" in refused(capsys, "r.csv", *PAIR[1:])


def test_the_header_names_the_unit_that_cannot_be_guessed(files, capsys):
    text = (files / "transient.csv").read_text(encoding="utf-8").replace("E (eV)", "Wavelength")
    (files / "t.csv").write_text(text, encoding="utf-8")
    sentence = refused(capsys, *PAIR[:2], "t.csv", *PAIR[2:])
    assert "or say --transient-unit nm or --transient-unit eV" in sentence


# The dot behind the command.


def a_fit(stokes=45.0, error=0.5, names=(), values=(), errors=()):
    names = (
        *("absorption_energy_eV", "linewidth_meV", "stokes_shift_meV", "emission_linewidth_meV"),
        *names,
    )
    return FittedBands(
        names,
        np.array([2.0, 85.0, stokes, 75.0, *values]),
        np.diag(np.square([1e-3, 1.0, error, 1.0, *errors])),
        {},
    )


def test_a_negative_stokes_shift_is_zero_only_within_its_error():
    fitted = fitted_dot(a_fit(-0.5, 0.5))
    assert fitted.dot.stokes_shift_meV == 0.0
    assert "zero within its error" in fitted.origin["stokes_shift_meV"]
    with pytest.raises(ParameterError, match=r"PL_X 5 ± 0.5 meV to the blue of A_X"):
        fitted_dot(a_fit(-5.0, 0.5))


def test_values_beyond_the_contract_are_refused():
    too_strong = a_fit(names=("xx_absorption_strength",), values=(9.0,), errors=(0.1,))
    with pytest.raises(ParameterError, match="xx_absorption_strength = 9"):
        fitted_dot(too_strong)


def test_samples_that_make_no_sense_are_set_aside_and_counted():
    fitted = fitted_dot(a_fit(1.0, 2.0))
    dots, set_aside = fitted.samples(4000, seed=0)
    # A normal distribution of mean 1 and spread 2 is below zero in 31 % of the draws.
    assert set_aside == pytest.approx(0.309, abs=0.03)
    assert dots.shape == (round(4000 * (1 - set_aside)),)
    assert dots.stokes_shift_meV.min() >= 0
    with pytest.raises(ParameterError, match="does not determine the dot"):
        fitted_dot(a_fit(-1.9, 1.0)).samples(1000, seed=0)


def test_small_errors_reach_the_threshold_as_its_slope_says():
    # No dot is narrower than the sample, so that one dot has the errors of the fit alone.
    fitted = fitted_dot(a_fit(45.0, 0.2))._replace(homogeneous_meV=(1e3, 1e3))
    (at_maximum, *_), set_aside = threshold_intervals(fitted, 0.01, samples=3000)
    assert set_aside == 0
    assert at_maximum.value == pytest.approx(at_maximum.median, rel=1e-2)
    step = 1e-3
    variance = 0.0
    for name, error in fitted.uncertainty.items():
        ends = []
        for sign in (-1, 1):
            values = fitted.dot.values() | {name: fitted.dot.values()[name] + sign * step}
            values["xx_emission_linewidth_meV"] = values["emission_linewidth_meV"]
            dot = qdgain.Dot(**values).uncorrelated()
            ends.append(float(qdgain.threshold_at_maximum(dot).mean_excitons))
        variance += (error * (ends[1] - ends[0]) / (2 * step)) ** 2
    spread = 0.5 * (at_maximum.high - at_maximum.low)
    assert spread == pytest.approx(0.994 * np.sqrt(variance), rel=0.06)


@pytest.mark.slow
def test_intervals_hold_the_true_threshold_as_often_as_they_say():
    truth = float(qdgain.threshold_at_maximum(DOT.uncorrelated()).mean_excitons)
    inside = 0
    for seed in range(8):
        simulated = synthetic_spectra.simulate(DOT, noise=0.03, seed=seed)
        fit = fit_bands(*simulated.against_energy[:2])
        drawn, _ = fitted_dot(fit).samples(400, seed=1)
        thresholds = qdgain.threshold_at_maximum(drawn.uncorrelated()).mean_excitons
        low, high = np.quantile(thresholds, [0.16, 0.84])
        inside += low <= truth <= high
    # Binomial: 5.4 ± 1.3 of 8, or more where errors are cautious.
    assert inside >= 4


def test_out_of_reach_is_no_average():
    weak = a_fit(names=("xx_absorption_strength",), values=(3.9,), errors=(0.01,))
    fitted = fitted_dot(weak)._replace(homogeneous_meV=(1e3, 1e3))
    intervals, _ = threshold_intervals(fitted, 0.31, samples=20)
    with_esa = next(row for row in intervals if row.esa and row.name == "onset")
    assert with_esa.median == with_esa.value == np.inf


def test_the_parameter_file_holds_any_name():
    source = {"absorption": 'a "b"\\é😀\x7f\n.csv', "window": [1.0, 2.5], "odd key": 1}
    table = tomllib.loads(parameter_file(fitted_dot(a_fit()), source))
    assert table["source"] == source
    assert table["uncertainty"]["linewidth_meV"] == 1.0
    with pytest.raises(TypeError):
        parameter_file(fitted_dot(a_fit()), {"none": None})


def test_the_picture_shows_data_fit_and_parts():
    simulated = synthetic_spectra.simulate(DOT, noise=0.01, seed=1)
    fit = fit_bands(*simulated.against_energy)
    panels = picture.panels(fit)
    assert [panel.letter for panel in panels] == ["a", "b", "c"]
    for panel, spectrum in zip(panels, fit.spectra.values(), strict=True):
        parts = {s.name for s in panel.series} - {"measured", "fit", "residual"}
        assert parts == set(spectrum.parts)
        total = sum(np.asarray(panel[name].y) for name in parts)
        np.testing.assert_allclose(total, panel["fit"].y, atol=1e-12)
        assert np.std(panel["residual"].y) == pytest.approx(1.0, abs=0.1)
    assert len(picture.FIGURES["example"].draw(panels).axes) == 2 * 3
    assert len(picture.FIGURES["example"].draw(panels[:2]).axes) == 2 * 2


# One dot and its sample.


def test_one_dot_and_the_spread_of_its_sample_make_the_widths_that_were_measured():
    sample = fitted_dot(a_fit()).dot
    dot, spread = one_dot(sample, 45.0)
    assert dot.emission_linewidth_meV == dot.xx_emission_linewidth_meV == 45.0
    assert np.hypot(dot.emission_linewidth_meV, spread) == pytest.approx(75.0)
    assert np.hypot(dot.linewidth_meV, spread) == pytest.approx(85.0)
    assert one_dot(sample, 300.0)[1] == 0.0


def test_a_sample_of_wider_spread_needs_more_excitons_than_one_dot():
    fitted = fitted_dot(a_fit())._replace(homogeneous_meV=(40.0, 60.0))
    rows, _ = threshold_intervals(fitted, 0.01, samples=10)
    value = {(x.whose, x.name, x.esa): x.value for x in rows}
    assert len(value) == 8
    for esa in (False, True):
        both = [value[whose, "at the gain maximum", esa] for whose in ("one dot", "the sample")]
        assert both[0] < both[1]
    # Of a sample of equal dots the two are one.
    alike = fitted._replace(homogeneous_meV=(1e3, 1e3))
    rows, _ = threshold_intervals(alike, 0.01, samples=2)
    assert rows[0].value == pytest.approx(rows[2].value, rel=1e-3)


def test_the_width_of_one_dot_can_be_given(files, capsys):
    assert run(*PAIR, "--homogeneous-width", "60") == 0
    values, about = the_file()
    assert values["emission_linewidth_meV"] == 60.0
    assert values["linewidth_meV"] < 85
    assert about["origin"]["linewidth_meV"].startswith("given: one dot's A_X, the sample's")
    assert set(about["uncertainty"]) == {"absorption_energy_eV", "stokes_shift_meV"}
    assert "(given, 60 meV)" in " ".join(capsys.readouterr().out.split())


# What the command prints.


def test_the_report_begins_with_the_grade_and_names_each_number(files, capsys):
    assert run(*PAIR) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "grade: good"
    assert lines[1].startswith("  - A_X is known to ±")
    table = {line.split()[0]: line.split()[1:4] for line in lines if line.startswith(("ab", "st"))}
    values, about = the_file()
    for name in ("absorption_energy_eV", "stokes_shift_meV"):
        assert float(table[name][0]) == pytest.approx(values[name], rel=0.02)
        assert float(table[name][1]) == pytest.approx(about["uncertainty"][name], rel=0.1)
        assert table[name][2] == name.rpartition("_")[2]
    assert about["correlation"]["absorption_energy_eV, stokes_shift_meV"] > 0.9
    assert about["source"]["grade"] == "good"


def test_every_number_of_the_report_stands_under_its_own_label(files, capsys, monkeypatch):
    rows = [
        ThresholdInterval(whose, name, esa, *(round(100 * i + j, 2) for j in range(1, 5)))
        for i, (whose, name, esa) in enumerate(
            product(("one dot", "the sample"), ("onset", "at the gain maximum"), (True, False)), 1
        )
    ]
    monkeypatch.setattr(fit_dot, "threshold_intervals", lambda *_: (tuple(rows), 0.25))
    assert run(*THREE) == 0
    printed = capsys.readouterr().out
    values, about = the_file()
    tables = [re.split(r"\s{2,}", line) for line in printed.splitlines()]
    start = next(i for i, cells in enumerate(tables) if cells[0] == "parameter")
    assert tables[start] == ["parameter", "value", "±", "unit", "origin"]
    for name, cells in zip(about["origin"], tables[start + 1 :], strict=False):
        assert cells[0] == name
        if name == "reading":
            assert cells[1:] == [values[name], about["origin"][name]]
            continue
        assert float(cells[1]) == pytest.approx(values[name], rel=0.02, abs=1e-9)
        if name in about["uncertainty"]:
            assert float(cells[2]) == pytest.approx(about["uncertainty"][name], rel=0.1)
        assert cells[-1] == about["origin"][name]
        unit = name.rpartition("_")[2]
        assert (cells[-2] == unit) == (unit in ("eV", "meV"))
    start = next(i for i, cells in enumerate(tables) if cells[0].startswith("gain threshold"))
    assert tables[start][1:] == ["fitted", "median", "68 % interval"]
    for row, cells in zip(rows, tables[start + 1 :], strict=False):
        esa = "with" if row.esa else "without"
        assert cells[0] == f"{row.whose}, {esa} ESA, {row.name}"
        numbers = [float(x) for x in (*cells[1:3], *cells[3].split(" to "))]
        assert numbers == [row.value, row.median, row.low, row.high]
    assert "25 % of the sampled dots were set aside" in printed
    for name, title in {"absorption": "absorption", "pl": "PL", "transient": "transient"}.items():
        line = next(x for x in printed.splitlines() if x.startswith(f"{title} "))
        low, high = about["source"][f"{name}_window_eV"]
        for part in (
            f"{name}.csv",
            repr(about["source"][f"{name}_column"]),
            f"{low:.4g} to {high:.4g}",
        ):
            assert part in line
        assert f", {about['source'][f'{name}_unit']}" in line


def test_every_threshold_is_called_what_it_is():
    """Held to the thresholds of one dot and of a sample, computed by themselves."""
    fitted = fitted_dot(a_fit())
    rows, _ = threshold_intervals(fitted, 0.02, samples=3)
    dot, spread = one_dot(fitted.dot, 75.0)
    sample = Ensemble(inhomogeneous_width_meV=float(spread))
    found = {(x.whose, x.name, x.esa): x.value for x in rows}
    assert len(found) == len(rows) == 8
    for esa, one in ((True, dot), (False, dot.uncorrelated())):
        unused = {"gain_exponent": 1.0, "pi_pulse_fluence_mJ_cm2": 1.0}
        many = ensemble_thresholds(one, sample, "rabi", floor=0.02, **unused)
        expected = {
            ("one dot", "at the gain maximum"): qdgain.threshold_at_maximum(one).mean_excitons,
            ("one dot", "onset"): qdgain.threshold_onset(one, 0.02).mean_excitons,
            ("the sample", "at the gain maximum"): many.at_maximum,
            ("the sample", "onset"): many.onset,
        }
        for key, value in expected.items():
            assert found[*key, esa] == pytest.approx(float(value), rel=1e-3)


@pytest.mark.parametrize(
    ("arguments", "proposed", "more"),
    [
        (("absorption.csv", "pl.csv"), r"(--pl-column), of .*'(\w+)'\)", ()),
        ((*PAIR[:2], "--pl-column", "sampl"), r"(--pl-column): did you mean '(\w+)'", ()),
        (("bare.csv", *PAIR[1:]), r"or say (--absorption-unit) (nm)", ()),
        ((*THREE[:2], "ta.csv", *THREE[3:]), r"for (--transient-column): .*'(10)'", ()),
        (
            (*THREE[:2], "ta.csv", *THREE[3:], "--delay", "0.1"),
            r"ps excitons have not relaxed yet: choose ([\d.]+) ps",
            ("--delay",),
        ),
    ],
)
def test_what_a_refusal_proposes_helps(files, capsys, arguments, proposed, more):
    text = (files / "absorption.csv").read_text(encoding="utf-8-sig")
    (files / "bare.csv").write_text(text.replace("Wavelength (nm)", "pixel"), encoding="utf-8")
    simulated = synthetic_spectra.simulate(DOT, noise=0.01, seed=1)
    delays = [0 * simulated.transient, simulated.transient, simulated.transient]
    text = synthetic_spectra.as_text("nm,-1,2.4,10", simulated.wavelength_nm, *delays)
    (files / "ta.csv").write_text(text, encoding="utf-8")
    found = re.search(proposed, refused(capsys, *arguments)).groups()
    kept = arguments[: arguments.index(more[0])] if more else arguments
    assert run(*kept, *more, *found) == 0


def test_the_report_as_json_has_what_the_file_has(files, capsys):
    assert run(*PAIR, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    values, about = the_file()
    assert found["dot"].pop("reading") == values.pop("reading")
    assert found["dot"] == pytest.approx(values, rel=1e-5)
    assert found["uncertainty"] == pytest.approx(about["uncertainty"], rel=1e-5)
    assert found["grade"] == "good"
    assert found["written"][0].endswith("my-dot.toml")


# A series.


@pytest.mark.slow
def test_a_series_is_a_dot_each_a_table_and_points_to_sweep(files, capsys):
    synthetic_spectra.write_series(files, 3)
    arguments = ("growth_absorption.csv", "growth_pl.csv", "--column", "all", "-o", "growth")
    # The last trace has no exciton, and does not stop the others.
    assert run(*arguments) == 1
    assert "1 of 3 samples were refused" in capsys.readouterr().err
    text = (files / "growth" / "series.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert [row["label"] for row in rows] == ["60 s", "120 s", "180 s"]
    assert rows[-1]["grade"] == "refused"
    assert "no exciton stands out" in rows[-1]["reason"]
    assert abs(float(rows[0]["A_X (eV)"]) - 2.15) < 0.02
    swept = points((*DOT_PARAMETERS,), (), ("growth/points.csv",), ())
    assert swept.size == 2
    with open("growth/120-s.toml", "rb") as stream:
        assert tomllib.load(stream)["stokes_shift_meV"] == pytest.approx(
            swept.block(1, 2)["stokes_shift_meV"][0]
        )
    assert sorted(path.name for path in (files / "growth").iterdir()) == sorted(
        ["60-s.toml", "120-s.toml", "points.csv", "series.csv", "series.png", "series.svg"]
    )
    assert "is there already" in refused(capsys, *arguments)
    table = "label,absorption,absorption_column,emission,emission_column\n"
    row = "a,growth_absorption.csv,60 s,growth_pl.csv,60 s\n"
    (files / "pairs.csv").write_text(table + row, encoding="utf-8")
    assert run("--pairs", "pairs.csv", "-o", "one") == 0
    with open("one/a.toml", "rb") as stream:
        assert tomllib.load(stream)["absorption_energy_eV"] == pytest.approx(
            float(rows[0]["A_X (eV)"]), rel=1e-5
        )


def test_one_file_alone_or_no_such_folder_is_told_what_to_give(files, capsys):
    required = "qdgain: the following arguments are required:"
    assert refused(capsys) == f"{required} absorption, pl, or a folder\n"
    for name in ("absorption.csv", "my-spectra"):
        assert refused(capsys, name) == f"{required} pl, for {name} is no folder\n"


def test_a_folder_is_a_series_of_files_called_alike(files, capsys):
    folder = files / "growth"
    folder.mkdir()
    synthetic_spectra.write_series(folder, 2)
    (folder / "S10-Abs.csv").write_bytes((files / "absorption.csv").read_bytes())
    for name in ("S10-PL.csv", "S2 pl.csv", "S3_em.csv"):
        (folder / name).write_bytes((files / "transient.csv").read_bytes())
    text = (files / "pl.csv").read_text(encoding="utf-8").splitlines()
    cells = (line.split("\t") for line in text[1:])
    one = "\n".join(f"{row[0]},{row[2]}" for row in cells)
    (folder / "S10-PL.csv").write_text(one, encoding="utf-8")
    os.mkfifo(folder / "S2 abs.csv")
    (folder / "notes on absences.txt").write_text("nothing", encoding="utf-8")
    assert run("growth", "-o", "dots") == 1
    printed = capsys.readouterr()
    assert "3 of 5 samples were refused" in printed.err
    text = (files / "dots" / "series.csv").read_text(encoding="utf-8")
    rows = {row["label"]: row for row in csv.DictReader(text.splitlines())}
    assert list(rows) == ["growth 60 s", "growth 120 s", "S2", "S3", "S10"]
    assert "no exciton stands out" in rows["growth 120 s"]["reason"]
    assert "it is not a plain file" in rows["S2"]["reason"]
    assert rows["S3"]["reason"] == "S3 has no absorption file: S3_em.csv."
    assert "S3: S3 has no absorption file" in printed.out
    assert abs(float(rows["S10"]["A_X (eV)"]) - 2.0) < 0.02
    assert abs(float(rows["growth 60 s"]["A_X (eV)"]) - 2.15) < 0.02
    assert (files / "dots" / "growth-60-s.toml").is_file()
    (folder / "S10-PL.csv").write_bytes((files / "pl.csv").read_bytes())
    assert run("growth", "-o", "one", "--pl-column", "sample") == 1
    rows = list(csv.DictReader((files / "one" / "series.csv").open(encoding="utf-8")))
    assert [row["label"] for row in rows if row["grade"] != "refused"] == ["S10"]
    assert "no trace 'sample' for --pl-column" in rows[0]["reason"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("empty",), "the folder empty holds no two files called alike but for a word such as abs"),
        (("empty", "pl.csv"), "the folder empty holds the PL too: leave out pl.csv"),
        (("--pairs", "none.csv"), r"table of pairs none.csv is not usable: it cannot be opened"),
        (("--pairs", "pipe"), r"table of pairs pipe is not usable: .*\(it is not a plain file\)"),
        (
            ("--pairs", "pl.csv"),
            "pl.csv is no table of pairs: it needs a row, and the columns label",
        ),
        (
            ("--pairs", "twice.csv"),
            "two samples would be written to a.toml: give labels that diffe",
        ),
        (
            ("--pairs", "nameless.csv"),
            "line 3 of nameless.csv lacks its label, absorption or emiss",
        ),
        (
            ("pl.csv", "--pairs", "twice.csv"),
            "--pairs names the files itself: leave out absorption",
        ),
        (("absorption.csv", "--column", "all"), "--column all needs an absorption and a PL file"),
        ((*PAIR[:2], "--column", "all", "--json"), "leave out transient and --json"),
        ((*THREE[:3], "--column", "all"), "leave out transient and --json"),
        (("pipe", "pl.csv"), r"absorption file pipe is not usable: .*\(it is not a plain file\)"),
        (("huge.csv", "pl.csv"), "huge.csv is not usable: .*it is larger than 33554432 bytes"),
    ],
)
def test_bad_series_and_files_are_refused_in_one_sentence(files, capsys, arguments, why):
    (files / "empty").mkdir()
    (files / "empty" / "abs.csv").write_text("1,2", encoding="utf-8")
    os.mkfifo(files / "pipe")
    with open(files / "huge.csv", "wb") as stream:
        stream.truncate(40 * 2**20)
    head = "label;absorption;emission\n"
    row = "a;absorption.csv;pl.csv\n"
    (files / "twice.csv").write_text(head + 2 * row, encoding="utf-8")
    (files / "nameless.csv").write_text(head + row + row[1:], encoding="utf-8")
    assert re.search(why, refused(capsys, *arguments))


def test_a_bad_pair_of_a_table_does_not_stop_the_others(files, capsys):
    table = "label;absorption;absorption_column;emission;emission_column\n"
    table += "bad;none.csv;;pl.csv;sample\ngood;absorption.csv;;pl.csv;\n"
    (files / "pairs.csv").write_text(table, encoding="utf-8-sig")
    assert run("--pairs", "pairs.csv", "--column", "sample", "-o", "dots") == 1
    printed = capsys.readouterr()
    assert "1 of 2 samples were refused" in printed.err
    text = (files / "dots" / "series.csv").read_text(encoding="utf-8")
    bad, good = csv.DictReader(text.splitlines())
    assert "none.csv is not usable" in bad["reason"]
    with open("dots/good.toml", "rb") as stream:
        values = tomllib.load(stream)
    # Every number under its own label, here and on the terminal.
    for label, name in {
        "A_X (eV)": "absorption_energy_eV",
        "width of A_X (meV)": "linewidth_meV",
        "Stokes shift (meV)": "stokes_shift_meV",
        "width of PL_X (meV)": "emission_linewidth_meV",
    }.items():
        assert float(good[label]) == pytest.approx(values[name], rel=1e-5)
    cells = next(x for x in printed.out.splitlines() if x.startswith("good")).split()
    assert cells[1::3][:4] == [
        f"{values[name]:.{places}f}"
        for name, places in zip(fit_coverage.FIELDS, (4, 1, 1, 1), strict=True)
    ]
    about = values.pop("uncertainty")
    assert [float(x) for x in cells[3::3][:4]] == pytest.approx(
        [about[name] for name in fit_coverage.FIELDS], rel=0.1
    )
    dot, _ = one_dot(qdgain.Dot(**{k: v for k, v in values.items() if k in DOT_PARAMETERS}), 75.0)
    threshold = float(qdgain.threshold_at_maximum(dot.uncorrelated()).mean_excitons)
    low, found, high = (float(good[x]) for x in ("low", "threshold ⟨N⟩ of one dot", "high"))
    assert found == pytest.approx(threshold, rel=1e-3)
    assert low < found < high


@pytest.mark.parametrize(
    ("mine", "theirs", "both"),
    [
        (["a", "b"], ["b", "a"], [(0, 1), (1, 0)]),
        (["60 s", "90 s"], ["90 s reaction", "60 s reaction"], [(0, 1), (1, 0)]),
        (["x", "y"], ["u", "v"], [(0, 0), (1, 1)]),
        (["x"], ["u", "v"], [(0, 0), (0, 1)]),
    ],
)
def test_traces_that_belong_together(mine, theirs, both):
    assert pairs(mine, theirs) == both


def test_traces_that_belong_to_none_are_refused():
    with pytest.raises(ParameterError, match="do not say which belong together"):
        pairs(["a", "b"], ["c", "d", "e"])
