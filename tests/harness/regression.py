"""Every series of every figure against its stored reference.

A reference holds a sample of each array and statistics of all of it, or every point where the
tolerance would hide one in a mean, so that no point can move unseen by a thousandth of the largest;
units, axes and letters are compared as text. `make references REASON="..."`, in
`update_references`, stores anew what has changed, and nothing else does.
"""

from __future__ import annotations

import fnmatch
import hashlib
import importlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from qdgain import chapters

ROOT = Path(__file__).resolve().parents[2]
REFERENCES = ROOT / "tests" / "harness" / "reference"
#: What is compared, a file each: every chapter as it is in the book, the fit of its page on
#: spectra, and runs with a dot of one's own, for the 5LS, the sequential law and the readings that
#: no chapter draws by itself.
RUNS: Mapping[str, Mapping[str, Any]] = {
    **{chapter: {} for chapter in chapters.CHAPTERS},
    "calibrated": {},
    "fit": {},
    "fig06-five-levels": {"stokes_shift_meV": 30.0},
    "fig08-sequential": {"statistics": "sequential", "stokes_shift_meV": 30.0},
    "fig08-mixed": {
        "reading": "mixed",
        "remaining_absorption": 0.3,
        "full_dot_absorption": 0.8,
        "stokes_shift_meV": 40.0,
        "absorptive_binding_meV": 60.0,
        "xx_absorption_strength": 0.7,
        "xx_emission_strength": 1.0,
    },
    "fig08-degenerate": {
        "reading": "degenerate",
        "statistics": "poisson",
        "stokes_shift_meV": 10.0,
    },
}
CHAPTERS = tuple(RUNS)
#: Counts as one more figure of its chapter.
HEADLINES = "headlines"
#: What the ledger makes of the stored headlines, as it was last looked at.
VERDICTS = ROOT / "tests" / "ledger" / "verdicts.json"

_CURVE, _MAP = 25, 13
ARRAYS = ("x", "y", "z", "y_low", "y_high")
#: Multiples of the golden ratio never repeat: no two weights of a projection are alike.
_GOLDEN = (np.sqrt(5) - 1) / 2
STATISTICS = ("mean", "rms", "least", "largest", "projection 1", "projection 2", "projection 3")


class Tolerance(NamedTuple):
    """How far a value may be off: ``relative`` of itself plus ``absolute`` of the largest."""

    relative: float
    absolute: float
    because: str
    logs: bool = False

    def allowed(self, reference: np.ndarray, largest: float) -> np.ndarray:
        # Zero has no size of its own: what is exactly zero here may be a rounding error elsewhere.
        return self.relative * np.abs(reference) + self.absolute * (largest or 1.0)

    @property
    def every_point(self) -> bool:
        """Whether all points are stored: of n in a mean, one may be off by n times as much."""
        return self.relative > 1e-7

    def store(self) -> dict[str, Any]:
        return {"relative": self.relative, "absolute": self.absolute, "because": self.because}


TOLERANCES = {
    "closed form": Tolerance(
        1e-9,
        1e-12,
        "evaluated directly or by a root found to rounding: other libraries change the last "
        "three or four digits of double precision at most",
    ),
    "over decades": Tolerance(
        1e-8,
        0.0,
        "an exponential of a large number, read on a logarithmic axis: compared point by point, "
        "with statistics of the logarithms, and the exponent's rounding comes out multiplied",
        logs=True,
    ),
    "extremum": Tolerance(
        1e-5,
        1e-5,
        "hangs on the place of a smooth maximum or minimum, which is known to the square root of "
        "rounding only, and a difference of two such places to less",
    ),
    "pole": Tolerance(
        1e-6,
        1e-9,
        "runs into a pole, where a difference that nearly cancels divides and its rounding grows",
    ),
    "fit": Tolerance(
        1e-4,
        1e-5,
        "a least-squares fit of simulated noise ends where its steps become small; other linear "
        "algebra moved it by up to 1e-6",
    ),
    "fit without a clear minimum": Tolerance(
        5e-3,
        1e-3,
        "a fit of seven parameters to one spectrum has a nearly flat valley, along which other "
        "linear algebra moved its end by up to 3e-3",
    ),
}

