"""The live explorer in a real browser, from a folder: it answers, keeps its state, saves, refuses.

On the page of the built book where BOOK_HTML names one, otherwise on a page of its own.
"""

import csv
import io
import re
import shlex
from urllib.parse import quote

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from explorer_reader import SETTLED, Reader, write_page
from qdgain.book import explorer_page
from qdgain.figures import fig08
from qdgain.model.dot import presets
from qdgain.model.parameters import CONTRACT
from qdgain.reruns.request import request
from qdgain.run import resolve
from qdgain.text import significant

PRESETS = presets()


def near(shown, expected):
    assert shown == significant(expected, 3)


def test_it_opens_with_the_librarys_numbers_and_follows_a_slider(read):
    reader = read()
    heads = {h.key: h.value for h in fig08.headlines(resolve(fig08.SETTINGS, {}))}
    near(reader.number(0).inner_text(), heads["fig08-threshold-3ls-esa"])
    near(reader.number(0, 2).inner_text(), heads["fig08-threshold-3ls"])
    near(reader.number(2).inner_text(), heads["fig08-onset-3ls-esa"])
    slider = reader.control("stokes_shift_meV")
    slider.focus()
    for _ in range(5):
        slider.press("ArrowRight")
    reader.page.evaluate(SETTLED)
    shift = float(reader.control("stokes_shift_meV", "text").input_value())
    step = explorer_page.data()["groups"]["The dot"][0]["slider"]["step"]
    assert shift == pytest.approx(
        round(float(PRESETS["3LS"].stokes_shift_meV) / step) * step + 5 * step
    )
    assert slider.get_attribute("aria-valuetext") == f"{shift:g} meV"
    run = resolve(fig08.SETTINGS, {"stokes_shift_meV": shift})
    heads = {h.key: h.value for h in fig08.headlines(run)}
    near(reader.number(0).inner_text(), heads["fig08-threshold-your-dot-esa"])
    near(reader.number(2).inner_text(), heads["fig08-onset-your-dot-esa"])
    # The preset's own number stands beside it, unmoved.
    near(reader.number(0, 3).inner_text(), heads["fig08-threshold-3ls-esa"])


def test_the_address_is_the_state_and_back_undoes(read, browser):
    reader = read()
    page = reader.page
    page.get_by_role("button", name="4LS+ESA", exact=True).click()
    reader.type("absorptive_binding_meV", "-20")
    reader.control("statistics", "select").select_option("poisson")
    page.evaluate(SETTLED)
    reader.type("xx_emission_linewidth_meV", "55") if page.locator(
        "details[open]"
    ).count() else None
    assert f"preset={quote('4LS+ESA')}" in page.url
    assert "absorptive_binding_meV=-20" in page.url
    assert page.url.endswith("statistics=poisson")
    shown = reader.number(0).inner_text()
    again = Reader(browser, page.url)
    assert again.control("absorptive_binding_meV", "text").input_value() == "-20"
    assert again.number(0).inner_text() == shown
    again.close()
    page.go_back()
    assert reader.control("statistics", "select").input_value() == "rabi"
    page.go_back()
    assert (
        reader.control("absorptive_binding_meV", "text").input_value()
        == f"{PRESETS['4LS+ESA'].absorptive_binding_meV:g}"
    )
    page.go_back()
    assert (
        page.get_by_role("button", name="3LS+ESA", exact=True).get_attribute("aria-pressed")
        == "true"
    )
    page.go_forward()
    assert (
        page.get_by_role("button", name="4LS+ESA", exact=True).get_attribute("aria-pressed")
        == "true"
    )


