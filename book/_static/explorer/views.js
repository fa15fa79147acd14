/**
 * What the explorer shows: numbers and views of a state, as named series with axes and units.
 * Nothing of the page and nothing of drawing; the same series are drawn, saved and tested.
 *
 * A series is {name, kind, x, y, quantity, dash}; a plot {place, xAxis, yAxis, xLimits, yLimits,
 * series} may have shades, and handles {control, at, along, value} that set a control where they
 * are dragged to; a view has plots, and limits that hold still while something is dragged.
 */
"use strict";

globalThis.qdgainViews = (() => {
  const model = globalThis.qdgainModel;
  /** Points of the curves and maps: all of them, and while something moves. */
  const FULL = { energies: 161, means: 101, bindings: 201, aseEnergies: 241, fluences: 101 };
  const FAST = { energies: 81, means: 31, bindings: 25, aseEnergies: 61, fluences: 21, rough: true };
  /** All points, searched less finely than a picture shows. */
  const FINE = { ...FULL, rough: true };
  /** How high in the plot each band's handle is, so that none hides another. */
  const HANDLES = [0.54, 0.41, 0.83, 0.68, 0.15];

  // --- numbers as text, as `qdgain.rounding` writes them

  /** A number rounded to significant digits; infinity is out of reach. */
  function significant(value, digits = 3) {
    if (Number.isNaN(value)) return "not defined";
    if (!Number.isFinite(value)) return "out of reach";
    if (value === 0) return "0";
    const [, exponent] = Math.abs(value).toExponential(digits - 1).split("e");
    const magnitude = Number(exponent);
    if (magnitude < -4 || magnitude >= 6) return value.toExponential(digits - 1);
    return value.toFixed(Math.max(digits - 1 - magnitude, 0));
  }

  /** A mean number of excitons; one too small to mean anything as such. */
  const excitons = (value, digits = 3) =>
    (value < 0.001 ? "< 0.001" : significant(value, digits));
  /** A chosen number as it was chosen. */
  const plain = (value) => String(Number(value.toPrecision(6))).replace("-", "−");
  const withUnit = (text, unit) => (unit === "1" || /[a-z]{3}/.test(text) ? text : `${text} ${unit}`);
  const energyText = (energy) => withUnit(Number.isNaN(energy) ? "no energy" : energy.toFixed(3), "eV");

  // --- what a state gives; a state has the fields of a dot among its own

  const lazily = (compute) => {
    let value;
    return () => (value ??= compute());
  };

  /** The numbers of a state, each computed when it is asked for, and once. */
  function resultsOf(state) {
    const { statistics, temperature_K: kelvin } = state;
    const ideal = model.uncorrelated(state);
    const maximum = (dot) => model.thresholdAtMaximum(dot, statistics);
    const onset = (dot) => model.thresholdOnset(dot, state.floor, statistics);
    const ase = (dot) =>
      model.aseThreshold(dot, state.gain_exponent, state.pi_pulse_fluence_mJ_cm2, statistics);
    const all = {
      maximum: lazily(() => maximum(state)), onset: lazily(() => onset(state)),
      ase: lazily(() => ase(state)), idealMaximum: lazily(() => maximum(ideal)),
      idealOnset: lazily(() => onset(ideal)), idealAse: lazily(() => ase(ideal)),
    };
    const isOnset = state.threshold === "onset";
    all.chosen = isOnset ? all.onset : all.maximum;
    all.idealChosen = isOnset ? all.idealOnset : all.idealMaximum;
    all.range = lazily(() => roughRange(state, isOnset ? onset : maximum));
    // Of the biexciton, spectra tell nothing.
    all.balance = (allowed) => (state.rough
      ? balanceOf({ ...ideal, rough: true }, all.idealChosen().energy, kelvin, allowed)
      : balanceOf(state, all.chosen().energy, kelvin, allowed));
    return all;
  }

  /** From where to where a dot's threshold without ESA is, by the rough errors of its spectra. */
  function roughRange(state, threshold) {
    const at = (moved) => threshold(model.uncorrelated({ ...state, ...moved })).mean;
    const names = ["stokes_shift_meV", "linewidth_meV", "emission_linewidth_meV"];
    const errors = state.rough.split(",").map(Number);
    const off = names.map((name, i) => [-1, 1].map((way) =>
      at({ [name]: Math.max(state[name] + way * errors[i], i ? 1 : 0) }) - at({})));
    // Each by itself, those downwards and those upwards added as independent errors are.
    return [-1, 1].map((way) => Math.max(at({}) + way * Math.hypot(
      ...off.map((both) => Math.max(...both.map((one) => one * way), 0))), 0));
  }

  /** Whether a dot's exciton and biexciton can be in equilibrium, and its threshold if they were. */
  function balanceOf(state, energy, kelvin, allowed) {
    const needed = model.balancedShift(state.emission_linewidth_meV ?? state.linewidth_meV, kelvin);
    const misses = [];
    const check = (pair, name, shift) => {
      if (model.outOfBalance(state, kelvin, pair) <= allowed) return;
      misses.push(`${name} = ${plain(Number(shift.toFixed(1)))} meV`);
    };
    check(undefined, "S", state.stokes_shift_meV);
    if (["replacing", "additive", "mixed"].includes(state.reading)) {
      check(model.BIEXCITON, "the biexciton's Stokes shift",
        state.stokes_shift_meV + state.emissive_binding_meV - state.absorptive_binding_meV);
    }
    const possible = !misses.length;
    if (possible) return { possible, sentence: `possible: in equilibrium at ${plain(kelvin)} K` };
    const [thermal] = model.transparency(state, [energy], state.statistics, kelvin);
    const sentence = `impossible in equilibrium at ${plain(kelvin)} K: ${misses.join(" and ")} in ` +
      `place of ${needed.toFixed(1)} meV` + (state.rough ? ", if a dot's bands are as wide as your " +
        "sample's" : "") + (Number.isNaN(thermal) ? "" :
      `. In equilibrium at ${energyText(energy)}: ⟨N⟩ = ${excitons(thermal)}`);
    return { possible, sentence };
  }

  const line = (name, x, y, quantity, dash, more) =>
    ({ name, x, y, quantity, dash, kind: "line", ...more });
  const point = (name, x, y, quantity, dash, more) =>
    ({ name, x: [x], y: [y], quantity, dash, kind: "points", ...more });
  const level = (name, y, quantity, dash, more) =>
    ({ name, x: [NaN], y: [y], quantity, dash, kind: "level", ...more });

  const remembered = new Map();

  /** The lines of what stands behind, faint, under its name; computed once, not on every frame. */
  function behind(lines, at, looked, limits) {
    const { reference, points } = at;
    if (!reference) return [];
    const key = JSON.stringify([lines.name, reference, points, looked, limits]);
    if (remembered.size > 50) remembered.clear();
    if (!remembered.has(key)) {
      const found = lines({ ...at, state: reference, results: resultsOf(reference) }, limits);
      remembered.set(key, found);
    }
    // One of them bears the name of all.
    let label = reference.name;
    const fade = (one) => {
      const faded = { ...one, name: `${one.name}, ${reference.name}`, behind: true, label };
      label = "";
      return faded;
    };
    return Object.fromEntries(Object.entries(remembered.get(key)).map(
      ([name, series]) => [name, Array.isArray(series) ? series.map(fade) : series]));
  }

  /** A map with its projections above it and to its right, which share its axes. */
  const projected = (shared, main, top, right) => [
    { place: "main", ...shared, ...main },
    { ...shared, place: "top", shades: [], yLog: false, ...top },
    { ...shared, place: "right", shades: [], ...right },
  ];

  const ends = (array) => [array[0], array[array.length - 1]];
  const finite = (array) => Array.from(array).filter(Number.isFinite);
  const highest = (array) => array.reduce((top, value) => (value > top ? value : top), -Infinity);
  const clip = (value, [low, high]) => Math.min(Math.max(value, low), high);

  // --- the views; each takes {state, results, reference, points, held, axes, bands, …}

  /** The series of the five bands, each times its strength. */
  function bandLines({ state: dot, bands }, [low, high]) {
    const energy = model.linspace(low, high, 301);
    const [a, gamma] = [dot.xx_absorption_strength, dot.xx_emission_strength];
    const strength = [1, 1, a, a, gamma];
    return { lines: model.bandSpectra(dot, energy).map((band, i) => line(
      bands[i].name, energy, band.map((v) => strength[i] * v), bands[i].name, bands[i].dash)) };
  }

  function bandsView(at) {
    const { state, held, axes, bands } = at;
    const energies = held?.energies ?? ends(model.energyWindow(state, 3, 2));
    const own = bandLines(at, energies);
    const back = behind(bandLines, at, null, energies).lines ?? [];
    const centres = model.bandsOf(state).offset.map((o) => state.absorption_energy_eV + 1e-3 * o);
    const top = held?.top ?? 1.1 * Math.max(...[...own.lines, ...back].map((s) => highest(s.y)));
    const [A_X, PL_X] = centres;
    const moved = [
      ["absorption_energy_eV", (e) => e], ["stokes_shift_meV", (e) => 1e3 * (A_X - e)],
      ["unrelaxed_absorptive_binding_meV", (e) => 1e3 * (A_X - e)],
      ["absorptive_binding_meV", (e) => 1e3 * (A_X - e)],
      ["emissive_binding_meV", (e) => 1e3 * (PL_X - e)],
    ];
    const named = centres.map((centre, i) => `${bands[i].name} ${centre.toFixed(3)}`);
    const caption = `Centres in eV: ${named.join(", ")}.`;
    return {
      title: "The five bands",
      caption,
      description: `Five bell-shaped bands against photon energy. ${caption}`,
      limits: { energies, top },
      plots: [{
        place: "single", xAxis: axes.energy, yAxis: axes.band,
        xLimits: energies, yLimits: [0, top], series: [...back, ...own.lines],
        handles: moved.map(([control, value], i) => (
          { control, at: [centres[i], HANDLES[i] * top], along: "x", value })),
      }],
    };
  }

  /** The lines of the gain view: transparency, spectra, growth with ⟨N⟩. */
  function gainLines({ state, results, points }, [low, high]) {
    const { statistics } = state;
    const energy = model.linspace(low, high, points.energies);
    const mean = model.linspace(0, 2, points.means);
    const found = [["maximum", "-", "at gain maximum"], ["onset", "--", "onset"]].map(
      ([which, dash, quantity]) => ({
        ...results[which](), dash, quantity, label: `at ${which}`,
        more: { label: which, strong: (state.threshold === "onset") === (which === "onset") },
      })).filter((one) => !Number.isNaN(one.energy));
    const shown = [[state.mean_excitons, "one exciton", "--"], [2, "two excitons", "-"]];
    return {
      energy,
      mean,
      spectra: shown.filter(([n], i) => i === 1 || n !== 2).map(([n, quantity, dash]) =>
        line(`⟨N⟩ = ${plain(n)}`, energy, model.gainSpectrum(state, energy, n, statistics),
          quantity, dash)),
      growth: found.map(({ energy: e, label, quantity, dash, more }) =>
        line(label, model.gainGrowth(state, e, mean, statistics), mean, quantity, dash, more)),
      transparency: [line("transparency", energy, model.transparency(state, energy, statistics)
        .map((n) => (n <= 2 ? n : NaN)), "transparency", "-")],
      marks: found.map(({ energy: e, mean: n, label, quantity, dash, more }) =>
        point(`threshold, ${label}`, e, n, quantity, dash === "-" ? "o" : "s", more)),
    };
  }

  /** Gain against photon energy and ⟨N⟩ with its projections: paper Fig 8c to f. */
  function gainView(at) {
    const { state, results, held, axes, points } = at;
    const { statistics, mean_excitons: chosen, temperature_K: kelvin } = state;
    const energies = held?.energies ?? ends(model.energyWindow(state, 3, 2));
    const own = gainLines(at, energies);
    const back = behind(gainLines, at, [chosen], energies);
    const top = model.largestGain(state, statistics);
    const lines = [...own.spectra, ...(back.spectra ?? [])];
    const reach = held?.reach ?? Math.max(0.5, ...lines.map((one) => 1.1 * highest(one.y)));
    const largest = held?.largest ?? Math.max(1, top);
    const map = {
      name: "gain", x: own.energy, y: own.mean, kind: "map", quantity: "gain", zAxis: axes.gain,
      z: model.gainRows(state, own.energy, own.mean, statistics), limits: [-largest, largest],
    };
    const thermal = line("equilibrium", own.energy,
      model.transparency(state, own.energy, statistics, kelvin), "reference", ":",
      { label: "" });
    const here = level(`chosen ⟨N⟩ = ${plain(chosen)}`, chosen, "one exciton", "--", { label: "" });
    const { maximum, onset } = { maximum: results.maximum(), onset: results.onset() };
    const caption =
      `Threshold at the gain maximum: ⟨N⟩ = ${excitons(maximum.mean)} at ` +
      `${energyText(maximum.energy)}. Onset with ε = ${plain(state.floor)}: ⟨N⟩ = ` +
      `${excitons(onset.mean)} at ${energyText(onset.energy)}. Shaded: what equilibrium forbids.`;
    const handle = {
      control: "mean_excitons", at: [energies[0] + 0.04 * (energies[1] - energies[0]), chosen],
      along: "y", value: (_, y) => y };
    const G = { ...axes.gain, short: "G" };
    return {
      title: "Gain and its projections",
      caption,
      description: "Map of the gain against photon energy and mean excitons, with gain spectra " +
        `above it and the growth of the gain to its right. ${caption}`,
      limits: { energies, reach, largest },
      plots: projected(
        { xAxis: axes.energy, yAxis: axes.mean, xLimits: energies, yLimits: [0, 2] },
        { shades: [thermal], handles: [handle], series: [
          map, ...(back.transparency ?? []), thermal, here, ...own.transparency, ...own.marks] },
        { yAxis: G, yLimits: [-1.05, reach], zero: "y",
          series: [...(back.spectra ?? []), ...own.spectra] },
        { xAxis: G, xLimits: [-1.05, reach], zero: "x",
          series: [...(back.growth ?? []), ...own.growth] }),
    };
  }

  /** Both thresholds of a dot against Δ_A2, and what equilibrium lets them be at least. */
  function bindingLines({ state: dot, points }, [low, high]) {
    const { statistics, temperature_K: kelvin } = dot;
    const binding = model.linspace(low, high, points.bindings);
    const accuracy = points.rough ? model.ROUGH : undefined;
    const others = Array.from(binding, (value) => ({ ...dot, absorptive_binding_meV: value }));
    const maxima = others.map((one) => model.thresholdAtMaximum(one, statistics));
    const onset = others.map((one) =>
      model.thresholdOnset(one, dot.floor, statistics, accuracy).mean);
    const strong = dot.threshold !== "onset";
    return {
      lines: [
        line("at gain maximum", binding, maxima.map((one) => one.mean), "at gain maximum", "-",
          { strong }),
        line(`onset, ε = ${plain(dot.floor)}`, binding, onset, "onset", "--", { strong: !strong }),
      ],
      thermal: [line("equilibrium", binding, maxima.map(({ energy }, i) =>
        model.transparency(others[i], [energy], statistics, kelvin)[0]), "reference", ":")],
    };
  }

  /** Both thresholds against the absorptive biexciton shift: paper Fig 8g and h. */
  function bindingView(at) {
    const { state, results, held, axes, bindingRange } = at;
    const around = 2 * state.linewidth_meV;
    const bindings = held?.bindings ??
      [-around, around].map((way) => clip(state.stokes_shift_meV + way, bindingRange));
    const own = bindingLines(at, bindings);
    const back = behind(bindingLines, at, null, bindings).lines ?? [];
    const { maximum, onset } = { maximum: results.maximum(), onset: results.onset() };
    const here = state.absorptive_binding_meV;
    const strong = state.threshold !== "onset";
    const marks = [
      point("this dot", here, maximum.mean, "at gain maximum", "o", { strong }),
      point("this dot, onset", here, onset.mean, "onset", "s", { strong: !strong }),
    ].filter((mark) => Number.isFinite(mark.y[0]));
    const tops = [...own.lines, ...back].map((s) => 1.05 * highest(finite(s.y)));
    const top = held?.top ?? Math.min(Math.max(2.05, ...tops), 8);
    const { x: shifts, y: values } = own.lines[0];
    const worst = values.indexOf(highest(finite(values)));
    const caption =
      `With Δ_A2 = ${plain(here)} meV: ⟨N⟩ = ${excitons(maximum.mean)} at the gain maximum, ` +
      `onset ${excitons(onset.mean)}. ` + (worst < 0 ? "" :
        `Highest near Δ_A2 = ${plain(Math.round(shifts[worst]))} meV: ⟨N⟩ = ` +
        `${significant(values[worst])}. `) + "Shaded: what equilibrium forbids at the maximum.";
    const limits = [Math.min(bindings[0], here), Math.max(bindings[1], here)];
    const shift = state.stokes_shift_meV;
    return {
      title: "Thresholds against the biexciton shift",
      caption,
      description: "Two curves of the gain threshold against the absorptive biexciton shift, with " +
        `a mark at this dot. ${caption}`,
      limits: { bindings, top },
      plots: [{
        place: "single", xAxis: axes.binding, yAxis: axes.threshold,
        xLimits: held ? bindings : limits, yLimits: [0, top],
        shades: own.thermal,
        series: [
          ...back, line("Stokes shift", [shift, shift], [0, top / 1.025], "reference", ":"),
          ...own.lines, ...marks],
        handles: [{
          control: "absorptive_binding_meV", at: [here, Math.min(maximum.mean, top)], along: "x",
          value: (x) => x }],
      }],
    };
  }

  /** A spectrum over its maximum, in place of its logarithm. */
  const relative = (logs) => {
    const top = highest(logs);
    return logs.map((value) => Math.exp(value - top));
  };

  function aseLines({ state, points }, [low, high]) {
    const { gain_exponent: length, statistics, pi_pulse_fluence_mJ_cm2: piPulse } = state;
    const energy = model.linspace(low, high, points.aseEnergies);
    const part = model.linspace(-2, 0, points.fluences).map((power) => 10 ** power);
    const fluence = part.map((p) => piPulse * p);
    const mean = part.map((p) => model.meanExcitons(p, statistics));
    const sweep = model.aseSweep(state, mean, length, statistics);
    const at = model.meanExcitons(state.fluence_over_pi, statistics);
    const [spectrum] = model.logAseRows(state, energy, [at], length, statistics).map(relative);
    const chosen = `J = ${significant(state.fluence_over_pi * piPulse)} mJ cm⁻²`;
    return {
      energy, fluence, mean, peak: model.aseSweep(state, [at], length, statistics).strongest[0],
      spectra: [line(chosen, energy, spectrum, "ASE", "-")],
      strongest: [line("strongest", sweep.strongest, fluence, "ASE", ":")],
      amplification: [line("amplification", sweep.logAmplification.map((v) => v / Math.LN10),
        fluence, "ASE", "-", { label: "" })],
    };
  }

  /** ASE spectra against fluence up to the π pulse: paper Fig 9a to d, simple formula. */
  function aseView(at) {
    const { state, results, held, axes } = at;
    const { gain_exponent: length, statistics, pi_pulse_fluence_mJ_cm2: piPulse } = state;
    const energies = held?.energies ?? ends(model.energyWindow(state, 3, 2));
    const own = aseLines(at, energies);
    const back = behind(aseLines, at, [state.fluence_over_pi], energies);
    const [esa, ideal] = [results.ase(), results.idealAse()];
    const spectra = [line("PL_X", own.energy, model.bandSpectra(state, own.energy)[1], "PL_X", ":")];
    const levels = [level("chosen J", state.fluence_over_pi * piPulse, "ASE", "-")];
    if (Number.isFinite(esa.fluence)) {
      const logs = model.logAseRows(state, own.energy, [esa.mean], length, statistics);
      spectra.push(line("at threshold", own.energy, relative(logs[0]), "ASE threshold", "--"));
      levels.push(level("threshold", esa.fluence, "ASE threshold", "--"));
    }
    if (Number.isFinite(ideal.fluence) && ideal.fluence !== esa.fluence) {
      levels.push(level("threshold without ESA", ideal.fluence, "ASE threshold", ":"));
    }
    const amplifications = [own.amplification, back.amplification ?? []].flat()
      .flatMap((one) => Array.from(one.x));
    const reach = held?.reach ?? [Math.min(-1, ...amplifications), Math.max(1, ...amplifications)];
    const fluences = ends(own.fluence);
    const text = (t) => withUnit(significant(t.fluence), "mJ cm⁻²");
    const caption =
      `ASE threshold: ${text(esa)}` +
      (Number.isFinite(esa.mean) ? `, ⟨N⟩ = ${significant(esa.mean)}` : "") +
      `; without ESA: ${text(ideal)}. At ${own.spectra[0].name} the film emits most at ` +
      `${energyText(own.peak)}.`;
    const rows = model.logAseRows(state, own.energy, own.mean, length, statistics).map(relative);
    const map = {
      name: "emission", x: own.energy, y: own.fluence, z: rows, kind: "map",
      quantity: "emission", zAxis: axes.emission, limits: [0, 1],
    };
    const handle = {
      control: "fluence_over_pi", along: "y", value: (_, y) => y / piPulse,
      at: [energies[0] + 0.04 * (energies[1] - energies[0]), levels[0].y[0]] };
    return {
      title: "Amplified spontaneous emission",
      caption,
      description: "Map of the emission against photon energy and pump fluence, each spectrum over " +
        `its maximum, with spectra above it and the amplification to its right. ${caption}`,
      limits: { energies, reach },
      plots: projected(
        { xAxis: axes.energy, yAxis: axes.fluence, xLimits: energies, yLimits: fluences, yLog: true },
        { handles: [handle], series: [map, ...(back.strongest ?? []), ...own.strongest, ...levels] },
        { yAxis: { ...axes.emission, short: "emission" }, yLimits: [0, 1.08],
          series: [...(back.spectra ?? []), ...spectra, ...own.spectra] },
        { xAxis: axes.amplification, xLimits: reach, series: [
          ...(back.amplification ?? []), ...own.amplification,
          ...levels.slice(1).map((one) => ({ ...one, label: "", repeated: true }))] }),
    };
  }

  /** What each view computes, by name. */
  const VIEWS = { bands: bandsView, gain: gainView, thresholds: bindingView, ase: aseView };

  /** The table of numbers: for these parameters, the same without ESA, and what stands behind. */
  function numbers(own, reference) {
    const row = (name, unit, digits, which, of) => {
      const ideal = `ideal${which[0].toUpperCase()}${which.slice(1)}`;
      const values = [own[which](), own[ideal](), reference[which]()].map((one) => one[of]);
      return { name, unit, digits, values };
    };
    return [
      row("threshold ⟨N⟩ at the gain maximum", "1", 3, "maximum", "mean"),
      row("its photon energy", "eV", 4, "maximum", "energy"),
      row("threshold ⟨N⟩, onset", "1", 3, "onset", "mean"),
      row("its photon energy", "eV", 4, "onset", "energy"),
      row("ASE threshold", "mJ cm⁻²", 3, "ase", "fluence"),
      row("⟨N⟩ there", "1", 3, "ase", "mean"),
      row("photon energy of the strongest ASE there", "eV", 4, "ase", "energy"),
    ];
  }

  // --- CSV, as `qdgain.figures.panel.Panel.to_csv` writes it

  const header = ({ name, unit }) => `${name} [${unit}]`;
  const cell = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const number = (value) =>
    Number.isNaN(value) ? "nan" : Number.isFinite(value) ? String(value) : value > 0 ? "inf" : "-inf";

  function columns({ xAxis, yAxis }, { kind, x, y, z, zAxis }) {
    if (kind === "level") return new Map([[header(yAxis), y]]);
    if (!z) return new Map([[header(xAxis), x], [header(yAxis), y]]);
    const every = z.flatMap((row, j) => Array.from(row, (value, i) => [x[i], y[j], value]));
    return new Map([xAxis, yAxis, zAxis].map((axis, k) => [header(axis), every.map((v) => v[k])]));
  }

  /** Every series of a view below one header with units, one row a point. */
  function toCsv(view) {
    const tables = view.plots.flatMap((plot) => {
      const own = plot.series.filter((one) => !one.repeated);
      return own.map((one) => [one.name, columns(plot, one)]);
    });
    const headers = [...new Set(tables.flatMap(([, table]) => [...table.keys()]))];
    const lines = [["series", ...headers]];
    for (const [name, table] of tables) {
      const size = table.values().next().value.length;
      for (let i = 0; i < size; i++) {
        lines.push([name, ...headers.map((h) => (table.has(h) ? number(table.get(h)[i]) : ""))]);
      }
    }
    return lines.map((row) => row.map(cell).join(",") + "\r\n").join("");
  }

  return { FAST, FINE, FULL, VIEWS, excitons, numbers, plain, resultsOf, significant, toCsv, withUnit };
})();
