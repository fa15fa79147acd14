/**
 * What the explorer shows: each view as named series with axes and units, from a state. Nothing of
 * the page and nothing of drawing; the same series are drawn, saved as CSV and compared in tests.
 *
 * @typedef {{name: string, unit: string}} Axis
 * @typedef {{name: string, x: ArrayLike<number>, y: ArrayLike<number>, xAxis: Axis, yAxis: Axis,
 *   z?: Float64Array[], zAxis?: Axis, kind: "line"|"points"|"level"|"map", quantity: string,
 *   dash: string, strong?: boolean, behind?: boolean}} Series
 * @typedef {{place: string, xAxis: Axis, yAxis: Axis, xLimits: number[], yLimits: number[],
 *   yLog?: boolean, series: Series[]}} Plot
 * @typedef {{id: string, title: string, caption: string, description: string, plots: Plot[]}} View
 * @typedef {Object<string, any>} State  values of all controls by name, and `preset`
 */
"use strict";

globalThis.qdgainViews = (() => {
  const model = globalThis.qdgainModel;
  /** Points of the curves and maps: all of them, and while a slider moves. */
  const FULL = { energies: 161, means: 101, bindings: 201, aseEnergies: 241, fluences: 101 };
  const FAST = { energies: 101, means: 61, bindings: 41, aseEnergies: 121, fluences: 41 };

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

  /** A chosen number as it was chosen. */
  const plain = (value) => String(Number(value.toPrecision(6)));

  const withUnit = (text, unit) => (unit === "1" || /[a-z]{3}/.test(text) ? text : `${text} ${unit}`);
  const energyText = (energy) => withUnit(Number.isNaN(energy) ? "no energy" : energy.toFixed(3), "eV");

  // --- the dot of a state

  const dotOf = (state) => state;  // a state has the fields of a dot among its own

  const line = (name, x, y, xAxis, yAxis, quantity, dash, more) =>
    ({ name, x, y, xAxis, yAxis, quantity, dash, kind: "line", ...more });
  const point = (name, x, y, xAxis, yAxis, quantity, marker, more) =>
    ({ name, x: [x], y: [y], xAxis, yAxis, quantity, dash: marker, kind: "points", ...more });
  const level = (name, y, xAxis, yAxis, quantity, dash, more) =>
    ({ name, x: [NaN], y: [y], xAxis, yAxis, quantity, dash, kind: "level", ...more });

  /** The same series faintly behind, under the name of the preset they belong to. */
  const behind = (series, preset) =>
    series.map((one) => ({ ...one, name: `${one.name}, preset ${preset}`, behind: true }));

  const remembered = new Map();

  /** What stands behind is computed once, not on every frame. */
  function once(compute, context, reference, points, looked) {
    const key = [compute.name, reference.preset, points.energies, looked].join(" ");
    if (remembered.size > 50) remembered.clear();
    if (!remembered.has(key)) remembered.set(key, compute(context, reference, points));
    return remembered.get(key);
  }

  const first = (array) => array[0];
  const last = (array) => array[array.length - 1];
  const ends = (array) => [first(array), last(array)];
  const union = ([a, b], [c, d]) => [Math.min(a, c), Math.max(b, d)];
  function highest(array) {
    let top = -Infinity;
    for (let i = 0; i < array.length; i++) if (array[i] > top) top = array[i];
    return top;
  }
  const finite = (array) => array.filter(Number.isFinite);

  // --- the views; each takes the context {axes, bands} of the page, a state and the points

  /** The series of the five bands, each times its strength. */
  function bandSeries({ axes, bands }, state) {
    const dot = dotOf(state);
    const energy = model.energyWindow(dot, 3, 301);
    const strength = [1, 1, dot.xx_absorption_strength, dot.xx_absorption_strength, dot.xx_emission_strength];
    return model.bandSpectra(dot, energy).map((band, i) =>
      line(bands[i].name, energy, band.map((value) => strength[i] * value), axes.energy,
        axes.band, bands[i].name, bands[i].dash));
  }

  /** The five bands of the dot: paper Fig 8a. */
  function bandsView(context, state, reference) {
    const { axes, bands } = context;
    const own = bandSeries(context, state);
    const back = reference ? behind(once(bandSeries, context, reference, FULL), reference.preset) : [];
    const all = [...own, ...back];
    const { offset } = model.bandsOf(dotOf(state));
    const centres = offset
      .map((o, i) => `${bands[i].name} ${(state.absorption_energy_eV + 1e-3 * o).toFixed(3)}`);
    const caption = `Centres in eV: ${centres.join(", ")}.`;
    return {
      id: "bands",
      title: "The five bands",
      caption,
      description: `Five bell-shaped bands against photon energy. ${caption}`,
      plots: [{
        place: "single",
        xAxis: axes.energy,
        yAxis: axes.band,
        xLimits: ends(own[0].x),
        yLimits: [0, 1.05 * Math.max(...all.map((s) => highest(s.y)))],
        series: [...back, ...own],
      }],
    };
  }

  /** Both gain thresholds of a dot, and those of its uncorrelated limit. */
  function gainThresholds(state) {
    const dot = dotOf(state);
    const ideal = model.uncorrelated(dot);
    const of = (which) => ({
      maximum: model.thresholdAtMaximum(which, state.statistics),
      onset: model.thresholdOnset(which, state.floor, state.statistics),
    });
    return { esa: of(dot), ideal: of(ideal) };
  }

  /** The lines of the gain view: transparency, spectra, growth with ⟨N⟩. */
  function gainLines({ axes }, state, points, found = gainThresholds(state).esa) {
    const dot = dotOf(state);
    const energy = model.energyWindow(dot, 3, points.energies);
    const mean = model.linspace(0, 2, points.means);
    const strong = { maximum: state.threshold !== "onset", onset: state.threshold === "onset" };
    const ideal = Object.fromEntries(Object.entries(found).filter(([, t]) => !Number.isNaN(t.energy)));
    const labels = { maximum: "at maximum", onset: "at onset" };
    const quantity = { maximum: "at gain maximum", onset: "onset" };
    const dash = { maximum: "-", onset: "--" };
    const spectra = [[state.mean_excitons, "one exciton", "--"], [2, "two excitons", "-"]]
      .filter(([n], i) => i === 1 || n !== 2)
      .map(([n, colour, style]) =>
        line(`⟨N⟩ = ${plain(n)}`, energy,
          model.gainSpectrum(dot, energy, n, state.statistics), axes.energy, axes.gain, colour, style));
    const growth = Object.entries(ideal).map(([which, t]) =>
      line(labels[which], model.gainGrowth(dot, t.energy, mean, state.statistics), mean,
        axes.gain, axes.mean, quantity[which], dash[which], { strong: strong[which] }));
    const transparency = line("transparency", energy,
      model.transparency(dot, energy, state.statistics).map((n) => (n <= 2 ? n : NaN)),
      axes.energy, axes.mean, "transparency", "-");
    const marks = Object.entries(ideal).map(([which, t]) =>
      point(`threshold, ${labels[which]}`, t.energy, t.mean, axes.energy, axes.mean,
        quantity[which], which === "maximum" ? "o" : "s", { strong: strong[which] }));
    return { energy, mean, spectra, growth, transparency, marks };
  }

  /** Gain against photon energy and ⟨N⟩ with its projections: paper Fig 8c to f. */
  function gainView(context, state, reference, points, found = gainThresholds(state)) {
    const { axes } = context;
    const dot = dotOf(state);
    const own = gainLines(context, state, points, found.esa);
    const back = reference && once(gainLines, context, reference, points, reference.mean_excitons);
    const behindOf = (series) => (back ? behind(series, reference.preset) : []);
    const highest = model.largestGain(dot, state.statistics);
    const map = {
      name: "gain",
      x: own.energy,
      y: own.mean,
      z: model.gainRows(dot, own.energy, own.mean, state.statistics),
      xAxis: axes.energy,
      yAxis: axes.mean,
      zAxis: axes.gain,
      kind: "map",
      quantity: "gain",
      limits: [-Math.max(1, highest), Math.max(1, highest)],
    };
    const behindIt = back ? model.largestGain(dotOf(reference), reference.statistics) : 0;
    const reach = Math.max(0.5, 1.1 * highest, 1.1 * behindIt);
    const { maximum, onset } = found.esa;
    const caption =
      `Threshold at the gain maximum: ⟨N⟩ = ${significant(maximum.mean)} at ${energyText(maximum.energy)}. ` +
      `Onset with ε = ${plain(state.floor)}: ⟨N⟩ = ${significant(onset.mean)} at ${energyText(onset.energy)}.`;
    return {
      id: "gain",
      title: "Gain and its projections",
      caption,
      description: "Map of the gain against photon energy and mean excitons, with gain spectra " +
        `above it and the growth of the gain to its right. ${caption}`,
      plots: [
        {
          place: "main",
          xAxis: axes.energy,
          yAxis: axes.mean,
          xLimits: ends(own.energy),
          yLimits: [0, 2],
          series: [map, ...(back ? behindOf([back.transparency]) : []), own.transparency, ...own.marks],
        },
        {
          place: "top",
          xAxis: axes.energy,
          yAxis: axes.gain,
          yShort: "G",
          xLimits: ends(own.energy),
          yLimits: [-1.05, reach],
          zero: "y",
          series: [...(back ? behindOf(back.spectra) : []), ...own.spectra],
        },
        {
          place: "right",
          xAxis: axes.gain,
          yAxis: axes.mean,
          xShort: "G",
          xLimits: [-1.05, reach],
          yLimits: [0, 2],
          zero: "x",
          series: [...(back ? behindOf(back.growth) : []), ...own.growth],
        },
      ],
    };
  }

  /** Both thresholds of a dot against Δ_A2. */
  function bindingLines({ axes, bindingRange }, state, points) {
    const dot = dotOf(state);
    const reach = 2 * dot.linewidth_meV;
    const clip = (value) => Math.min(Math.max(value, bindingRange[0]), bindingRange[1]);
    const binding = model.linspace(
      clip(dot.stokes_shift_meV - reach), clip(dot.stokes_shift_meV + reach), points.bindings);
    const curve = (threshold) =>
      binding.map((value) => threshold({ ...dot, absorptive_binding_meV: value }).mean);
    return [
      line("at gain maximum", binding, curve((d) => model.thresholdAtMaximum(d, state.statistics)),
        axes.binding, axes.threshold, "at gain maximum", "-", { strong: state.threshold !== "onset" }),
      line(`onset, ε = ${plain(state.floor)}`, binding,
        curve((d) => model.thresholdOnset(d, state.floor, state.statistics)),
        axes.binding, axes.threshold, "onset", "--", { strong: state.threshold === "onset" }),
    ];
  }

  /** Both thresholds against the absorptive biexciton shift: paper Fig 8g and h. */
  function bindingView(context, state, reference, points, found = gainThresholds(state)) {
    const { axes } = context;
    const dot = dotOf(state);
    const own = bindingLines(context, state, points);
    const back = reference ? behind(once(bindingLines, context, reference, FULL), reference.preset) : [];
    const { maximum, onset } = found.esa;
    const here = dot.absorptive_binding_meV;
    const marks = [
      point("this dot", here, maximum.mean, axes.binding, axes.threshold, "at gain maximum", "o",
        { strong: state.threshold !== "onset" }),
      point("this dot, onset", here, onset.mean, axes.binding, axes.threshold, "onset", "s",
        { strong: state.threshold === "onset" }),
    ].filter((mark) => Number.isFinite(mark.y[0]));
    const top = Math.max(2.05, ...[...own, ...back].map((s) => 1.05 * highest(finite(s.y))));
    const worst = own[0].y.indexOf(highest(finite(own[0].y)));
    const caption =
      `With Δ_A2 = ${plain(here)} meV: ⟨N⟩ = ${significant(maximum.mean)} at the gain maximum, ` +
      `onset ${significant(onset.mean)}. ` +
      (worst < 0 ? "" : `Highest near Δ_A2 = ${own[0].x[worst].toFixed(0)} meV: ⟨N⟩ = ${significant(own[0].y[worst])}.`);
    return {
      id: "thresholds",
      title: "Thresholds against the biexciton shift",
      caption,
      description: "Two curves of the gain threshold against the absorptive biexciton shift, with " +
        `a mark at this dot. ${caption}`,
      plots: [{
        place: "single",
        xAxis: axes.binding,
        yAxis: axes.threshold,
        xLimits: union(ends(own[0].x), [here, here]),
        yLimits: [0, Math.min(top, 8)],
        series: [
          ...back,
          line("Stokes shift", [dot.stokes_shift_meV, dot.stokes_shift_meV], [0, Math.min(top, 8) / 1.025],
            axes.binding, axes.threshold, "reference", ":"),
          ...own,
          ...marks,
        ],
      }],
    };
  }

  /** ASE thresholds of a dot and of its uncorrelated limit. */
  function aseThresholds(state) {
    const of = (dot) => model.aseThreshold(
      dot, state.gain_exponent, state.pi_pulse_fluence_mJ_cm2, state.statistics);
    return { esa: of(dotOf(state)), ideal: of(model.uncorrelated(dotOf(state))) };
  }

  /** A spectrum over its maximum, in place of its logarithm. */
  function relative(logs) {
    const top = highest(logs);
    for (let i = 0; i < logs.length; i++) logs[i] = Math.exp(logs[i] - top);
    return logs;
  }

  function aseLines({ axes }, state, points, found = aseThresholds(state)) {
    const dot = dotOf(state);
    const { gain_exponent: length, statistics, pi_pulse_fluence_mJ_cm2: piPulse } = state;
    const energy = model.energyWindow(dot, 3, points.aseEnergies);
    const part = model.linspace(-2, 0, points.fluences).map((power) => 10 ** power);
    const fluence = part.map((p) => piPulse * p);
    const mean = part.map((p) => model.meanExcitons(p, statistics));
    const rows = model.logAseRows(dot, energy, mean, length, statistics).map(relative);
    const at = (n) => relative(model.logAseRows(dot, energy, [n], length, statistics)[0]);
    const chosen = state.fluence_over_pi;
    const spectra = [
      line(`J = ${significant(chosen * piPulse)} mJ cm⁻²`, energy,
        at(model.meanExcitons(chosen, statistics)), axes.energy, axes.emission, "ASE", "-"),
    ];
    const levels = [level("chosen J", chosen * piPulse, axes.energy, axes.fluence, "ASE", "-")];
    if (Number.isFinite(found.esa.fluence)) {
      spectra.push(line("at threshold", energy, at(found.esa.mean), axes.energy, axes.emission,
        "ASE threshold", "--"));
      levels.push(level("threshold", found.esa.fluence, axes.energy, axes.fluence, "ASE threshold", "--"));
    }
    if (Number.isFinite(found.ideal.fluence)) {
      levels.push(level("threshold without ESA", found.ideal.fluence, axes.energy, axes.fluence,
        "ASE threshold", ":"));
    }
    const sweep = model.aseSweep(dot, mean, length, statistics);
    return {
      energy,
      fluence,
      rows,
      spectra,
      levels,
      strongest: line("strongest", sweep.strongest, fluence,
        axes.energy, axes.fluence, "ASE", ":"),
      amplification: line("amplification", sweep.logAmplification.map((v) => v / Math.LN10), fluence, axes.amplification, axes.fluence, "ASE", "-"),
      exciton: line("PL_X", energy, model.bandSpectra(dot, energy)[1], axes.energy, axes.emission,
        "PL_X", ":"),
    };
  }

  /** ASE spectra against fluence up to the π pulse: paper Fig 9a to d, simple formula. */
  function aseView(context, state, reference, points, found = aseThresholds(state)) {
    const { axes } = context;
    const own = aseLines(context, state, points, found);
    const back = reference && once(aseLines, context, reference, points, reference.fluence_over_pi);
    const behindOf = (series) => (back ? behind(series, reference.preset) : []);
    const amplifications = [...own.amplification.x, ...(back ? back.amplification.x : [])];
    const reach = [Math.min(-1, ...amplifications), Math.max(1, ...amplifications)];
    const { esa, ideal } = found;
    const text = (t) => withUnit(significant(t.fluence), "mJ cm⁻²");
    const spectrum = own.spectra[0];
    const mean = model.meanExcitons(state.fluence_over_pi, state.statistics);
    const [strongest] =
      model.aseSweep(dotOf(state), [mean], state.gain_exponent, state.statistics).strongest;
    const caption =
      `ASE threshold: ${text(esa)}` + (Number.isFinite(esa.mean) ? `, ⟨N⟩ = ${significant(esa.mean)}` : "") +
      `; without ESA: ${text(ideal)}. At ${spectrum.name} the film emits most at ${energyText(strongest)}.`;
    return {
      id: "ase",
      title: "Amplified spontaneous emission",
      caption,
      description: "Map of the emission against photon energy and pump fluence, each spectrum over " +
        `its maximum, with spectra above it and the amplification to its right. ${caption}`,
      plots: [
        {
          place: "main",
          xAxis: axes.energy,
          yAxis: axes.fluence,
          xLimits: ends(own.energy),
          yLimits: ends(own.fluence),
          yLog: true,
          series: [
            {
              name: "emission", x: own.energy, y: own.fluence, z: own.rows, xAxis: axes.energy,
              yAxis: axes.fluence, zAxis: axes.emission, kind: "map", quantity: "emission",
              limits: [0, 1],
            },
            ...(back ? behindOf([back.strongest]) : []),
            own.strongest,
            ...own.levels,
          ],
        },
        {
          place: "top",
          xAxis: axes.energy,
          yAxis: axes.emission,
          yShort: "emission",
          xLimits: ends(own.energy),
          yLimits: [0, 1.08],
          series: [...(back ? behindOf(back.spectra.slice(0, 1)) : []), own.exciton, ...own.spectra.slice().reverse()],
        },
        {
          place: "right",
          xAxis: axes.amplification,
          yAxis: axes.fluence,
          xShort: axes.amplification.name,
          xLimits: reach,
          yLimits: ends(own.fluence),
          yLog: true,
          series: [
            ...(back ? behindOf([back.amplification]) : []),
            own.amplification,
            ...own.levels.slice(1).map((one) => ({ ...one, repeated: true })),
          ],
        },
      ],
    };
  }

  /** What each view computes, by name. */
  const VIEWS = { bands: bandsView, gain: gainView, thresholds: bindingView, ase: aseView };

  /**
   * The table of numbers: for this dot, for it without ESA, and for the preset.
   * @returns {{name: string, unit: string, values: number[]}[]}
   */
  function numbers(gains, ases, presetGains, presetAses) {
    const columns = (pick) => [pick(gains.esa, ases.esa), pick(gains.ideal, ases.ideal), pick(presetGains.esa, presetAses.esa)];
    const row = (name, unit, digits, pick) => ({ name, unit, digits, values: columns(pick) });
    return [
      row("threshold ⟨N⟩ at the gain maximum", "1", 3, (g) => g.maximum.mean),
      row("its photon energy", "eV", 4, (g) => g.maximum.energy),
      row("threshold ⟨N⟩, onset", "1", 3, (g) => g.onset.mean),
      row("its photon energy", "eV", 4, (g) => g.onset.energy),
      row("ASE threshold", "mJ cm⁻²", 3, (_, a) => a.fluence),
      row("⟨N⟩ there", "1", 3, (_, a) => a.mean),
      row("photon energy of the strongest ASE there", "eV", 4, (_, a) => a.energy),
    ];
  }

  // --- CSV, as `qdgain.figures.panel.Panel.to_csv` writes it

  const header = ({ name, unit }) => `${name} [${unit}]`;
  const cell = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const number = (value) =>
    Number.isNaN(value) ? "nan" : Number.isFinite(value) ? String(value) : value > 0 ? "inf" : "-inf";

  function columns(series) {
    if (!series.z) {
      const x = series.kind === "level" ? [] : [[header(series.xAxis), Array.from(series.x)]];
      return new Map([...x, [header(series.yAxis), Array.from(series.y)]]);
    }
    const [x, y, z] = [[], [], []];
    series.z.forEach((row, j) => row.forEach((value, i) => {
      x.push(series.x[i]);
      y.push(series.y[j]);
      z.push(value);
    }));
    return new Map([[header(series.xAxis), x], [header(series.yAxis), y], [header(series.zAxis), z]]);
  }

  /** Every series of a view below one header with units, one row a point. */
  function toCsv(view) {
    const series = view.plots.flatMap((plot) => plot.series).filter((one) => !one.repeated);
    const tables = series.map(columns);
    const headers = [...new Set(tables.flatMap((table) => [...table.keys()]))];
    const lines = [["series", ...headers]];
    series.forEach((one, k) => {
      const size = first([...tables[k].values()]).length;
      for (let i = 0; i < size; i++) {
        lines.push([one.name, ...headers.map((h) => (tables[k].has(h) ? number(tables[k].get(h)[i]) : ""))]);
      }
    });
    return lines.map((row) => row.map(cell).join(",") + "\r\n").join("");
  }

  return { FAST, FULL, VIEWS, aseThresholds, gainThresholds, numbers, significant, toCsv, withUnit };
})();
