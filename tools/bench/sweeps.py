"""Sweeps without notebooks: points a second on one core and two, and the memory they need.

How much of a second core is lost to the sweep and how much to the machine is seen beside bare
processes, each of which computes the same parts in memory and shares nothing with the other.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil

from bench.measured import Measured, Scale, number, quartiles, slope
from qdgain.reruns.request import names_of
from qdgain.sweep import numbers
from qdgain.sweep.points import points as points_over

#: Small enough to be all start, and large enough that the start does not count.
_START, _LARGE = 10_000, 6_000_000
#: Of one bare process.
_BARE = 1_000_000
_SIZES = (10_000, 100_000, 1_000_000, 3_000_000)
#: Of points, whose memory is compared; the last on request alone: BENCH_LARGEST=100000000.
_MEMORY = (10_000, 1_000_000)
_EVERY_S = 0.05
_MEBIBYTE = 2**20


def measure(scale: Scale) -> list[Measured]:
    with tempfile.TemporaryDirectory(prefix="qdgain-bench-") as name:
        folder = Path(name)
        start, large = (scale.of(size, 100) for size in (_START, _LARGE))
        rates: dict[int, list[float]] = {1: [], 2: []}
        bare: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(min(scale.runs, 3)):
            for processes, found in bare.items():
                found.append(in_memory(scale.of(_BARE, 100), processes))
            for workers, found in rates.items():
                # The difference leaves out what starting takes.
                took = sweep(folder, large, workers)[0] - sweep(folder, start, workers)[0]
                found.append((large - start) / max(took, 1e-3))
        efficiencies, ceilings = (
            [two / (2 * one) for one, two in zip(found[1], found[2], strict=True)]
            for found in (rates, bare)
        )
        return [
            *(_rate(workers, found, large) for workers, found in rates.items()),
            _of(
                "sweeps/efficiency",
                "the second core's worth: points a second of two, over twice those of one",
                efficiencies,
                goal=0.9,
                at_least=True,
            ),
            _of(
                "sweeps/ceiling",
                "the same of two bare processes, which share nothing but the machine",
                ceilings,
            ),
            *_memory(folder, scale),
            _growth(folder, scale),
        ]


def sweep(folder: Path, points: int, workers: int) -> tuple[float, float]:
    """Return how long a sweep takes in seconds, and the memory of all its processes in MiB."""
    target = folder / "sweep"
    shutil.rmtree(target, ignore_errors=True)
    words = ["sweep", "fig08", "--numbers-only", "--workers", str(workers), "-o", str(target)]
    for given in _over(points):
        words += ["--over", given]
    began, peak = time.perf_counter(), 0.0
    command = [sys.executable, "-m", "qdgain", *words]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak = max(peak, _memory_of(process.pid))
            time.sleep(_EVERY_S)
    took = time.perf_counter() - began
    shutil.rmtree(target, ignore_errors=True)
    if process.returncode:
        raise RuntimeError(f"the sweep of {points} points ended with {process.returncode}")
    return took, peak


def _over(points: int) -> tuple[str, str]:
    """Return the axes of a grid of about so many points."""
    side = round(points ** (1 / 2))
    return f"stokes_shift_meV=5:120:{side}", f"linewidth_meV=60:110:{points // side}"


def compute(points: int) -> None:
    """Compute the parts of a sweep one after the other, and print the seconds that it took."""
    found = points_over(names_of("fig08"), _over(points), (), ())
    sweep = numbers.Sweep("fig08", found, {})
    blocks = [sweep.block(start, stop) for _, start, stop in sweep.parts()]
    began = time.perf_counter()
    for block in blocks:
        numbers.part(block)
    print(time.perf_counter() - began)


def in_memory(points: int, processes: int) -> float:
    """Return the points a second of bare processes that compute at the same time."""
    command = [sys.executable, "-c", f"from bench.sweeps import compute; compute({points})"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    started = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        for _ in range(processes)
    ]
    seconds = [float(process.communicate()[0]) for process in started]
    return processes * points / max(seconds)


def _memory_of(pid: int) -> float:
    """Return what a process and those it started take, shared pages counted once, in MiB."""
    total = 0
    with suppress(psutil.NoSuchProcess):
        first = psutil.Process(pid)
        for process in (first, *first.children(recursive=True)):
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                total += process.memory_full_info().pss
    return total / _MEBIBYTE


def _memory(folder: Path, scale: Scale) -> list[Measured]:
    largest = int(os.environ.get("BENCH_LARGEST", "0"))
    sizes = [scale.of(size, 100) for size in _MEMORY] + ([largest] if largest else [])
    baseline = sweep(folder, 100, 2)[1]
    peaks = {size: sweep(folder, size, 2)[1] for size in sizes}
    found = [
        number(
            f"sweeps/memory_{size}",
            f"peak memory at {size:.0e} points, all processes, less that at 100 points",
            peak - baseline,
            "MiB",
            goal=1024,
            detail={"points": size, "peak_MiB": peak, "baseline_MiB": baseline},
        )
        for size, peak in peaks.items()
    ]
    top = max(sizes)
    return [
        *found,
        number(
            "sweeps/flat",
            f"peak memory at {top:.0e} points over that at {sizes[-2]:.0e}, imports included",
            peaks[top] / peaks[sizes[-2]],
            "×",
            detail={"peaks_MiB": {str(size): peak for size, peak in peaks.items()}},
        ),
    ]


def _growth(folder: Path, scale: Scale) -> Measured:
    sizes = scale.sizes(_SIZES)
    times = [sweep(folder, size, 2)[0] for size in sizes]
    found = slope(sizes, times)
    detail = {"sizes": list(sizes), "seconds": times}
    return number("sweeps/growth", "sweep without notebooks, points", found, "slope", detail=detail)


def _rate(workers: int, rates: list[float], points: int) -> Measured:
    what = f"points a second on {workers} core{'s' * (workers > 1)}, {points:.0e} points"
    return _of(f"sweeps/points_per_second_{workers}", what, rates, unit="1/s")


def _of(key: str, what: str, values: list[float], **given) -> Measured:
    low, middle, high = quartiles(values)
    detail = {"runs": np.round(values, 3).tolist()}
    return Measured(key, what, middle, low, high, runs=len(values), detail=detail, **given)
