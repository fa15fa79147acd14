/**
 * Your own spectra: absorption and emission read from files on this page, and a rough estimate of
 * the dot. The fit with real errors is the command's, `qdgain fit-dot`; nothing leaves the page.
 */
"use strict";

globalThis.qdgainSpectra = (() => {
  const NM_EV = 1239.841984;
  const SEPARATORS = [["\t", "."], ["\t", ","], [";", "."], [";", ","], [",", "."],
    [/\s+/, "."], [/\s+/, ","]];
  const FEWEST = 12;
  /** Parts of the PL's width by which an estimate of peak, width and exciton can be off. */
  const ROUGH = { peak: 0.02, width: 0.06, exciton: 0.12 };
  /** Bending up before it bends down, over bending down: 0.45 for a Gaussian, 1 for an edge. */
  const OF_AN_EDGE = 0.72;
  const COMMENT = /^\s*(?:#|%|!|\/\/)/;

  // --- reading

  const numberOf = (cell, mark) => {
    const text = cell.trim().replace("−", "-");
    const plain = mark === "," && /^[^.]*$/.test(text) ? text.replace(",", ".") : text;
    return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? Number(plain) : NaN;
  };

  /** A plain table as {energy, values, unit, per}, by rising energy; else a sentence is thrown. */
  function readTable(text, name) {
    const stop = (why) => { throw new Error(`${name}: ${why}.`); };
    if (text.includes("\0") || /^\s*##/.test(text)) {
      stop("this is no plain table. The command reads it: qdgain fit-dot");
    }
    const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\r|\n/);
    const tables = SEPARATORS.map(([separator, mark]) => lines.map((line) => {
      const cells = COMMENT.test(line) ? [] : line.trim().split(separator);
      return cells.filter((cell) => cell.trim()).map((cell) => numberOf(cell, mark));
    }));
    const filled = tables.map((rows) => rows.filter(
      (row) => row.length > 1 && row.every(Number.isFinite)));
    const size = (rows) => rows.reduce((sum, row) => sum + row.length - 1, 0);
    const best = filled.reduce((a, b, i) => (size(b) > size(filled[a]) ? i : a), 0);
    const rows = filled[best];
    if (rows.length < FEWEST) stop(`it has ${rows.length} rows of numbers and needs ${FEWEST}`);
    if (rows.some((row) => row.length > 2)) {
      stop("it has several traces. The command chooses one: qdgain fit-dot --column NAME");
    }
    const head = lines.slice(0, tables[best].indexOf(rows[0])).join(" ");
    const [low, high] = [Math.min, Math.max].map((of) => of(...rows.map(([x]) => x)));
    const said = [["nm", /\bnm\b|nanomet/i], ["eV", /\beV\b/i], ["cm-1", /cm[-⁻^]/i]].find(
      ([, words]) => words.test(head))?.[0];
    const likely = low >= 150 && high <= 2500 ? "nm" : low >= 0.4 && high <= 6.5 ? "eV" : null;
    const unit = said ?? likely;
    if (!unit || low <= 0) stop("the unit of its axis cannot be told: name nm or eV in its header");
    const energyOf = { nm: (x) => NM_EV / x, eV: (x) => x, "cm-1": (x) => (x * NM_EV) / 1e7 }[unit];
    const pairs = rows.map(([x, y]) => [energyOf(x), y]).sort((a, b) => a[0] - b[0]);
    return { energy: pairs.map(([e]) => e), values: pairs.map(([, v]) => v), unit };
  }

  // --- estimating

  /** A spectrum on an even grid, in meV. */
  function evenly({ energy, values }, from, to, step = 1) {
    const result = { energy: [], values: [] };
    let i = 0;
    for (let e = Math.max(from, energy[0]); e <= Math.min(to, energy.at(-1)); e += 1e-3 * step) {
      while (i < energy.length - 2 && energy[i + 1] < e) i++;
      const part = (e - energy[i]) / (energy[i + 1] - energy[i]);
      result.energy.push(e);
      result.values.push(values[i] + part * (values[i + 1] - values[i]));
    }
    return result;
  }

  /** Parabolas through 2m + 1 neighbours: their values, or their second derivatives. */
  function parabolas(values, m, bend = false) {
    const places = Array.from({ length: 2 * m + 1 }, (_, k) => k - m);
    const sum = (power) => places.reduce((total, i) => total + i ** power, 0);
    const [n, two, four] = [places.length, sum(2), sum(4)];
    const weights = places.map((i) =>
      (bend ? 2 * (n * i * i - two) : four - two * i * i) / (n * four - two * two));
    return values.map((value, k) => (k < m || k + m >= values.length ? (bend ? 0 : value)
      : weights.reduce((total, weight, j) => total + weight * values[k + j - m], 0)));
  }

  /** Weighted least squares of a x² + b x + c through [x, value, weight]: [a, b, c]. */
  function parabolaThrough(points) {
    const sum = (power, of) => points.reduce(
      (total, [x, value, weight]) => total + weight * x ** power * (of ? value : 1), 0);
    const rows = [4, 3, 2].map((p) => [sum(p), sum(p - 1), sum(p - 2), sum(p - 2, true)]);
    rows.forEach((row, i) => rows.forEach((other, k) => {
      const part = k === i ? 0 : other[i] / row[i];
      row.forEach((value, j) => { other[j] -= part * value; });
    }));
    return rows.map((row, i) => row[3] / row[i]);
  }

  /** Peak in eV and full width at half maximum in meV of an emission per eV. */
  function emissionOf(spectrum) {
    const even = evenly(spectrum, 0, 99, 2);
    const smooth = parabolas(even.values, 15);
    const base = smooth.slice().sort((a, b) => a - b)[Math.floor(0.1 * smooth.length)];
    const top = smooth.indexOf(Math.max(...smooth));
    const height = smooth[top] - base;
    const half = (way) => {
      let i = top;
      while (smooth[i] - base > 0.5 * height) i += way;
      return Math.abs(i - top);
    };
    // Above half of its height the logarithm of a band is nearly a parabola.
    const reach = Math.max(Math.round(0.9 * Math.min(half(-1), half(1))), 3);
    const points = even.values.map((value, i) => [i - top, (value - base) / height])
      .filter(([x, part]) => Math.abs(x) <= reach && part > 0.2)
      .map(([x, part]) => [x, Math.log(part), part * part]);
    const [a, b] = parabolaThrough(points);
    return { peak: even.energy[top] - 1e-3 * (b / a), width: 4 * Math.sqrt(-Math.LN2 / a) };
  }

  const scatter = (values) => {
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    return Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length);
  };
  const shown = (value) => String(Number(value.toPrecision(4)));

  /** PL peak and width, exciton and Stokes shift, in eV and meV, and by how much each can be off. */
  function estimate(absorption, emission, { red, blue, curvature }) {
    // What is counted per nm is less per eV where the energy is high.
    const perEnergy = emission.values.map(
      (value, i) => (emission.unit === "nm" ? value / emission.energy[i] ** 2 : value));
    const { peak, width } = emissionOf({ energy: emission.energy, values: perEnergy });
    const near = evenly(absorption, peak - 0.3, peak + 0.5);
    const places = (from, to) => near.energy.map((_, i) => i).filter((i) =>
      i >= 40 && i < near.energy.length - 40 && near.energy[i] > peak + from && near.energy[i] < peak + to);
    const refuse = (why) => {
      throw new Error("the spectra cannot be fitted: no exciton stands out of the absorption beside " +
        `the PL's peak at ${shown(peak)} eV: from ${shown(peak - red)} to ${shown(peak + blue)} eV it ${why}.`);
    };
    // How deep it bends, over how much it scatters where dots do not absorb: as the command does.
    const coarse = parabolas(near.values, 40, true);
    const quiet = scatter(places(-1, -0.12).map((i) => coarse[i]));
    const depth = -Math.min(...places(-0.02, 0.3).map((i) => coarse[i]));
    if (!(depth >= curvature * Math.max(quiet, 1e-12))) {
      refuse("bends upwards, or too little downwards for its noise");
    }
    const m = Math.max(Math.round(0.4 * width), 8);
    const bend = parabolas(near.values, m, true);
    const low = places(-0.03, 0.3).filter((i) => bend[i] < bend[i - 1] && bend[i] <= bend[i + 1]);
    const lowest = Math.min(...low.map((i) => bend[i]));
    const found = low.find((i) => bend[i] < 0.4 * lowest);
    const before = Math.max(...bend.slice(Math.max(found - 3 * m, 0), found));
    if (before > -OF_AN_EDGE * bend[found]) refuse("is described as well by an edge without a band");
    const noise = scatter(places(-1, -0.12).map((i) => bend[i]));
    const stiffness = (bend[found + m] - bend[found]) / (0.5 * m * m);
    const exciton = ROUGH.exciton * width + Math.sqrt(noise / Math.max(stiffness, 1e-12));
    return {
      peak, width, exciton: near.energy[found], shift: 1e3 * (near.energy[found] - peak),
      errors: { peak: ROUGH.peak * width, width: ROUGH.width * width, exciton,
        shift: Math.hypot(exciton, ROUGH.peak * width) },
    };
  }

  // --- on the page

  /** Two fields for files, or a place to drop them; what is found, and the command for more. */
  function panel(explorer) {
    const { copyButton, element, shellWord, write } = globalThis.qdgainParts;
    const { clamp, rounded } = globalThis.qdgainControls;
    const given = {};
    const said = element("p", { class: "qd-estimate", role: "status" });
    const [fit, rerun] = ["fit-dot", "rerun"].map((name) =>
      element("code", { "data-command": name }));
    const figure = {
      canvas: element("canvas", { role: "img" }),
      under: element("canvas", { class: "qd-under", "aria-hidden": "true" }),
      memory: { names: new Map(), moving: false },
    };
    const found = element("div", { hidden: true },
      element("div", { class: "qd-stage" }, figure.under, figure.canvas),
      ...[fit, rerun].map((line) => element("div", { class: "qd-command" }, line,
        copyButton("copy", () => line.textContent, () => "select it"))));

    function draw({ absorption, emission }) {
      const { axes } = explorer.data.context;
      const lines = [["absorption", absorption, "A_X"], ["emission", emission, "PL_X"]].map(
        ([name, { energy, values }, quantity]) => {
          const top = Math.max(...values);
          return { name, kind: "line", x: energy, y: values.map((v) => v / top), quantity, dash: "-" };
        });
      const ends = [lines[1].x[0], lines[1].x.at(-1)];
      const plot = { place: "single", xAxis: axes.energy, yAxis: { name: "over its maximum", unit: "1" },
        xLimits: ends, yLimits: [0, 1.08], series: lines };
      figure.canvas.setAttribute("aria-label", "Your absorption and emission against photon energy.");
      const width = figure.canvas.parentElement.clientWidth;
      globalThis.qdgainPlot.toCanvas(figure, explorer.theme(
        document.documentElement.dataset.theme === "dark"), { plots: [plot] }, width, 260);
    }

    async function take(name, file) {
      try {
        given[name] = { ...readTable(await file.text(), file.name), file: file.name };
        if (!given.absorption || !given.emission) return write(said, `${file.name} is read.`);
        const { peak, width, exciton, shift, errors } =
          estimate(given.absorption, given.emission, explorer.data.spectra);
        found.hidden = false;
        draw(given);
        const [a, e] = [given.absorption, given.emission].map((one) => shellWord(one.file));
        write(fit, `qdgain fit-dot ${a} ${e} -o my-dot.toml`);
        write(rerun, "qdgain rerun fig08 -f my-dot.toml -o my-dot");
        const number = (value, error, digits) => `${value.toFixed(digits)} ± ${error.toFixed(digits)}`;
        write(said, `An estimate, not a fit: PL_X at ${number(peak, 1e-3 * errors.peak, 3)} eV, ` +
          `${number(width, errors.width, 0)} meV wide; A_X at ${number(exciton, 1e-3 * errors.exciton, 3)} ` +
          `eV; Stokes shift ${number(shift, errors.shift, 0)} meV. The views have moved to this dot; ` +
          "the commands below give its numbers with real errors.");
        const state = { ...explorer.state };
        for (const { name: key, standIn } of explorer.controls.values()) if (standIn) state[key] = null;
        const dot = { absorption_energy_eV: exciton, linewidth_meV: width, stokes_shift_meV: shift };
        for (const [key, value] of Object.entries(dot)) {
          state[key] = clamp(explorer.controls.get(key), rounded(value, 4));
        }
        explorer.become(state);
      } catch (refusal) {
        found.hidden = true;
        write(said, refusal.message);
      }
    }

    const field = (name, label) => element("label", {}, `${label} `, element("input", {
      type: "file", "data-file": name, on: { change: ({ target }) => target.files[0] && take(name, target.files[0]) } }));
    return element("details", { class: "qd-spectra", on: {
      dragover: (event) => event.preventDefault(),
      drop: async (event) => {
        event.preventDefault();
        for (const file of event.dataTransfer.files) {
          await take(/abs|uv/i.test(file.name) ? "absorption" : "emission", file);
        }
      } } },
    element("summary", {}, "Your own spectra"),
    element("p", {}, "Choose the two files, or drop them here: plain tables, against nm or eV. " +
      "They are read on this page and leave it for nowhere."),
    field("absorption", "Absorption"), field("emission", "Emission"), said, found);
  }

  return { estimate, panel, readTable };
})();