def test_a_value_out_of_range_is_refused_with_the_contracts_sentence(read):
    reader = read("#preset=3LS&linewidth_meV=0&no_such=1")
    said = reader.page.locator(".qd-status").inner_text()
    assert "linewidth_meV = 0 is not allowed: give a number from 1 to 1000 meV." in said
    assert "no_such is not a parameter here." in said
    assert reader.control("linewidth_meV", "text").input_value() == "80"
    before = reader.number(0).inner_text()
    for text in ("2000", "eighty", "", "1e999", "0x10"):
        reader.type("linewidth_meV", text)
        assert reader.control("linewidth_meV", "text").get_attribute("aria-invalid") == "true"
        sentence = reader.page.locator("[id$='-linewidth_meV-refusal']").inner_text()
        assert sentence.endswith(f"give {CONTRACT['linewidth_meV'].allowed}.")
        assert reader.number(0).inner_text() == before
    reader.type("linewidth_meV", "1000")
    assert reader.control("linewidth_meV", "text").get_attribute("aria-invalid") == "false"
    assert reader.number(0).inner_text() != before


def test_the_commands_are_accepted_and_say_what_is_shown(read):
    reader = read("#preset=4LS%2BESA&floor=1e-7&gain_exponent=0&xx_emission_linewidth_meV=33.5")
    for chapter in explorer_page.RERUN:
        words = shlex.split(reader.command(chapter))
        assert words[:3] == ["qdgain", "rerun", chapter]
        assert words[-2:] == ["-o", "my-dot"]
        given = [w for w in words[3:-2] if w != "-p"]
        asked = request([chapter], assignments=given)
        assert asked.given["xx_emission_linewidth_meV"] == 33.5
        assert asked.given["stokes_shift_meV"] == PRESETS["4LS+ESA"].stokes_shift_meV
        assert "linewidth_meV" not in asked.given
        assert asked.given.get("floor") == (None if chapter == "fig09" else 1e-7)
        assert asked.given.get("gain_exponent") == (0 if chapter == "fig09" else None)
    assert reader.number(4).inner_text() == "out of reach"


def test_saved_tables_are_the_librarys(read):
    reader = read("#preset=3LS%2BESA&stokes_shift_meV=60")
    run = resolve(fig08.SETTINGS, {"stokes_shift_meV": 60.0})
    for view, panel in (
        ("bands", fig08.spectra(run)),
        ("thresholds", fig08.thresholds(run)[-1]),
        ("gain", fig08.contours(run)[-1]),
    ):
        header, *rows = csv.reader(io.StringIO(reader.saved(view, "CSV").decode()))
        for series in panel.series:
            for column, values in series.columns().items():
                place = header.index(column)
                saved = [float(r[place]) for r in rows if r[0] == series.name]
                # A minimum's energy has half the digits of its value: gain there crosses zero.
                assert np.allclose(saved, values, rtol=1e-6, atol=1e-8), (view, series.name)
    for view in ("gain", "ase", "thresholds", "bands"):
        # No clipboard here: the picture is saved.
        assert reader.saved(view, "PNG").startswith(b"\x89PNG")
    header, *rows = csv.reader(io.StringIO(reader.saved("ase", "CSV").decode()))
    assert header[0] == "series"
    assert all(re.search(r" \[.+\]$", name) for name in header[1:])
    assert {"emission", "threshold", "strongest, preset 3LS+ESA"} <= {row[0] for row in rows}


def test_a_view_changes_with_its_slider_and_keeps_the_reference(read):
    reader = read()
    canvas = reader.page.locator("[data-view=ase] canvas[role=img]")
    before = canvas.evaluate("c => c.toDataURL()")
    reader.type("gain_exponent", "50")
    reader.page.evaluate(SETTLED)
    assert canvas.evaluate("c => c.toDataURL()") != before
    _, *rows = csv.reader(io.StringIO(reader.saved("ase", "CSV").decode()))
    own, reference = (
        [r for r in rows if r[0] == name]
        for name in ("amplification", "amplification, preset 3LS+ESA")
    )
    assert len(own) == len(reference) > 50
    assert own != reference