#: Which tolerance: the first pattern of "chapter/figure/series" that fits.
RULES = (
    ("fig06/photoluminescence/fit, one standard error", "fit"),
    ("fig06/headlines/fig06-hot-cooling", "fit"),
    ("fig06/headlines/fig06-hot-cooling-error", "fit"),
    ("fig06/headlines/fig06-resolved", "fit"),
    ("fig07/four_bands/single fit, 8 noise seeds", "fit without a clear minimum"),
    ("fig07/four_bands/*", "fit"),
    ("fig07/headlines/fig07-global-actual-*", "fit"),
    ("fig07/continuous_gain/?LS, 300 K", "pole"),
    ("fig08/contours/*at onset", "extremum"),
    ("fig08/headlines/fig08-apart-*", "extremum"),
    ("fig08/headlines/fig08-worst-*", "extremum"),
    ("fig09/saturation/*", "over decades"),
    ("balance/lineshape/?LS", "extremum"),
    ("balance/headlines/balance-max-[0-9]*", "extremum"),
    ("balance/headlines/balance-peaks-*", "extremum"),
    ("design/ways/*", "extremum"),
    ("design/repulsion/*", "extremum"),
    # Given, or at one photon energy.
    ("design/headlines/design-goal", "closed form"),
    ("design/headlines/design-floor", "closed form"),
    ("design/headlines/design-linewidth", "closed form"),
    ("design/headlines/design-stokes-?ls", "closed form"),
    ("design/headlines/*biexciton-stokes*", "closed form"),
    ("design/headlines/design-now-?ls", "closed form"),
    ("design/headlines/*", "extremum"),
    ("auger/own/*", "extremum"),
    ("auger/headlines/auger-own-*", "extremum"),
    ("fit/example/*", "fit"),
    ("fit/headlines/fit-example-*", "fit"),
    # Differences of roots over small steps.
    ("information/local/*", "extremum"),
    ("information/headlines/information-elasticity-*", "extremum"),
    ("*", "closed form"),
)


def tolerance_of(chapter: str, figure: str, series: str) -> str:
    """Return the name of a series' tolerance, or of a headline's."""
    path = f"{page_of(chapter)}/{figure}/{series}"
    return next(name for pattern, name in RULES if fits(path, pattern))


def fits(path: str, pattern: str) -> bool:
    """Return whether a rule's pattern is for this series."""
    return fnmatch.fnmatchcase(path, pattern)


# --- what is computed now


def page_of(chapter: str) -> str:
    """Return which page of the book a run belongs to: ``fig08`` of ``fig08-sequential``."""
    return chapter.partition("-")[0]


def module_of(chapter: str) -> ModuleType:
    """Return the chapter's module, as it is imported at this moment."""
    return importlib.import_module(f"qdgain.figures.{page_of(chapter)}")


def run_of(chapter: str) -> tuple[Any, ...]:
    """Return the arguments of a chapter's functions: its run, or nothing."""
    settings = getattr(module_of(chapter), "SETTINGS", None)
    if settings is None:
        return ()
    return (importlib.import_module("qdgain.run").resolve(settings, RUNS[chapter]),)


def figures_of(chapter: str) -> tuple[str, ...]:
    """Return the chapter's figures, and the headlines last."""
    return (*module_of(chapter).FIGURES, HEADLINES)


def result(chapter: str, figure: str) -> Any:
    """Return a figure's panels as its drawing takes them, one or several, or the headlines."""
    module = module_of(chapter)
    if figure == HEADLINES:
        return tuple(module.headlines(*run_of(chapter)))
    return module.FIGURES[figure].panels(*run_of(chapter))


#: The same, computed once a process.
result_once = cache(result)


def compute(chapter: str, figure: str) -> tuple[Any, ...]:
    """Return a figure's panels, or the chapter's headlines."""
    return _as_tuple(result(chapter, figure))


def computed(chapter: str, figure: str) -> tuple[Any, ...]:
    """Return the same, computed once a process."""
    return _as_tuple(result_once(chapter, figure))


def _as_tuple(found: Any) -> tuple[Any, ...]:
    return found if isinstance(found, tuple) else (found,)


# --- as plain data


def sample_indices(shape: tuple[int, ...], tolerance: str, of_map: bool = False) -> np.ndarray:
    """Return which points of an array are stored, as indices into it laid flat."""
    if TOLERANCES[tolerance].every_point:
        return np.arange(int(np.prod(shape)))
    most = _MAP if of_map else _CURVE
    kept = [
        np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(int)) if n else np.arange(0)
        for n in shape
    ]
    grid = np.meshgrid(*kept, indexing="ij")
    return np.ravel_multi_index(tuple(grid), shape).ravel()


