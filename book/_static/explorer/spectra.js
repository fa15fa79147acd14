/**
 * Your own spectra: absorption and emission read from files on this page, and a rough estimate of
 * the dot. The fit with real errors is the command's, `qdgain fit-dot`; nothing leaves the page.
 */
"use strict";

globalThis.qdgainSpectra = (() => {
  const { button, copyButton, element, write } = globalThis.qdgainParts ?? {};
  const NM_EV = 1239.841984;
  const SEPARATORS = [["\t", "."], ["\t", ","], [";", "."], [";", ","], [",", "."],
    [/\s+/, "."], [/\s+/, ","]];
  const FEWEST = 12;
  /** Parts of the PL's width by which an estimate of peak, width and exciton can be off. */
  const ROUGH = { peak: 0.05, width: 0.12, exciton: 0.15 };
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

  /** Peak in eV and full width at half maximum in meV of an emission per eV. */
  function emissionOf(spectrum) {
    const even = evenly(spectrum, 0, 99, 2);
    const smooth = parabolas(even.values, 15);
    const base = smooth.slice().sort((a, b) => a - b)[Math.floor(0.1 * smooth.length)];
    const top = smooth.indexOf(Math.max(...smooth));
    const height = smooth[top] - base;
    const half = (way) => {
      let i = top;
      while (i > 0 && i < smooth.length - 1 && smooth[i] - base > 0.5 * height) i += way;
      return Math.abs(i - top);
    };
    // Above half of the height the logarithm of a band is nearly a parabola; fitted by moments.
    const reach = Math.max(Math.round(0.9 * Math.min(half(-1), half(1))), 3);
    const [first, last] = [Math.max(top - reach, 0), Math.min(top + reach, smooth.length - 1)];
    const points = [];
    for (let i = first; i <= last; i++) {
      const value = even.values[i] - base;
      if (value > 0.2 * height) points.push([i - top, Math.log(value / height), value ** 2]);
    }
    const [a, b] = parabolaThrough(points);
    const step = even.energy[1] - even.energy[0];
    return { peak: even.energy[top] - (0.5 * b * step) / a, width: 1e3 * step * 2 * Math.sqrt(-Math.LN2 / a) };
  }

  /** Weighted least squares of a x² + b x + c: [a, b]. */
  function parabolaThrough(points) {
    const s = (power, y = 0) => points.reduce(
      (sum, [x, value, weight]) => sum + weight * x ** power * value ** y, 0);
    const rows = [[4, 3, 2], [3, 2, 1], [2, 1, 0]].map((row, i) => [...row.map((p) => s(p)), s(2 - i, 1)]);
    const minor = (i, j) => rows.map((row) => [row[0], row[1], row[2], row[3]]).map(
      (row) => row.filter((_, k) => k !== i && k !== j));
    const det = ([[p, q], [r, t], [u, v]], [x, y, z]) =>
      x * (r * v - t * u) - y * (p * v - q * u) + z * (p * t - q * r);
    const column = (k) => rows.map((row) => row[k]);
    const whole = det(minor(0, 3), column(0));
    return [det(minor(0, 3), column(3)) / whole, -det(minor(1, 3), column(3)) / whole];
  }

  /** PL peak and width, the exciton from the curvature, and the Stokes shift, with rough errors. */
  function estimate(absorption, emission, { red, blue, curvature }) {
    const perEnergy = emission.unit === "nm" ? (e) => 1 / (e * e) : () => 1;
    const { peak, width } = emissionOf(
      { energy: emission.energy, values: emission.values.map((v, i) => v * perEnergy(emission.energy[i])) });
    // The command's own measure: how deep the absorption bends, over how noisily where it is dark.
    const near = evenly(absorption, peak - 0.3, peak + 0.5);
    const command = parabolas(near.values, 40, true);
    const std = (values) => {
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      return Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length);
    };
    const where = (from, to) => near.energy.map((e, i) => i).filter(
      (i) => near.energy[i] > peak + from && near.energy[i] < peak + to && i >= 40 && i < near.energy.length - 40);
    const quiet = std(where(-9, -0.12).map((i) => command[i]));
    const deepest = Math.min(...where(-0.02, 0.3).map((i) => command[i]));
    if (!(-deepest >= curvature * Math.max(quiet, 1e-12))) {
      throw new Error("the spectra cannot be fitted: no exciton stands out of the absorption beside the PL's " +
        `peak at ${Number(peak.toPrecision(4))} eV: from ${Number((peak - red).toPrecision(4))} to ` +
        `${Number((peak + blue).toPrecision(4))} eV it bends upwards, or too little downwards for its noise.`);
    }
    const m = Math.max(Math.round(0.4 * width), 8);
    const bend = parabolas(near.values, m, true);
    const low = where(-0.03, 0.3).filter((i) => bend[i] < bend[i - 1] && bend[i] <= bend[i + 1]);
    const bottom = Math.min(...low.map((i) => bend[i]));
    const found = low.find((i) => bend[i] < 0.4 * bottom);
    const exciton = near.energy[found];
    const lobe = Math.max(...bend.slice(Math.max(found - 3 * m, 0), found)) / -bend[found];
    const blueLobe = Math.max(...bend.slice(found, found + 3 * m)) / -bend[found];
    const noise = std(where(-9, -0.12).map((i) => bend[i]));
    const stiff = (bend[found + m] - bend[found]) / (0.5 * m * m);
    const error = ROUGH.exciton * width + Math.sqrt(noise / Math.max(stiff, 1e-12));
    return {
      peak, width, lobe, blueLobe, exciton, shift: 1e3 * (exciton - peak),
      errors: { peak: ROUGH.peak * width, width: ROUGH.width * width, exciton: error,
        shift: Math.hypot(error, ROUGH.peak * width) },
    };
  }

  return { estimate, readTable };
})();