def test_dragging_is_answered_once_a_frame_and_finely_at_the_end(read):
    reader = read()
    seen = reader.page.evaluate(
        """async () => {
          const root = document.querySelector("[data-explorer]");
          const slider = document.querySelector("input[id$='-stokes_shift_meV']");
          const frame = () => new Promise(requestAnimationFrame);
          const drawn = [];
          await frame();
          root.addEventListener("explorer-drawn", event => drawn.push(event.detail.fine));
          for (let i = 0; i < 40; i++) {
            slider.value = 20 + i;
            slider.dispatchEvent(new Event("input", { bubbles: true }));
          }
          await frame();
          await frame();
          const during = drawn.length;
          slider.dispatchEvent(new Event("change", { bubbles: true }));
          await frame();
          await frame();
          return { during, fine: drawn.at(-1) };
        }"""
    )
    assert seen == {"during": 1, "fine": True}


def test_the_keyboard_alone_operates_everything(read):
    reader = read()
    page = reader.page
    expected = page.locator("[data-explorer] :is(button, select, input, summary):visible").count()
    page.locator("[data-explorer] button").first.focus()
    reached = set()
    for _ in range(expected + 3):
        reached.add(
            page.evaluate(
                """() => {
                  const one = document.activeElement;
                  if (!one.closest("[data-explorer]")) return null;
                  return one.id || one.getAttribute("aria-label") || one.textContent;
                }"""
            )
        )
        page.keyboard.press("Tab")
    assert len(reached - {None}) >= expected
    page.get_by_role("button", name="4LS", exact=True).press("Enter")
    assert "preset=4LS" in page.url


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (375, "dark")])
def test_axe_finds_no_serious_violation(read, scheme, width):
    reader = read()
    reader.page.set_viewport_size({"width": width, "height": 812})
    reader.page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", scheme)
    reader.page.evaluate(SETTLED)
    # Style sheets are read from the page, not asked for again: a folder refuses that.
    options = {"resultTypes": ["violations"], "preload": False}
    found = Axe().run(reader.page, context="[data-explorer]", options=options)
    serious = [
        (v["id"], [n["html"][:200] for n in v["nodes"]])
        for v in found.response["violations"]
        if v["impact"] in ("serious", "critical")
    ]
    assert serious == []
    fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert reader.page.evaluate(fits)


def test_a_folded_explorer_is_drawn_for_paper(browser, tmp_path):
    page = browser.new_page()
    page.goto(write_page(tmp_path, explorer_page.explorer("binding")))
    page.wait_for_selector("[data-explorer] canvas", state="attached")
    assert page.locator("canvas[aria-label]").count() == 0
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    drawn = page.locator("canvas[aria-label]").bounding_box()
    assert drawn["width"] > 500
    assert 100 < drawn["height"] < 600
    page.close()


def test_small_explorers_share_a_page(browser, tmp_path):
    small = [explorer_page.explorer(kind) for kind in explorer_page.LAYOUTS if kind != "full"]
    reader = Reader(browser, write_page(tmp_path, *small, small[0]))
    page = reader.page
    assert page.locator("details.qd-fold[open]").count() == len(small) + 1
    assert page.locator("[data-explorer]").count() == len(small) + 1
    assert page.locator("canvas[role=img]").count() == len(small) + 1
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(one => one.id)")
    assert len(ids) == len(set(ids))
    before = page.locator(".qd-caption").all_inner_texts()
    slider = page.locator("[data-explorer=binding] input[id$=absorptive_binding_meV]").first
    slider.fill("30")
    page.evaluate(SETTLED)
    after = page.locator(".qd-caption").all_inner_texts()
    assert after[0] != before[0]
    assert after[1:] == before[1:]
    link = page.locator("[data-explorer=binding] .qd-more a").first
    assert link.get_attribute("href") == "explorer.html"
    link.hover()
    link = link.get_attribute("href")
    value = page.locator(
        "[data-explorer=binding] .qd-control:has([id$=absorptive_binding_meV]) [type=text]"
    )
    value = value.first.input_value()
    assert link == f"explorer.html#preset={quote('3LS+ESA')}&absorptive_binding_meV={value}"
    # A chapter's address stays its own.
    assert "#" not in page.url
    reader.close()