def gaps(flat: np.ndarray) -> list[list[Any]]:
    """Return the runs of values that are not finite, each as first index, length and value."""
    kinds = np.select([np.isnan(flat), flat == np.inf, flat == -np.inf], [1, 2, 3], 0)
    starts = np.flatnonzero(np.diff(kinds, prepend=-1))
    ends = np.append(starts[1:], kinds.size)[: starts.size]
    return [
        [int(start), int(end - start), ("", "nan", "inf", "-inf")[kinds[start]]]
        for start, end in zip(starts, ends, strict=True)
        if kinds[start]
    ]


def statistics(flat: np.ndarray, logs: bool) -> np.ndarray:
    """Return `STATISTICS` of the finite values, or of their logarithms.

    Every one is a mean or an extremum, so that none moves further than the values did.
    """
    finite = np.isfinite(flat)
    values = flat[finite]
    if not values.size:
        return np.zeros(len(STATISTICS))
    if logs:
        values = np.log(np.maximum(np.abs(values), 1e-300))
    turns = _GOLDEN * np.arange(1, flat.size + 1)[finite]
    waves = [np.cos(2 * np.pi * (k * turns + k * k / 7)) for k in (1, 2, 3)]
    return np.array(
        [
            values.mean(),
            np.sqrt(np.mean(values**2)),
            values.min(),
            values.max(),
            *(np.mean(wave * values) for wave in waves),
        ]
    )


def array_record(values: Any, logs: bool, tolerance: str, of_map: bool) -> dict[str, Any]:
    array = np.asarray(values, dtype=float)
    return {
        "shape": list(array.shape),
        "gaps": gaps(array.ravel()),
        "statistics": statistics(array.ravel(), logs),
        "sample": array.ravel()[sample_indices(array.shape, tolerance, of_map)],
    }


def series_record(series: Any, tolerance: str) -> dict[str, Any]:
    record = {name: getattr(series, name) for name in ("kind", "quantity", "dash")}
    for name in ("x_axis", "y_axis", "z_axis"):
        axis = getattr(series, name)
        if axis is not None:
            record[name] = axis.column
    record["tolerance"] = tolerance
    logs = TOLERANCES[tolerance].logs
    for name in ARRAYS:
        values = getattr(series, name)
        if values is not None:
            # The axis of a curve over decades is an axis like any other.
            record[name] = array_record(
                values, logs and name not in ("x", "z"), tolerance, series.z is not None
            )
    return record


def figure_record(chapter: str, figure: str, result: tuple[Any, ...]) -> dict[str, Any]:
    """Return a figure's panels, or a chapter's headlines, as plain data with arrays."""
    if figure == HEADLINES:
        return {
            row.key: {
                "value": float(row.value),
                "unit": row.unit,
                "tolerance": tolerance_of(chapter, figure, row.key),
            }
            for row in result
        }
    return {
        f"{figure}, {number}": {
            "letter": panel.letter,
            "title": panel.title,
            "series": {
                series.name: series_record(series, tolerance_of(chapter, figure, series.name))
                for series in panel.series
            },
        }
        for number, panel in enumerate(result, start=1)
    }


# --- stored


def content_sum(content: Mapping[str, Any]) -> str:
    """Return a hash of a reference's tolerances and figures, whatever their layout in the file."""
    held = {name: content[name] for name in ("tolerances", "figures")}
    return hashlib.sha256(json.dumps(held, ensure_ascii=False).encode()).hexdigest()[:16]


