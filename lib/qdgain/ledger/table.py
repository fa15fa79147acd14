"""The ledger as HTML: the whole table, a chapter's part of it, and the count of verdicts.

Links are relative to the book's pages. Nothing needs a script; ``_static/ledger.js`` adds filters
and sorting where there is one.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from qdgain.chapters import api_page_of
from qdgain.ledger import matrix as statements_matrix
from qdgain.ledger import verdicts
from qdgain.ledger.verdicts import Row
from qdgain.paper.claims import KINDS, Claim
from qdgain.text import significant, with_unit

#: What each verdict means, in a few words.
MEANINGS = {
    verdicts.REPRODUCED: "follows from the calibrated model, and holds",
    verdicts.DEVIATES: "does not hold in the model",
    verdicts.CONTRADICTS: "at odds with another statement of the paper",
    verdicts.CALIBRATED: "used to find the parameters, so that agreement proves nothing",
    verdicts.BY_CONSTRUCTION: "true of the equations, whatever the parameters",
    verdicts.QUOTED: "a measurement, for comparison",
    verdicts.NOT_COMPUTABLE: "something is missing, and said",
}
LEDGER_PAGE = "ledger.html"
_THRESHOLDS = {"maximum": "threshold at the gain maximum", "onset": "onset of gain"}
_STATISTICS = {"rabi": "Rabi", "sequential": "sequential", "poisson": "Poisson"}


class Fragment:
    """A piece of a page, with plain text for where there is no HTML."""

    def __init__(self, markup: str, text: str) -> None:
        self.markup, self.text = markup, text

    def _repr_html_(self) -> str:
        return self.markup

    def __repr__(self) -> str:
        return self.text


def full(page_of: Callable[[str], str]) -> Fragment:
    """Return the whole ledger.

    Parameters
    ----------
    page_of : callable
        Chapter to the file name of its page.
    """
    rows = verdicts.ledger()
    head = ("id", "statement of the paper", "stated", "computed", "residual", "verdict")
    lines = [_row(row, page_of(row.chapter)) for row in rows]
    table = _table("ledger", head, lines, "The paper's statements, what the model gives, verdicts")
    script = '<script src="../_static/ledger.js" defer></script>'
    return Fragment(table + script, _as_text(rows))


def of_chapter(chapter: str) -> Fragment:
    """Return the statements shown with one chapter's figures, such as ``fig08``."""
    rows = verdicts.rows_of(chapter)
    head = ("id", "statement of the paper", "stated", "computed", "verdict")
    lines = [
        f"<tr><th scope='row'>{_link(row.claim.id, LEDGER_PAGE + '#' + row.claim.id)}</th>"
        f"{_cell('statement', html.escape(row.claim.statement))}"
        f"{_cell('stated', html.escape(row.stated_text))}"
        f"{_cell('computed', html.escape(row.computed_text))}"
        f"{_cell('verdict', _badge(row))}</tr>"
        for row in rows
    ]
    caption = "The paper's statements this chapter answers"
    return Fragment(_table("ledger ledger-part", head, lines, caption), _as_text(rows))


def summary(page: str = LEDGER_PAGE) -> Fragment:
    """Return how many statements have each verdict, each linked to those statements.

    Parameters
    ----------
    page : str
        The ledger's page as seen from the page with the summary.
    """
    rows = verdicts.ledger()
    items = [
        f"<li><a href='{page}#{_slug(name)}'><strong>{n}</strong> "
        f"<span class='verdict {_slug(name)}'>{name}</span></a> {html.escape(MEANINGS[name])}</li>"
        for name, n in verdicts.counts(rows).items()
    ]
    text = ", ".join(f"{n} {name}" for name, n in verdicts.counts(rows).items())
    return Fragment("<ul class='verdicts'>" + "".join(items) + "</ul>", text)


def legend() -> Fragment:
    """Return the verdicts with their counts, as the places that the summary links to."""
    found = verdicts.counts(verdicts.ledger())
    items = [
        f"<div id='{_slug(name)}'><dt><span class='verdict {_slug(name)}'>{name}</span> "
        f"{found[name]}</dt><dd>{html.escape(meaning)}</dd></div>"
        for name, meaning in MEANINGS.items()
    ]
    text = "\n".join(f"{name} ({found[name]}): {meaning}" for name, meaning in MEANINGS.items())
    return Fragment("<dl class='verdicts'>" + "".join(items) + "</dl>", text)


def deviations() -> Fragment:
    """Return every deviation, contradiction and missed condition of the calibration in words."""
    rows = [
        row
        for row in verdicts.ledger()
        if row.group in (verdicts.DEVIATES, verdicts.CONTRADICTS)
        or (row.group == verdicts.CALIBRATED and row.claim.checks and not row.holds)
    ]
    items, lines = [], []
    for row in rows:
        numbers = _sides(row)
        statement = row.claim.statement[0].upper() + row.claim.statement[1:]
        items.append(
            f"<li>{_link(row.claim.id, '#' + row.claim.id)} {_badge(row, number=False)}. "
            f"{html.escape(statement)}. {html.escape(numbers)}. {_rich(row.note)}</li>"
        )
        lines.append(f"{row.claim.id}, {row.verdict}. {statement}. {numbers}.")
    return Fragment("<ul class='deviations'>" + "".join(items) + "</ul>", "\n".join(lines))


