"""``qdgain rerun``: a chapter, or all of them, with a user's own parameters."""

from __future__ import annotations

import argparse
import html
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from qdgain.chapters import NAMES
from qdgain.commands import Failure, Parser, UsageError, say, tell
from qdgain.files import path_of, refuse_existing, whole
from qdgain.reruns import rerun, run_folder
from qdgain.reruns.request import Request, chapters_named, request, users_of
from qdgain.reruns.run_folder import CARD_FILE, Card, card_of_all, read_card
from qdgain.text import as_json
from qdgain.version import library_hash


def add(command: Parser) -> None:
    """Describe the subcommand."""
    command.description = (
        "Run a chapter of the book, or all, with your own parameters. The folder gets "
        "the executed notebook, its page, each figure as SVG and PNG, each panel as CSV, and a run "
        "card. Nothing is written unless everything was."
    )
    command.add_argument("chapter", nargs="?", help=f"{NAMES} or all; a run card names its own")
    command.parameters()
    command.add_argument("-o", "--output", required=True, help="the folder to write")
    command.flag("--replace", "replace the folder if an earlier run wrote it")


def run(given: argparse.Namespace) -> None:
    """Run what was asked for and say where it is."""
    cards = [card for path in given.file if (card := read_card(path)) is not None]
    chapters = chapters_named(_chapter(given.chapter, cards))
    asked = request(chapters, given.file, given.parameter)
    target = path_of(given.output)
    refuse_existing(target, given.replace, CARD_FILE)
    every = len(chapters) > 1
    if every:
        for line in _who_uses_what(asked):
            tell(line)
    tasks = [rerun.task(chapter, asked.of(chapter)) for chapter in chapters]
    with whole(target, given.replace, CARD_FILE) as folder:
        for todo, executed in _side_by_side(asked, tasks, folder):
            for card in cards:
                if card.chapter == todo.chapter:
                    tell(_against(card, executed))
        if every:
            run_folder.write(folder, _of_all(asked, tasks))
    say(str(target / run_folder.PAGE))


def _chapter(name: str | None, cards: Sequence[Card]) -> str:
    named = {card.chapter for card in cards} if name is None else {name}
    if len(named) != 1:
        raise UsageError(f"name a chapter: {NAMES} or all; only a run card names its own.")
    return named.pop()


def _side_by_side(
    asked: Request, tasks: Sequence[rerun.Task], folder: Path
) -> Iterator[tuple[rerun.Task, rerun.Executed]]:
    """Run chapters on all cores and write the folder of each; yield them in their order."""
    with ThreadPoolExecutor(min(len(tasks), os.cpu_count() or 1)) as pool:
        places = [folder / todo.chapter if len(tasks) > 1 else folder for todo in tasks]
        runs = [pool.submit(_run, asked, *one) for one in zip(tasks, places, strict=True)]
        try:
            for todo, running in zip(tasks, runs, strict=True):
                yield todo, running.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            # One may be just about to start.
            while not all(run.done() for run in runs):
                rerun.kill_kernels()
                time.sleep(0.1)
            raise


def _run(asked: Request, todo: rerun.Task, folder: Path) -> rerun.Executed:
    chapter = todo.chapter
    tell(f"{chapter}: running")
    try:
        executed = rerun.execute(todo)
    except rerun.RunFailed as failure:
        raise Failure(f"{chapter} could not be run: {failure}.") from None
    run_folder.write(folder, run_folder.contents(todo, asked.run(chapter), executed))
    tell(f"{chapter}: done in {executed.duration_s:.1f} s")
    return executed


def _who_uses_what(asked: Request) -> list[str]:
    """Return for each given parameter which chapters use it."""
    users = users_of(asked.chapters)
    lines = [f"{name}: {', '.join(users[name])}" for name in asked.given]
    return lines or ["no parameter is set: every chapter as the paper has it"]


def _against(card: Card, executed: rerun.Executed) -> str:
    """Return how the numbers of a run compare with those of the card it was run from."""
    now = {row["key"]: row["value"] for row in executed.headlines}
    before = card.numbers
    moved = sorted(key for key in now.keys() | before.keys() if now.get(key) != before.get(key))
    if not moved:
        return f"all {len(now)} numbers are those of the card"
    same_library = card.library_hash == library_hash()
    why = "" if same_library else ", which another version of the library computed"
    return f"{len(moved)} of {len(now)} numbers are not those of the card{why}: {', '.join(moved)}"


def _of_all(asked: Request, tasks: Sequence[rerun.Task]) -> dict[str, bytes]:
    """Return the files that stand above the chapters' folders: a page of links, and a card."""
    items = "".join(
        f'<li><a href="{chapter}/{run_folder.PAGE}">{chapter}</a></li>'
        for chapter in asked.chapters
    )
    uses = "".join(f"<li>{html.escape(line)}</li>" for line in _who_uses_what(asked))
    body = f"<h1>One run of every chapter</h1><ul>{items}</ul><h2>Who uses what</h2><ul>{uses}</ul>"
    from qdgain.reruns.page import frame  # noqa: PLC0415 (as in `run_folder.contents`)

    page = frame("One run of every chapter", body)
    return {run_folder.PAGE: page.encode(), CARD_FILE: as_json(card_of_all(tasks)).encode()}
