"""The live explorer guides: questions, equilibrium, comparison, handles, spectra, in a browser."""

import re
import shlex
from dataclasses import replace

import pytest

import qdgain
from explorer_reader import SETTLED, Reader
from qdgain.fitting.synthetic_spectra import EXAMPLE, write
from qdgain.model.balance import balanced_stokes_shift_meV
from qdgain.model.threshold import threshold_at_maximum
from qdgain.text import significant


def shown(reader):
    return reader.page.locator(".qd-large").inner_text()


def sign(reader):
    return reader.page.locator(".qd-badge").inner_text()


def ask(reader, number):
    reader.page.locator(".qd-questions button").nth(number - 1).click()
    reader.page.evaluate(SETTLED)
    answer = reader.page.locator(".qd-answer")
    assert "Solved" not in answer.inner_text()
    return answer


def test_the_questions_are_solved_as_a_reader_would(read):
    reader = read()
    page = reader.page
    answer = ask(reader, 1)
    # The threshold of the 4LS is meant, not one below it.
    reader.type("stokes_shift_meV", "60")
    assert "Solved" not in answer.inner_text()
    reader.type("stokes_shift_meV", str(qdgain.presets()["4LS"].stokes_shift_meV))
    assert answer.inner_text().startswith("Solved, but not in equilibrium.")
    answer = ask(reader, 2)
    dot = qdgain.presets()["3LS+ESA"]
    reader.type("absorptive_binding_meV", str(dot.stokes_shift_meV + dot.emissive_binding_meV))
    assert answer.inner_text().startswith("Solved.")
    answer = ask(reader, 3)
    assert "2 (replacing, additive)" in answer.inner_text()
    for reading in ("replacing", "additive"):  # to look at both compares nothing
        page.get_by_role("button", name=reading, exact=True).click()
        page.evaluate(SETTLED)
        assert "Solved" not in answer.inner_text()
    page.get_by_role("button", name="hold as A").click()
    page.evaluate(SETTLED)
    assert "1 (replacing)" in answer.inner_text()
    page.get_by_role("button", name="replacing", exact=True).click()
    page.evaluate(SETTLED)
    assert answer.inner_text().startswith("Solved.")
    full = 1 - dot.xx_absorption_strength
    assert answer.inner_text().endswith(f"additive {significant(full, 3)}, replacing 1.00.")
    answer = ask(reader, 4)
    reader.type("stokes_shift_meV", "150")
    reader.type("absorptive_binding_meV", "-300")
    assert answer.inner_text().startswith("Solved, but not in equilibrium.")
    without = threshold_at_maximum(replace(dot, absorptive_binding_meV=-300.0)).mean_excitons
    assert answer.inner_text().endswith(
        f"with one change undone: Stokes shift {significant(without, 3)}, "
        "absorptive biexciton shift < 0.001."
    )
    assert sign(reader).startswith("impossible in equilibrium at 300 K: S = 150 meV")
    answer = ask(reader, 5)
    assert answer.inner_text() == "This dot is not in equilibrium yet."
    select = reader.control("shift_and_width", "select")
    # It is brought into sight, whole.
    assert page.evaluate("document.activeElement.id").endswith("shift_and_width")
    panel, box = page.locator(".qd-controls").bounding_box(), select.bounding_box()
    assert panel["y"] <= box["y"]
    assert box["y"] + box["height"] < panel["y"] + panel["height"] - 30
    select.select_option("in equilibrium")
    reader.type("emissive_binding_meV", "0")
    reader.type("linewidth_meV", "190")
    assert answer.inner_text().startswith("Solved.")
    assert sign(reader).startswith("possible")
    # It is the library's dot in balance.
    expected = balanced_stokes_shift_meV(190, 300)
    assert float(reader.control("stokes_shift_meV", "text").input_value()) == pytest.approx(
        expected, rel=1e-4
    )


def beside(reader):
    return reader.page.locator(".qd-beside").inner_text()