def _sides(row: Row) -> str:
    """Return what is stated, what is computed, and what stands against it, in a sentence."""
    meaning = f" ({row.headline.meaning})" if row.headline else ""
    same = bool(row.claim.against) and row.claim.against == row.claim.key
    phrases = (
        row.stated_text and f"Stated: {row.stated_text}",
        row.computed_text and not same and f"computed: {row.computed_text}{meaning}",
        row.other and f"against: {_against(row)}",
    )
    found = "; ".join(phrase for phrase in phrases if phrase)
    return found[:1].upper() + found[1:]


def matrix() -> Fragment:
    """Return the statements under every reading, refitted and with the presets."""
    columns = statements_matrix.matrix()
    readings = [reading for reading, _ in columns if reading.refitted]
    head = "<tr><th scope='col' rowspan='2'>statement</th>"
    head += "<th scope='col' rowspan='2'>stated, unit</th>"
    span = len(statements_matrix.STATISTICS)
    head += "".join(
        f"<th scope='colgroup' colspan='{span}'>{_THRESHOLDS[name]}</th>"
        for name in statements_matrix.THRESHOLDS
    )
    head += "</tr><tr>"
    head += "".join(f"<th scope='col'>{_STATISTICS[r.statistics]}</th>" for r in readings) + "</tr>"
    lines = [_solution_line(readings)]
    lines += [_matrix_line(claim, columns) for claim in statements_matrix.rows()]
    caption = "Refitted under each reading; with the presets in the second line of each cell"
    table = (
        f"<div class='ledger-frame'><table class='matrix'><caption>{caption}</caption>"
        f"<thead>{head}</thead><tbody>" + "\n".join(lines) + "</tbody></table></div>"
    )
    text = "\n".join(
        f"{claim.id}: "
        + ", ".join(significant(cells[claim.id].headline.value, 3) for _, cells in columns)
        for claim in statements_matrix.rows()
    )
    return Fragment(table, text)


def _solution_line(readings: Sequence[statements_matrix.Reading]) -> str:
    """Return how well each reading's parameters meet what they were solved for."""
    cells = []
    for reading in readings:
        variant = statements_matrix.best_variant(reading.threshold, reading.statistics)
        solution = variant["with_conditions"]
        met = sum(value >= 0 for value in solution["conditions"].values())
        cells.append(
            f"<td>{variant['free_parameters']} parameters; "
            f"largest residual {100 * solution['largest_residual']:.1f} %; "
            f"{met} of {len(solution['conditions'])} conditions</td>"
        )
    return f"<tr><th scope='row'>the fit</th><td></td>{''.join(cells)}</tr>"


def _matrix_line(
    claim: Claim,
    columns: Sequence[tuple[statements_matrix.Reading, Mapping[str, statements_matrix.Cell]]],
) -> str:
    shown = [cells[claim.id] for _, cells in columns]
    pairs = zip(shown[::2], shown[1::2], strict=True)
    cells = "".join(
        f"<td>{_mark(refitted)}<br><span class='presets'>{_mark(fixed)}</span></td>"
        for refitted, fixed in pairs
    )
    unit = shown[0].headline.unit
    stated = f"{claim.stated_text} {'' if unit == '1' else unit}"
    name = _link(claim.id, f"{LEDGER_PAGE}#{claim.id}")
    kind = " (calibrates)" if claim.kind == "C" else ""
    rule = f"<br><span class='presets'>{html.escape(claim.criterion)}</span>" * bool(
        claim.criterion
    )
    return (
        f"<tr><th scope='row'>{name}{kind}<br>{html.escape(claim.statement)}{rule}</th>"
        f"<td>{html.escape(stated.strip())}</td>{cells}</tr>"
    )


def _mark(cell: statements_matrix.Cell) -> str:
    value = significant(cell.headline.value, 3)
    word = "holds" if cell.holds else "fails"
    sign = "✓" if cell.holds else "✗"
    return f"<span class='{word}'><span aria-label='{word}'>{sign}</span> {value}</span>"


def hanging_on_rabi(refitted: bool = True) -> Fragment:
    """Return the statements that hold under Rabi statistics and under no other.

    Parameters
    ----------
    refitted : bool
        Whether each statistics has parameters of its own, or all have the presets.
    """
    return _list_of(statements_matrix.hanging_on_rabi(refitted))


def failing_on_rabi() -> Fragment:
    """Return the statements that fail under Rabi statistics and hold under another."""
    return _list_of(statements_matrix.failing_on_rabi())