@cache
def stored(chapter: str, folder: Path = REFERENCES) -> dict[str, Any]:
    """Return a chapter's reference as it is in its file."""
    path = folder / f"{chapter}.json"
    if not path.exists():
        return {"tolerances": {}, "figures": {}}
    return json.loads(path.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


# --- compared


class Difference(NamedTuple):
    """What has moved, in a sentence, and what is needed for a picture of it."""

    chapter: str
    figure: str
    panel: str
    series: str
    sentence: str
    array: str = ""
    reference: dict[str, Any] | None = None
    now: Any = None

    @property
    def place(self) -> str:
        return "/".join(part for part in (self.chapter, self.panel or self.figure, self.series))


def floats(values: list[Any]) -> np.ndarray:
    return np.array([float(value) for value in values], dtype=float)


def differences(
    chapter: str, figure: str, result: tuple[Any, ...], reference: dict[str, Any]
) -> Iterator[Difference]:
    """Yield what differs between a computed figure and its reference, the first thing first.

    Parameters
    ----------
    chapter, figure : str
        Such as ``fig08`` and ``contours``.
    result : tuple
        Panels, or headlines, from `compute`.
    reference : dict
        From `stored`.
    """
    known = reference["figures"].get(figure, {})
    now = figure_record(chapter, figure, result)
    if figure == HEADLINES:
        yield from _headline_differences(chapter, known, now)
        return
    for sentence in _names(f"{chapter}, {figure}", "panel", known, now):
        yield Difference(chapter, figure, "", "", sentence)
    for panel, (name, found) in zip(result, now.items(), strict=True):
        if name not in known:
            continue
        place = f"{chapter}, panel {found['letter'] or 'without letter'} ({name}: {found['title']})"
        for text in ("letter", "title"):
            if found[text] != known[name][text]:
                old = known[name][text]
                sentence = f"{place}: its {text} is {found[text]!r}, in the reference {old!r}."
                yield Difference(chapter, figure, name, "", sentence)
        for sentence in _names(place, "series", known[name]["series"], found["series"]):
            yield Difference(chapter, figure, name, "", sentence)
        for series in panel.series:
            if series.name in known[name]["series"]:
                old = known[name]["series"][series.name]
                for array, sentence in _series_differences(old, found["series"][series.name]):
                    where = f"{place}, series {series.name!r}: {sentence}"
                    yield Difference(chapter, figure, name, series.name, where, array, old, series)


def _names(place: str, what: str, known: dict[str, Any], now: dict[str, Any]) -> Iterator[str]:
    for name in known:
        if name not in now:
            yield f"{place}: {what} {name!r} of the reference is no longer there."
    for name in now:
        if name not in known:
            yield f"{place}: {what} {name!r} is new and has no reference."
    if list(known) != list(now) and set(known) == set(now):
        yield f"{place}: the {what} are in another order: {', '.join(now)}."


def _headline_differences(
    chapter: str, known: dict[str, Any], now: dict[str, Any]
) -> Iterator[Difference]:
    for sentence in _names(chapter, "headline", known, now):
        yield Difference(chapter, HEADLINES, "", "", sentence)
    for key, found in now.items():
        if key not in known:
            continue
        old, place = known[key], f"{chapter}, headline {key}"
        if found["unit"] != old["unit"]:
            sentence = f"{place}: its unit is {found['unit']!r}, in the reference {old['unit']!r}."
            yield Difference(chapter, HEADLINES, "", key, sentence)
        reference, value = float(old["value"]), found["value"]
        tolerance = TOLERANCES[old["tolerance"]]
        both = np.isfinite(reference) and np.isfinite(value)
        # Zero has no size of its own: what is exactly zero here may be a rounding error elsewhere.
        allowed = (
            float(tolerance.allowed(np.array(reference), abs(reference) or 1)) if both else 0.0
        )
        same = abs(value - reference) <= allowed if both else str(value) == str(reference)
        if not same:
            sentence = (
                f"{place}: {with_unit(value, old['unit'])}, in the reference {reference:.10g}"
                f"{_against(value - reference, allowed, old['tolerance'])}."
            )
            yield Difference(chapter, HEADLINES, "", key, sentence)


def with_unit(value: float, unit: str) -> str:
    return f"{value:.10g}" if unit == "1" else f"{value:.10g} {unit}"


def _against(off: float, allowed: float, tolerance: str) -> str:
    return f", off by {off:.3g} where {allowed:.2g} is allowed ({tolerance})"


def _series_differences(old: dict[str, Any], now: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name in dict.fromkeys((*old, *now)):
        if name == "tolerance":
            continue
        if name not in now or name not in old:
            yield (
                name,
                f"{name} is {'no longer there' if name in old else 'new, without reference'}.",
            )
        elif name not in ARRAYS:
            if old[name] != now[name]:
                yield name, f"{name} is {now[name]!r}, in the reference {old[name]!r}."
        elif now[name]["shape"] != old[name]["shape"]:
            shape, stored_shape = tuple(now[name]["shape"]), tuple(old[name]["shape"])
            yield name, f"{name} has the shape {shape}, in the reference {stored_shape}."
        elif len(now[name]["sample"]) != len(old[name]["sample"]):
            yield name, f"{name} is stored at other points than its tolerance asks for."
        elif now[name]["gaps"] != old[name]["gaps"]:
            yield name, _gaps_differ(name, old[name]["gaps"], now[name]["gaps"])
        else:
            sentence = _array_difference(name, old, now)
            if sentence:
                yield name, sentence


def _gaps_differ(name: str, old: list[Any], now: list[Any]) -> str:
    def told(runs: list[Any]) -> str:
        each = [f"{value} at {first} to {first + length - 1}" for first, length, value in runs]
        return ", ".join(each) or "finite everywhere"

    return f"{name} is {told(now)}, in the reference {told(old)} (positions in the array)."


def _array_difference(name: str, old: dict[str, Any], now: dict[str, Any]) -> str:
    tolerance = TOLERANCES[old["tolerance"]]
    reference, value = floats(old[name]["sample"]), now[name]["sample"]
    statistic = floats(old[name]["statistics"])
    largest = float(np.max(np.abs(statistic[2:4])))
    scale = largest
    if tolerance.logs and name not in ("x", "z"):
        scale = float(
            np.nanmax(np.abs(np.where(np.isfinite(reference), reference, np.nan)), initial=0)
        )
    finite = np.isfinite(reference)
    off = np.where(finite, value - np.where(finite, reference, 0), 0)
    allowed = tolerance.allowed(np.where(finite, reference, 0), scale)
    excess = np.abs(off) - allowed
    if np.any(excess > 0):
        with np.errstate(divide="ignore"):
            worst = int(np.argmax(np.abs(off) / np.maximum(allowed, 1e-300)))
        at = _coordinates(name, old, worst)
        unit = axis_of(name, old)[1]
        return (
            f"{name} differs at {int(np.sum(excess > 0))} of {off.size} points, most at {at}: "
            f"{with_unit(value[worst], unit)}, in the reference {reference[worst]:.10g}"
            f"{_against(off[worst], allowed[worst], old['tolerance'])}."
        )
    off = now[name]["statistics"] - statistic
    allowed = float(tolerance.allowed(np.array(largest), largest))
    if np.any(np.abs(off) > allowed):
        worst = int(np.argmax(np.abs(off)))
        points = int(np.prod(old[name]["shape"]))
        return (
            f"{name} agrees at the stored points, but the {STATISTICS[worst]} over all {points} is "
            f"{now[name]['statistics'][worst]:.10g}, in the reference {statistic[worst]:.10g}"
            f"{_against(off[worst], allowed, old['tolerance'])}."
        )
    return ""


def axis_of(array: str, record: dict[str, Any]) -> tuple[str, str]:
    """Return name and unit of what an array holds."""
    axis = record.get(f"{array[0]}_axis", " []")
    name, unit = re.fullmatch(r"(.*) \[(.*)\]", axis).groups()  # type: ignore[union-attr]
    return name, unit


def _coordinates(array: str, record: dict[str, Any], place: int) -> str:
    """Say where a stored point lies."""
    if array == "x" or (array == "y" and "z" in record):
        return f"point {place + 1}"
    if array == "z":
        columns = len(record["x"]["sample"])
        where = {"y": place // columns, "x": place % columns}
    else:
        where = {"x": place}
    told = []
    for name, index in sorted(where.items()):
        axis, unit = axis_of(name, record)
        unit = "" if unit == "1" else f" {unit}"
        told.append(f"{axis} = {float(record[name]['sample'][index]):.6g}{unit}")
    return ", ".join(told)


def moved_verdict() -> str:
    """Return the first statement that the ledger judges otherwise by the stored headlines, or ''.

    By the ledger as it is imported at this moment, from the numbers of every chapter's reference.
    """
    claims, shares, verdicts = (
        importlib.import_module(f"qdgain.{name}")
        for name in ("paper.claims", "ledger.shares", "ledger.verdicts")
    )
    entries = {
        key: entry
        for chapter in chapters.CHAPTERS
        for key, entry in stored(chapter)["figures"][HEADLINES].items()
    }
    numbers = {
        key: claims.Headline(key, "", float(entry["value"]), entry["unit"])
        for key, entry in entries.items()
    }
    looked_at = json.loads(VERDICTS.read_text(encoding="utf-8"))
    for name, claim in claims.claims().items():
        row = verdicts.row(claim, numbers, shares.over(name))
        if [row.verdict, row.rests_on] != looked_at.get(name):
            return str(name)
    return ""
