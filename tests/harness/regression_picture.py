"""Pictures of what has moved: reference and now, and the difference below."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from regression import ARRAYS, ROOT, TOLERANCES, Difference, axis_of, floats, sample_indices

PICTURES = ROOT / "_build" / "regression"
#: When everything has moved, a few pictures tell as much as hundreds.
MOST_PICTURES = 12


def draw(difference: Difference) -> Any:
    """Return a figure of a series: reference and now above, their difference below."""
    old, series = difference.reference, difference.now
    figure = Figure(figsize=(8.0, 6.0), layout="constrained")
    hidden = "agrees at the stored points" in difference.sentence
    figure.suptitle(
        f"{difference.chapter}, {difference.panel}: {difference.series}"
        + "\nThe difference lies between the stored points." * hidden,
        fontsize=10,
    )
    comparable = all(
        np.asarray(getattr(series, name)).shape == tuple(old[name]["shape"])
        for name in ARRAYS
        if name in old and getattr(series, name) is not None
    )
    if "z" in old and series.z is not None and comparable:
        _draw_map(figure, old, series)
    else:
        _draw_curve(figure, old, series, difference.array, comparable)
    return figure


def _draw_map(figure: Any, old: dict[str, Any], series: Any) -> None:
    shape = (len(old["y"]["sample"]), len(old["x"]["sample"]))
    reference = floats(old["z"]["sample"]).reshape(shape)
    kept = sample_indices(np.shape(series.z), old["tolerance"], of_map=True)
    now = np.asarray(series.z).ravel()[kept].reshape(shape)
    x, y = floats(old["x"]["sample"]), floats(old["y"]["sample"])
    both = np.concatenate([reference, now])
    ends = (np.nanmin(both), np.nanmax(both))
    axes = figure.subplots(1, 3, sharey=True)
    shown = (("reference", reference), ("now", now), ("now less reference", now - reference))
    for ax, (title, values) in zip(axes, shown, strict=True):
        low, high = (None, None) if title.endswith("less reference") else ends
        mesh = ax.pcolormesh(x, y, values, shading="nearest", cmap="cividis", vmin=low, vmax=high)
        figure.colorbar(mesh, ax=ax, orientation="horizontal")
        ax.set_title(title)
        ax.set_xlabel(old["x_axis"], fontsize=8)
    axes[0].set_ylabel(old["y_axis"], fontsize=8)


def _draw_curve(
    figure: Any, old: dict[str, Any], series: Any, array: str, comparable: bool
) -> None:
    if array not in ("y_low", "y_high") or getattr(series, array) is None or array not in old:
        array = "y"
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    x, y = np.asarray(series.x), np.asarray(getattr(series, array))
    stored_x, stored_y = floats(old["x"]["sample"]), floats(old[array]["sample"])
    above.plot(x, y, "-" if y.size > 1 else "s", color="#D55E00", label=f"now, {array}")
    above.plot(stored_x, stored_y, "o", color="#0072B2", mfc="none", label="reference")
    if TOLERANCES[old["tolerance"]].logs:
        above.set_yscale("log")
    above.legend()
    above.set_ylabel(old["y_axis"], fontsize=8)
    if comparable:
        now = y[sample_indices(y.shape, old["tolerance"])]
        largest = np.nanmax(np.abs(stored_y), initial=0)
        allowed = TOLERANCES[old["tolerance"]].allowed(stored_y, largest)
        below.fill_between(stored_x, -allowed, allowed, color="0.8", label="allowed")
        below.plot(stored_x, now - stored_y, "o-", color="black", label="now less reference")
        below.legend()
    else:
        below.text(0.5, 0.5, "of another shape", ha="center", transform=below.transAxes)
    below.axhline(0, color="black", linewidth=0.6)
    below.set_xlabel(old["x_axis"], fontsize=8)
    below.set_ylabel(f"now less reference [{axis_of('y', old)[1]}]", fontsize=8)


def picture(difference: Difference, folder: Path = PICTURES) -> Path | None:
    """Write an overlay picture of a difference and return its path; None if there is no curve."""
    if difference.reference is None or difference.now is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^\w.+-]+", "-", difference.place).strip("-")
    path = folder / f"{name}.png"
    draw(difference).savefig(path, dpi=100)
    return path


def report(found: list[Difference], folder: Path = PICTURES) -> str:
    """Return what a failing test says: every difference, with pictures of the first ones."""
    lines = []
    for number, difference in enumerate(found):
        path = picture(difference, folder) if number < MOST_PICTURES else None
        lines.append(difference.sentence + (f" Picture: {path}" if path else ""))
    return "\n".join(lines)
