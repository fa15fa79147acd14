"""A picture of how the library is built, made from its own imports so that it cannot go stale."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from matplotlib.figure import Figure as Picture

import qdgain
from qdgain.figures import style

_LIBRARY = Path(qdgain.__file__).parent
#: The modules of the model to read first: the way from parameters to thresholds and films.
READ_FIRST = (
    *("parameters", "dot", "bands", "populations", "states"),
    *("gain", "threshold", "film", "saturation", "spike"),
)
#: What only helps, or stands in every room, and would hide the way.
_LEFT_OUT = (
    *("chapters", "version", "text", "table", "files"),
    *("interrupts", "benchmark", "stored", "cli"),
)
Graph = Mapping[str, frozenset[str]]


def model() -> Graph:
    """Return which of the modules to read first each of them imports."""
    paths = {name: _LIBRARY / "model" / f"{name}.py" for name in READ_FIRST}
    return _graph(
        {name: {m.rpartition(".")[2] for m in _imports(path)} for name, path in paths.items()}
    )


def rooms() -> Graph:
    """Return which packages, and modules of the top, each of them imports."""
    needs: dict[str, set[str]] = {}
    for path in _LIBRARY.rglob("*.py"):
        room = path.relative_to(_LIBRARY).with_suffix("").parts[0]
        if not room.startswith("__") and room not in _LEFT_OUT:
            needs.setdefault(room, set()).update(m.split(".")[0] for m in _imports(path))
    return _graph(needs)


def floors(graph: Graph) -> list[list[str]]:
    """Return the names floor by floor; each imports from the floors before its own alone."""
    sorter, found = graphlib.TopologicalSorter(graph), []
    sorter.prepare()
    while ready := sorter.get_ready():
        found.append(sorted(ready))
        sorter.done(*ready)
    return found


def draw(graph: Graph) -> Picture:
    """Draw the floors from top to bottom; an arrow leads from a module to one that uses it.

    Where a module reaches another through a third, no arrow of its own is drawn.
    """
    rows = floors(graph)
    place = {
        name: (x - 0.5 * (len(row) - 1), -float(y))
        for y, row in enumerate(rows)
        for x, name in enumerate(row)
    }
    arrow = {"arrowstyle": "->", "color": style.colour("reference"), "shrinkA": 9, "shrinkB": 12}
    box = {"boxstyle": "round,pad=0.35", "facecolor": "white", "edgecolor": "black"}
    with style.book_style():
        picture = style.new_figure(6.4, 0.52 * len(rows))
        ax = picture.subplots()
        ax.set(xlim=(-2, 2), ylim=(0.5 - len(rows), 0.5))
        ax.axis("off")
        for name, needed in _shortest(graph).items():
            for other in sorted(needed):
                # A longer arrow goes further around what stands between.
                bend = f"arc3,rad={0.12 * (place[other][1] - place[name][1] - 1)}"
                ax.annotate(
                    "", place[name], place[other], arrowprops=arrow | {"connectionstyle": bend}
                )
        for name, (x, y) in place.items():
            ax.text(x, y, name, ha="center", va="center", fontsize=9, bbox=box)
    return picture


def _imports(path: Path) -> Iterable[str]:
    """Yield what a module imports from the library, as ``package.module``."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("qdgain"):
            module = (node.module or "").removeprefix("qdgain").removeprefix(".")
            for alias in node.names:
                yield module if "." in module else f"{module}.{alias.name}".removeprefix(".")


def _graph(needs: Mapping[str, set[str]]) -> Graph:
    return {name: frozenset(found & needs.keys() - {name}) for name, found in needs.items()}


def _shortest(graph: Graph) -> Graph:
    """Return the graph without what is also reached through others."""
    reach: dict[str, frozenset[str]] = {}
    for name in graphlib.TopologicalSorter(graph).static_order():
        reach[name] = graph[name].union(*(reach[n] for n in graph[name]))
    return {
        name: frozenset(n for n in found if not any(n in reach[other] for other in found))
        for name, found in graph.items()
    }