def test_the_papers_number_stands_beside_a_preset_alone_and_a_comparison_is_named(read):
    reader = read()
    before, paper = shown(reader).split(" ", 1)
    assert (paper, beside(reader)) == ("(paper 1.5)", "")
    reader.type("stokes_shift_meV", "60")
    assert "paper" not in shown(reader)
    assert "→" not in shown(reader)
    assert beside(reader) == f"preset 3LS+ESA: {before}"
    assert reader.page.locator(".qd-modified").inner_text() == "modified from 3LS+ESA"
    assert re.search(r"In equilibrium at \d\.\d{3} eV: ⟨N⟩ = ", sign(reader))
    reader.page.get_by_role("button", name="reset").click()
    reader.page.evaluate(SETTLED)
    assert shown(reader) == f"{before} (paper 1.5)"
    assert reader.page.locator(".qd-modified").inner_text() == ""


def test_what_is_too_small_to_be_a_result_is_said_to_be(read):
    reader = read("#preset=3LS&stokes_shift_meV=900")
    assert "< 0.001; not in equilibrium" in shown(reader)
    assert "e-" not in reader.page.locator("[data-view=gain] .qd-caption").inner_text()


def test_a_held_state_is_compared_with(read):
    reader = read()
    page = reader.page
    reader.type("stokes_shift_meV", "60")
    held = shown(reader)
    page.get_by_role("button", name="hold as A").click()
    assert page.get_by_role("button", name="A ⇄ B").is_enabled()
    page.get_by_role("button", name="replacing", exact=True).click()
    page.evaluate(SETTLED)
    assert beside(reader) == f"A: {held}"
    assert page.locator(".qd-numbers th").nth(2).inner_text() == "A"
    other = shown(reader)
    page.get_by_role("button", name="A ⇄ B").click()
    page.evaluate(SETTLED)
    assert (beside(reader), shown(reader)) == (f"A: {other}", held)
    page.get_by_role("button", name="release A").click()


def test_the_readout_covers_no_view(read):
    reader = read()
    page = reader.page
    page.mouse.wheel(0, 500)
    page.evaluate(SETTLED)
    readout, views = (page.locator(one).bounding_box() for one in (".qd-readout", ".qd-views"))
    assert readout["x"] + readout["width"] <= views["x"]
    assert 0 <= readout["y"] < 200


def middle(handle):
    box = handle.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_band_is_dragged_and_axes_hold_still_meanwhile(read):
    reader = read()
    page = reader.page
    page.locator("[data-view=bands]").scroll_into_view_if_needed()
    page.evaluate(SETTLED)
    under = page.locator("[data-view=bands] .qd-under")
    handle = page.locator("[data-view=bands] [role=slider][aria-label^='Stokes shift']")
    x, y = middle(handle)
    before = float(reader.control("stokes_shift_meV", "text").input_value())
    page.mouse.move(x, y)
    page.mouse.down()
    axes = under.evaluate("c => c.toDataURL()")
    page.mouse.move(x - 60, y, steps=4)
    page.evaluate(SETTLED)
    moved = float(reader.control("stokes_shift_meV", "text").input_value())
    assert moved > before + 5
    assert under.evaluate("c => c.toDataURL()") == axes
    assert middle(handle)[0] == pytest.approx(x - 60, abs=2)
    page.mouse.up()
    page.evaluate(SETTLED)
    assert under.evaluate("c => c.toDataURL()") != axes
    assert f"stokes_shift_meV={moved:g}" in page.url
    # By keys: to the right is bluer, a smaller shift.
    handle.press("ArrowRight")
    assert float(reader.control("stokes_shift_meV", "text").input_value()) < moved


@pytest.mark.parametrize(
    ("view", "control", "move"), [("gain", "mean_excitons", -40), ("ase", "fluence_over_pi", 40)]
)
def test_the_lines_are_dragged_and_what_is_pointed_at_is_read(read, view, control, move):
    reader = read()
    page = reader.page
    page.locator(f"[data-view={view}]").scroll_into_view_if_needed()
    page.evaluate(SETTLED)
    before = float(reader.control(control, "text").input_value())
    x, y = middle(page.locator(f"[data-view={view}] [role=slider]"))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + move, steps=3)
    page.mouse.up()
    after = float(reader.control(control, "text").input_value())
    assert (after - before) * move < 0
    page.mouse.move(x + 60, y)
    hover = page.locator(f"[data-view={view}] .qd-hover")
    assert re.match(r"[\d.]+ eV, .*(gain|emission) −?[\d.]+", hover.inner_text())


