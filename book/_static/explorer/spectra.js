/**
 * Your own spectra: absorption and emission read from files on this page, and a rough estimate of
 * the dot. The fit with real errors is the command's, `qdgain fit-dot`; nothing leaves the page.
 */
"use strict";

globalThis.qdgainSpectra = (() => {
  const NM_EV = 1239.841984;
  const DIALECTS = [["\t", "."], ["\t", ","], [";", "."], [";", ","], [",", "."], [/\s+/, "."], [/\s+/, ","]];
  const COMMENT = /^\s*(?:#|%|!|\/\/)/;
  const UNITS = { nm: /\bnm\b|nanomet/i, eV: /\beV\b/i, "cm-1": /cm[-⁻^]/i };
  const TO_EV = { nm: (x) => NM_EV / x, eV: (x) => x, "cm-1": (x) => (x * NM_EV) / 1e7 };
  const FEWEST = 12;
  /** Parts of the PL's width by which an estimate of peak, width and exciton can be off. */
  const ROUGH = { peak: 0.02, width: 0.06, exciton: 0.12, absorptionWidth: 0.22 };
  const FWHM_PER_SIGMA = 2 * Math.sqrt(2 * Math.LN2);
  /** Bending up before it bends down, over bending down: 0.45 for a Gaussian, 1 for an edge. */
  const OF_AN_EDGE = 0.72;

  // --- reading

  function numberOf(cell, mark) {
    const text = cell.trim().replace("−", "-");
    const plain = mark === "," && !text.includes(".") ? text.replace(",", ".") : text;
    return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? Number(plain) : NaN;
  }

  /** A plain table as {energy, values, unit}, by rising energy; else a sentence is thrown. */
  function readTable(text, name) {
    const stop = (why) => { throw new Error(`${name}: ${why}.`); };
    if (text.includes("\0") || /^\s*##/.test(text)) {
      stop("this is no plain table. The command reads it: qdgain fit-dot");
    }
    const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\r|\n/);
    const tables = DIALECTS.map(([separator, mark]) => lines.map((line, place) => ({
      place, cells: COMMENT.test(line) ? [] : line.trim().split(separator)
        .filter((cell) => cell.trim()).map((cell) => numberOf(cell, mark)),
    })).filter(({ cells }) => cells.length > 1 && cells.every(Number.isFinite)));
    const size = (rows) => rows.reduce((sum, { cells }) => sum + cells.length - 1, 0);
    const rows = tables.reduce((a, b) => (size(b) > size(a) ? b : a));
    if (rows.length < FEWEST) stop(`it has ${rows.length} rows of numbers and needs ${FEWEST}`);
    if (rows.some(({ cells }) => cells.length > 2)) {
      stop("it has several traces. The command chooses one: qdgain fit-dot --column NAME");
    }
    const head = lines.slice(0, rows[0].place).join(" ");
    const xs = rows.map(({ cells }) => cells[0]);
    const [low, high] = [Math.min(...xs), Math.max(...xs)];
    const likely = low >= 150 && high <= 2500 ? "nm" : low >= 0.4 && high <= 6.5 ? "eV" : null;
    const unit = Object.keys(UNITS).find((one) => UNITS[one].test(head)) ?? likely;
    if (!unit || low <= 0) stop("the unit of its axis cannot be told: name nm or eV in its header");
    const pairs = rows.map(({ cells: [x, y] }) => [TO_EV[unit](x), y]).sort(([a], [b]) => a - b);
    return { energy: pairs.map(([e]) => e), values: pairs.map(([, v]) => v), unit };
  }

  // --- estimating

  /** A spectrum on an even grid of so many meV. */
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

  const total = (values) => values.reduce((a, b) => a + b, 0);

  /** Value, slope and second derivative of the parabola through 2m + 1 neighbours of a place. */
  function parabolaAt(values, at, m) {
    if (at < m || at + m >= values.length) return [values[at], 0, 0];
    const [n, two] = [2 * m + 1, (m * (m + 1) * (2 * m + 1)) / 3];
    const four = (two * (3 * m * m + 3 * m - 1)) / 5;
    let [plain, slope, square] = [0, 0, 0];
    for (let k = -m; k <= m; k++) {
      plain += values[at + k];
      slope += k * values[at + k];
      square += k * k * values[at + k];
    }
    const bend = (n * square - two * plain) / (n * four - two * two);
    return [(plain - two * bend) / n, slope / two, 2 * bend];
  }

  const smoothed = (values, m) => values.map((_, i) => parabolaAt(values, i, m)[0]);
  const bends = (values, m) => values.map((_, i) => parabolaAt(values, i, m)[2]);

  /** Peak in eV and full width at half maximum in meV of an emission per eV. */
  function emissionOf(spectrum) {
    const even = evenly(spectrum, 0, 99, 2);
    const smooth = smoothed(even.values, 15);
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
    const logs = even.values.map((value) => Math.log(Math.max((value - base) / height, 0.01)));
    const [, slope, bend] = parabolaAt(logs, top, reach);
    const peak = even.energy[top] - 2e-3 * (slope / bend);
    return { peak, width: 4 * Math.sqrt((-2 * Math.LN2) / bend) };
  }

  /** PL peak and width, exciton and Stokes shift, in eV and meV, and by how much each can be off. */
  function estimate(absorption, { energy, values, unit }, { red, blue, curvature }) {
    // What is counted per nm is less per eV where the energy is high.
    const perEnergy = unit === "nm" ? values.map((value, i) => value / energy[i] ** 2) : values;
    const { peak, width } = emissionOf({ energy, values: perEnergy });
    const near = evenly(absorption, peak - 0.3, peak + 0.5);
    const places = (from, to) => near.energy.map((_, i) => i).slice(40, -40).filter(
      (i) => near.energy[i] > peak + from && near.energy[i] < peak + to);
    const scatterOf = (bend) => {
      const quiet = places(-1, -0.12).map((i) => bend[i]);
      const mean = total(quiet) / quiet.length;
      return Math.sqrt(total(quiet.map((value) => (value - mean) ** 2)) / quiet.length);
    };
    const refuse = (why) => {
      const [at, from, to] = [peak, peak - red, peak + blue].map((e) => Number(e.toPrecision(4)));
      throw new Error("the spectra cannot be fitted: no exciton stands out of the absorption beside " +
        `the PL's peak at ${at} eV: from ${from} to ${to} eV it ${why}.`);
    };
    // How deep it bends, over how much it scatters where dots do not absorb: as the command does.
    const coarse = bends(near.values, 40);
    const depth = -Math.min(...places(-0.02, 0.3).map((i) => coarse[i]));
    if (!(depth >= curvature * Math.max(scatterOf(coarse), 1e-12))) {
      refuse("bends upwards, or too little downwards for its noise");
    }
    const m = Math.max(Math.round(0.4 * width), 8);
    const bend = bends(near.values, m);
    const low = places(-0.03, 0.3).filter((i) => bend[i] < bend[i - 1] && bend[i] <= bend[i + 1]);
    const lowest = Math.min(...low.map((i) => bend[i]));
    const found = low.find((i) => bend[i] < 0.4 * lowest);
    const before = Math.max(...bend.slice(Math.max(found - 3 * m, 0), found));
    if (!(before <= -OF_AN_EDGE * bend[found])) refuse("is described as well by an edge without a band");
    const stiffness = (bend[found + m] - bend[found]) / (0.5 * m * m);
    const noise = Math.sqrt(scatterOf(bend) / Math.max(stiffness, 1e-12));
    // A Gaussian stops bending downwards a standard deviation from its centre; parabolas over 2m
    // neighbours add m²/7 to its variance. Red of it no other band comes in.
    const start = bend.findLastIndex((value, i) => i < found && value >= 0);
    const edge = found - start - bend[start] / (bend[start] - bend[start + 1]);
    const absorptionWidth = FWHM_PER_SIGMA * Math.sqrt(Math.max(edge * edge - (m * m) / 7, 1));
    const errors = { peak: ROUGH.peak * width, width: ROUGH.width * width,
      exciton: ROUGH.exciton * width + noise, absorptionWidth: ROUGH.absorptionWidth * width + 2 * noise };
    errors.shift = Math.hypot(errors.exciton, errors.peak);
    const exciton = near.energy[found];
    return { peak, width, exciton, absorptionWidth, shift: 1e3 * (exciton - peak), errors };
  }

  // --- on the page

  /** Two fields for files, or a place to drop them; what is found, and the commands for more. */
  function panel(explorer) {
    const { copyButton, element, shellWord, write } = globalThis.qdgainParts;
    const { clamp, rounded } = globalThis.qdgainControls;
    const given = {};
    const said = element("p", { class: "qd-estimate", role: "status" });
    const command = element("code", { "data-command": "fit-dot" });
    const figure = {
      canvas: element("canvas", { role: "img" }), memory: { names: new Map(), moving: false },
      under: element("canvas", { class: "qd-under", "aria-hidden": "true" }),
    };
    const stage = element("div", { class: "qd-stage" }, figure.under, figure.canvas);
    const found = element("div", { hidden: true }, stage, element("p", {},
      "This gives its numbers with real errors; the commands below the table take them from it:"),
    element("div", { class: "qd-command" }, command,
      copyButton("copy", () => command.textContent, () => "select it")));

    function draw() {
      const curves = [["absorption", "A_X"], ["emission", "PL_X"]].map(([name, quantity]) => {
        const [{ energy, values }, kind] = [given[name], "line"];
        const top = Math.max(...values);
        return { name, kind, x: energy, y: values.map((v) => v / top), quantity, dash: "-" };
      });
      const plot = {
        place: "single", xAxis: explorer.data.context.axes.energy, series: curves, yLimits: [0, 1.08],
        yAxis: { name: "over its maximum", unit: "1" }, xLimits: [curves[1].x[0], curves[1].x.at(-1)],
      };
      figure.canvas.setAttribute("aria-label", "Your absorption and emission against photon energy.");
      const theme = explorer.theme(document.documentElement.dataset.theme === "dark");
      globalThis.qdgainPlot.toCanvas(figure, theme, { plots: [plot] }, stage.clientWidth, 260);
    }

    /** Say what is found, and move to that dot: what spectra do not tell is the preset's. */
    function show({ peak, width, exciton, absorptionWidth, shift, errors }) {
      found.hidden = false;
      draw();
      const files = [given.absorption, given.emission].map(({ file }) => shellWord(file));
      write(command, `qdgain fit-dot ${files.join(" ")} -o my-dot.toml`);
      const [at, A_X] = [[peak, errors.peak], [exciton, errors.exciton]].map(
        ([value, error]) => `${value.toFixed(3)} ± ${(1e-3 * error).toFixed(3)} eV`);
      const [wide, A_wide, S] = [[width, errors.width], [absorptionWidth, errors.absorptionWidth],
        [shift, errors.shift]].map(([value, error]) => `${value.toFixed(0)} ± ${error.toFixed(0)} meV`);
      write(said, `An estimate, not a fit: PL_X at ${at}, ${wide} wide; A_X at ${A_X}, ${A_wide} ` +
        `wide; Stokes shift ${S}. The views have moved to this dot.`);
      const { data, controls } = explorer;
      const state = { ...data.presets[data.preset], ...explorer.looked(), shift_and_width: "free" };
      const values = [exciton, shift, absorptionWidth, width, width];
      data.measured.forEach((name, i) => {
        state[name] = clamp(controls.get(name), rounded(values[i], 4));
      });
      state.rough = [errors.shift, errors.absorptionWidth, errors.width].map(
        (error) => rounded(error, 3)).join(",");
      explorer.become(state, data.preset);
    }

    async function take(name, file) {
      try {
        given[name] = { ...readTable(await file.text(), file.name), file: file.name };
        if (!given.absorption || !given.emission) write(said, `${file.name} is read.`);
        else show(estimate(given.absorption, given.emission, explorer.data.spectra));
      } catch (refusal) {
        found.hidden = true;
        write(said, refusal.message);
      }
    }

    const field = (name, label) => element("label", {}, `${label} `, element("input", {
      type: "file", "data-file": name, on: { change: ({ target: { files } }) => take(name, files[0]) },
    }));
    const drop = async (event) => {
      event.preventDefault();
      for (const file of event.dataTransfer.files) {
        await take(/abs|uv/i.test(file.name) ? "absorption" : "emission", file);
      }
    };
    return element("details",
      { class: "qd-spectra", on: { dragover: (event) => event.preventDefault(), drop } },
      element("summary", {}, "Your own spectra"),
      element("p", {}, "Choose the two files, or drop them here: plain tables against nm or eV. " +
        "They are read on this page and do not leave it."),
      field("absorption", "Absorption"), field("emission", "Emission"), said, found);
  }

  return { estimate, panel, readTable };
})();