def _list_of(found: Iterable[Claim]) -> Fragment:
    items = [
        f"<li>{_link(claim.id, LEDGER_PAGE + '#' + claim.id)} {html.escape(claim.statement)}</li>"
        for claim in found
    ]
    text = "\n".join(claim.id for claim in found) or "none"
    return Fragment("<ul class='deviations'>" + "".join(items or ["<li>none</li>"]) + "</ul>", text)


def missing() -> Fragment:
    """Return what it would take to compute each statement that cannot be computed."""
    rows = [row for row in verdicts.ledger() if row.claim.missing]
    items = [
        f"<li>{_link(row.claim.id, '#' + row.claim.id)} {html.escape(row.claim.statement)}. "
        f"Missing: {html.escape(row.claim.missing)}. {_rich(row.note)}</li>"
        for row in rows
    ]
    text = "\n".join(f"{row.claim.id}: {row.claim.missing}" for row in rows)
    return Fragment("<ul class='deviations'>" + "".join(items) + "</ul>", text)


def _as_text(rows: Iterable[Row]) -> str:
    return "\n".join(
        f"{row.claim.id}: stated {row.stated_text or '-'}, computed {row.computed_text or '-'}, "
        f"{row.verdict}"
        for row in rows
    )


def _table(name: str, head: Sequence[str], rows: Sequence[str], caption: str) -> str:
    cells = "".join(f"<th scope='col'>{cell}</th>" for cell in head)
    return (
        f"<div class='ledger-frame'><table class='{name}'>"
        f"<caption>{html.escape(caption)}</caption><thead><tr>{cells}</tr></thead>"
        "<tbody>" + "\n".join(rows) + "</tbody></table></div>"
    )


def _row(row: Row, page: str) -> str:
    claim = row.claim
    data = {
        "verdict": row.group,
        "kind": claim.kind,
        "chapter": row.chapter,
        "residual": _in_tolerances(row),
    }
    attributes = " ".join(f"data-{key}='{html.escape(value)}'" for key, value in data.items())
    return (
        f"<tr id='{claim.id}' {attributes}>"
        f"<th scope='row'>{_link(claim.id, '#' + claim.id)}</th>"
        + _cell("statement", html.escape(claim.statement) + _details(row, page))
        + _cell("stated", html.escape(row.stated_text))
        + _cell("computed", html.escape(row.computed_text))
        + _cell("residual", html.escape(row.residual_text))
        + _cell("verdict", _badge(row))
        + "</tr>"
    )


def _in_tolerances(row: Row) -> str:
    """Return the residual over the tolerance, which numbers of all units can be sorted by."""
    if row.residual is None or row.headline is None or not row.claim.tolerance:
        return ""
    return f"{abs(verdicts.missed_by(row.claim, row.headline.value)) / row.claim.tolerance:.6g}"


def _details(row: Row, page: str) -> str:
    claim = row.claim
    beside = "; ".join(
        f"{h.meaning}: {with_unit(significant(h.value, 4), h.unit)}" for h in row.beside
    )
    entries = [
        ("where", html.escape(claim.where)),
        ("kind", f"{claim.kind}, {KINDS[claim.kind]}"),
        ("computed", html.escape(row.headline.meaning) if row.headline else ""),
        ("criterion", html.escape(claim.criterion)),
        ("tolerance", html.escape(row.tolerance_text)),
        ("against", html.escape(_against(row))),
        ("missing", html.escape(claim.missing)),
        ("beside", html.escape(beside)),
        ("note", _rich(row.note)),
        ("figure", _link(claim.figure.replace("fig-", "Fig ", 1), f"{page}#{claim.figure}")),
        (
            "function",
            _link(f"<code>{claim.function}</code>", f"{_api_page(claim)}#{claim.function}"),
        ),
        ("same for any dot", html.escape(claim.invariant)),
    ]
    lines = "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in entries if text)
    return f"<details><summary>{html.escape(claim.where)}</summary><dl>{lines}</dl></details>"


def _api_page(claim: Claim) -> str:
    return api_page_of(claim.function.rpartition(".")[0])


def _badge(row: Row, number: bool = True) -> str:
    group = f"<span class='verdict {_slug(row.group)}'>{row.group}</span>"
    other = row.claim.contradicts
    if row.group == verdicts.CONTRADICTS:
        link = _link(other, f"{LEDGER_PAGE}#{other}")
        return f"{group} {link}" + f": {html.escape(row.other_number)}" * number
    if row.group == verdicts.CALIBRATED and row.claim.checks:
        return f"{group} {'met' if row.holds else 'missed'}"
    return group


def _against(row: Row) -> str:
    return f"{row.other_number}: {row.other}" if row.other else ""


def _slug(verdict: str) -> str:
    return "verdict-" + verdict.replace(" ", "-")


def _cell(name: str, markup: str) -> str:
    return f"<td class='{name}' data-label='{name}'>{markup}</td>"


def _link(markup: str, target: str) -> str:
    return f"<a href='{html.escape(target)}'>{markup}</a>"


def _rich(text: str) -> str:
    """Return escaped text with ``*emphasis*``."""
    return re.sub(r"\*([^*]+)\*", r"<em>\1</em>", html.escape(text))