def test_play_raises_the_pump_and_steps_where_motion_is_reduced(browser, address):
    reader = Reader(browser, address, reduced_motion="reduce")
    page = reader.page
    reader.type("mean_excitons", "0.5")
    page.get_by_role("button", name="play").click()
    seen = page.evaluate(
        """async () => {
          const field = document.querySelector("input[type=text][aria-label^='mean excitons']");
          const seen = new Set();
          const begun = performance.now();
          while (performance.now() - begun < 3000) {
            await new Promise(requestAnimationFrame);
            seen.add(Number(field.value));
          }
          return [...seen];
        }"""
    )
    assert set(seen) <= {0.5, 0, 0.25, 0.75, 1, 1.25, 1.5, 1.75, 2}
    assert len(seen) >= 3
    page.get_by_role("button", name="stop").click()
    reader.close()


def test_spectra_stay_on_the_page_and_move_the_views(read, tmp_path):
    absorption, pl, _ = write(tmp_path, EXAMPLE, noise=0.004, seed=2)
    lines = pl.read_text(encoding="utf-8").splitlines()
    single = tmp_path / "my pl.csv"
    rows = [line.split("\t") for line in lines[1:] if line]
    single.write_text("\n".join(f"{row[0]}\t{row[2]}" for row in rows), encoding="utf-8")
    reader = read()
    page = reader.page
    page.locator(".qd-spectra summary").click()
    said = page.locator(".qd-estimate")
    page.locator("[data-file=absorption]").set_input_files(absorption)
    page.locator("[data-file=emission]").set_input_files(pl)
    said.filter(has_text="--column").wait_for()
    page.locator("[data-file=emission]").set_input_files(single)
    said.filter(has_text="An estimate, not a fit").wait_for()
    # Until the numbers are the estimate's, what its text says is not on the page.
    page.evaluate(SETTLED)
    fit = shlex.split(page.locator("[data-command=fit-dot]").inner_text())
    assert fit == ["qdgain", "fit-dot", "absorption.csv", "my pl.csv", "-o", "my-dot.toml"]
    shift = float(reader.control("stokes_shift_meV", "text").input_value())
    assert shift == pytest.approx(float(EXAMPLE.stokes_shift_meV), abs=12)
    widths = [
        float(reader.control(name, "text").input_value())
        for name in ("linewidth_meV", "emission_linewidth_meV")
    ]
    assert widths == pytest.approx([EXAMPLE.linewidth_meV, EXAMPLE.emission_linewidth_meV], abs=20)
    # What follows from the spectra comes first, and what they do not tell is marked.
    dot = qdgain.Dot(
        linewidth_meV=widths[0], emission_linewidth_meV=widths[1], stokes_shift_meV=shift
    )
    ideal = threshold_at_maximum(dot.uncorrelated()).mean_excitons
    assert shown(reader) == f"Without ESA: {significant(ideal, 2)}"
    low, high = re.match(r"from the rough errors: (\S+) to ([\d.]+)\. ", beside(reader)).groups()
    assert float(low) < ideal < float(high)
    assert "With the preset's biexciton (assumed; your spectra do not tell it): " in beside(reader)
    assert not re.search("paper|→|preset 3LS", shown(reader) + beside(reader))
    assert "biexciton" not in sign(reader)
    # One way to run it: with the file that the fit writes, and what is set beyond it.
    reader.control("statistics", "select").select_option("poisson")
    page.evaluate(SETTLED)
    command = "qdgain rerun fig08 -f my-dot.toml -p statistics=poisson -o my-dot"
    assert reader.command("fig08") == command
    # A link brings it back; a dot that is moved off its spectra is the reader's own.
    again = Reader(page.context.browser, page.url)
    assert again.command("fig08") == command
    assert again.page.locator(".qd-beside").inner_text().startswith("from the rough errors")
    again.type("stokes_shift_meV", "60")
    assert "-f" not in again.command("fig08")
    assert "Without ESA" not in shown(again)
    again.close()
    assert reader.outside == []


def test_on_paper_a_still_picture_stands_for_it(read):
    reader = read()
    page = reader.page
    page.emulate_media(media="print")
    assert page.locator("[data-view=gain] canvas[role=img]").is_visible()
    assert not page.locator(".qd-controls").is_visible()
    page.emulate_media(media="screen")
