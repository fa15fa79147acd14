"""Stand-ins for what a sweep calls, so that its bookkeeping is tested without kernels."""

import csv
import json
import os
import pickle
import signal
import sys
import time
from pathlib import Path

from qdgain.reruns import request
from qdgain.reruns.rerun import Executed
from qdgain.reruns.run_folder import CARD_FILE, card
from qdgain.sweep import folder, local, notebooks, points, table
from qdgain.text import as_json

CHAPTER = "fig08"


def one_by_one(jobs):
    """Make the calls here, one after another, with what arrives at a worker."""
    for job in jobs:
        argument = pickle.loads(pickle.dumps(job.argument))
        try:
            yield job, job.function(argument)
        except Exception as error:
            yield job, error


def quick(asked):
    """Return the card of a run that computes its numbers from its parameters in no time."""
    stokes = asked.given["stokes_shift_meV"]
    if stokes == 13.0:
        raise notebooks.Failed("DeadKernelError: Kernel died", 1.5)
    headlines = (
        {"key": "twice", "meaning": "twice the Stokes shift", "value": 2 * stokes, "unit": "meV"},
        {"key": "never", "meaning": "out of reach", "value": "inf", "unit": "1"},
        {"key": "undefined", "meaning": "not defined", "value": "nan", "unit": "1"},
    )
    executed = Executed("{}", headlines, {}, "2000-01-01T00:00:00+00:00", 0.25)
    run = request.Request((CHAPTER,), asked.given).run(CHAPTER)
    return {CARD_FILE: as_json(card(asked.todo, run, executed, {})).encode()}


def table_of(target):
    """Return the rows of a sweep's table."""
    with (target / table.CSV_FILE).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def logged(asked):
    """Do as `quick` does, slowly, and note start and end of each call in a file."""
    log = Path(os.environ["SWEEP_LOG"])
    name = f"{asked.given['stokes_shift_meV']:g}"
    with log.open("a") as stream:
        stream.write(f"start {name}\n")
    if name == os.environ.get("SWEEP_DEADLY"):
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.25)
    return quick(asked)


def sweep_of(*over, function=quick, **fixed):
    """Return a sweep of fig08 that executes nothing."""
    names = request.names_of(CHAPTER)
    found = points.points(names, over, (), tuple(fixed))
    return notebooks.Sweep(CHAPTER, found, fixed, "{}", function=function)


def main(target, over):
    """Sweep on two local workers, and print how it ended."""
    target, sweep = Path(target), sweep_of(over, function=logged)
    with folder.opened(target, sweep.definition(), {}), local.local(2) as spread:
        for progress in notebooks.run(sweep, target, spread):
            last = progress
    notebooks.write_table(sweep, target)
    print(json.dumps(last._asdict()))


if __name__ == "__main__":
    # As a module, so that workers can import what they are sent.
    import sweep_fakes

    sweep_fakes.main(*sys.argv[1:])
