/**
 * The closed forms of the Simple Model, as the Python library `qdgain` has them: populations,
 * bands, gain, thresholds, amplified spontaneous emission, detailed balance. Numbers in, numbers
 * out; nothing of the page. A browser test holds every function to the library.
 *
 * A dot is an object with the fields of `qdgain.Dot`; an own width that is null stands for the
 * shared one. Energies are in eV, detunings from the centre of A_X in meV, temperatures in K. A
 * threshold that is not reached is Infinity, its energy NaN. Statistics are "rabi", "poisson" or
 * "sequential".
 */
"use strict";

globalThis.qdgainModel = (() => {
  /** FWHM of a Gaussian over its standard deviation. */
  const FWHM_PER_SIGMA = 2 * Math.sqrt(2 * Math.log(2));
  const BOLTZMANN_MEV = 0.08617333262145;
  const [A_X, PL_X, A_XX1, A_XX2, PL_XX] = [0, 1, 2, 3, 4];
  const IN_GAIN = [A_X, PL_X, A_XX2, PL_XX];

  // How finely a minimum or a root is searched; the results do not depend on it.
  const FINE = { grid: 241, minima: 3, steps: 34 };
  /** For curves that are drawn while something moves. */
  const ROUGH = { grid: 61, minima: 1, steps: 8 };
  const GOLDEN = (Math.sqrt(5) - 1) / 2;
  const ROOT_STEPS = 60;
  const NEWTON_STEPS = 60;
  const MAXIMUM_SCAN = 121;
  const TIE = 1e-12;
  /** Amplitudes of the pump, over that of a π pulse, at which amplification is looked at. */
  const AMPLITUDES = [1e-4, ...Array.from({ length: 40 }, (_, i) => (i + 1) / 40)];
  // ⟨N⟩ at which the gain of more than three states is looked at for its first zero.
  const MEANS = [0, ...Array.from({ length: 90 }, (_, i) => 1e-4 * 8e5 ** (i / 89))];

  // --- bands

  /** Centres less that of A_X, and standard deviations, of the five bands in meV. */
  function bandsOf(dot) {
    const sigma = ["absorption", "emission", "unrelaxed_xx_absorption", "xx_absorption", "xx_emission"]
      .map((band) => (dot[`${band}_linewidth_meV`] ?? dot.linewidth_meV) / FWHM_PER_SIGMA);
    const shifts = [0, dot.stokes_shift_meV, dot.unrelaxed_absorptive_binding_meV,
      dot.absorptive_binding_meV, dot.stokes_shift_meV + dot.emissive_binding_meV];
    return { offset: shifts.map((shift) => -shift), sigma };
  }

  /** Natural logarithm of a band of unit peak at a detuning. */
  function logBand(bands, which, detuning) {
    const z = (detuning - bands.offset[which]) / bands.sigma[which];
    return -0.5 * z * z;
  }

  const detuningOf = (dot, energy) => 1e3 * (energy - dot.absorption_energy_eV);
  const energyOf = (dot, detuning) => dot.absorption_energy_eV + 1e-3 * detuning;

  /** The values of a function along an array; a typed array's own `from` is many times slower. */
  function mapped(array, f) {
    const values = new Float64Array(array.length);
    for (let i = 0; i < values.length; i++) values[i] = f(array[i], i);
    return values;
  }

  /** `count` evenly spaced numbers from `low` to `high`. */
  const linspace = (low, high, count) =>
    mapped({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1));

  /** Photon energies that hold every band, so many standard deviations beyond its centre. */
  function energyWindow(dot, widths, points) {
    const { offset, sigma } = bandsOf(dot);
    const low = Math.min(...offset.map((o, i) => o - widths * sigma[i]));
    const high = Math.max(...offset.map((o, i) => o + widths * sigma[i]));
    return linspace(energyOf(dot, low), energyOf(dot, high), points);
  }

  const bandAt = (bands, which, detunings) =>
    mapped(detunings, (detuning) => Math.exp(logBand(bands, which, detuning)));

  const detuningsOf = (dot, energies) => mapped(energies, (e) => detuningOf(dot, e));

  /** The five bands of unit peak at photon energies: five arrays. */
  function bandSpectra(dot, energies) {
    const detunings = detuningsOf(dot, energies);
    return [A_X, PL_X, A_XX1, A_XX2, PL_XX].map((k) => bandAt(bandsOf(dot), k, detunings));
  }

  /** The same dot with two uncorrelated excitons: without excited-state absorption. */
  function uncorrelated(dot) {
    return {
      ...dot,
      reading: dot.reading === "degenerate" ? dot.reading : "uncorrelated",
      unrelaxed_absorptive_binding_meV: 0, absorptive_binding_meV: 0, emissive_binding_meV: 0,
      xx_absorption_strength: 1, xx_emission_strength: 1,
      unrelaxed_xx_absorption_linewidth_meV: dot.absorption_linewidth_meV,
      xx_absorption_linewidth_meV: dot.absorption_linewidth_meV,
      xx_emission_linewidth_meV: dot.emission_linewidth_meV,
    };
  }

  // --- populations

  /** ⟨N⟩ after a pulse of fluence J/J_π. */
  function meanExcitons(fluenceOverPi, statistics) {
    if (statistics === "poisson") return 0.5 * Math.PI ** 2 * fluenceOverPi;
    return 2 * Math.sin(0.5 * Math.PI * Math.sqrt(fluenceOverPi)) ** 2;
  }

  /** Fractions of dots in `count` states: no exciton, one, …, the last for all that hold more. */
  function populations(mean, statistics, count = 3) {
    if (statistics === "poisson") {
      const below = [Math.exp(-mean)];
      for (let k = 1; k < count - 1; k++) below.push((below[k - 1] * mean) / k);
      // What is left, as a sum of what is small where its complement would lose digits.
      let [term, rest] = [(below[count - 2] * mean) / (count - 1), 0];
      for (let k = count; term > 1e-17 * rest && k < 900; k++) {
        rest += term;
        term *= mean / k;
      }
      return [...below, rest];
    }
    const [n, above] = [0.5 * mean, Math.max(mean - 1, 0)];
    const three = statistics === "rabi" ? [(1 - n) ** 2, 2 * n * (1 - n), n * n]
      : [Math.max(1 - mean, 0), Math.min(mean, 1) - above, above];
    return count === 3 ? three : [...three, ...Array(count - 3).fill(0)];
  }

  // --- what the states of a dot emit and absorb

  const DARK = [0, 0, 0, 0];

  /** A reading with excited-state absorption; see `qdgain.model.states`. */
  function withEsa(dot, remaining, full) {
    const a = dot.xx_absorption_strength;
    return {
      emission: [DARK, [0, 0.5, 0, 0], [0, 0, 0, dot.xx_emission_strength]],
      absorption: [[1, 0, 0, 0], [0.5 * remaining, 0, 0.5 * a, 0], [0, 0, full * a, 0]],
    };
  }

  function degenerate(dot) {
    const states = Math.max(dot.electron_states, dot.hole_states) + 1;
    const pairs = Array.from({ length: states }, (_, k) => [
      Math.min(k / dot.electron_states, 1), Math.min(k / dot.hole_states, 1)]);
    return {
      emission: pairs.map(([e, h]) => [0, e * h, 0, 0]),
      absorption: pairs.map(([e, h]) => [(1 - e) * (1 - h), 0, 0, 0]),
    };
  }

  /** Weights of A_X, PL_X, A_XX2 and PL_XX in each state, for every reading. */
  const READINGS = {
    uncorrelated: () => ({
      emission: [DARK, [0, 0.5, 0, 0], [0, 1, 0, 0]],
      absorption: [[1, 0, 0, 0], [0.5, 0, 0, 0], DARK],
    }),
    replacing: (dot) => withEsa(dot, 0, 0),
    additive: (dot) => withEsa(dot, 1, 1),
    mixed: (dot) => withEsa(dot, dot.remaining_absorption, dot.full_dot_absorption),
    degenerate,
  };

  /** The weights of the bands in the net gain, one row for each state. */
  function gainWeights(dot) {
    const { emission, absorption } = READINGS[dot.reading](dot);
    return emission.map((row, k) => row.map((weight, band) => weight - absorption[k][band]));
  }

  const combined = (row, four) =>
    row[0] * four[0] + row[1] * four[1] + row[2] * four[2] + row[3] * four[3];

  const fourBands = (bands, detuning) =>
    IN_GAIN.map((which) => Math.exp(logBand(bands, which, detuning)));

  // --- gain

  /** The four bands at detunings, and their weights in each state's emission and gain. */
  function partsOf(dot, detunings) {
    const bands = bandsOf(dot);
    const four = IN_GAIN.map((which) => bandAt(bands, which, detunings));
    return { four, emission: READINGS[dot.reading](dot).emission, gain: gainWeights(dot) };
  }

  /** What each band weighs in the mean of the states. */
  const mixed = (rows, share) =>
    [0, 1, 2, 3].map((band) => rows.reduce((sum, row, k) => sum + share[k] * row[band], 0));

  /** A sum of the four bands: a spectrum. */
  function summed([A, P, C, Q], [a, p, c, q]) {
    const values = new Float64Array(A.length);
    for (let i = 0; i < values.length; i++) {
      values[i] = a * A[i] + p * P[i] + c * C[i] + q * Q[i];
    }
    return values;
  }

  /** Emission P and net gain G at the detunings of parts and one ⟨N⟩. */
  function spectraAt({ four, emission, gain }, mean, statistics) {
    const share = populations(mean, statistics, gain.length);
    return [emission, gain].map((rows) => summed(four, mixed(rows, share)));
  }

  /**
   * Net gain at photon energies and several ⟨N⟩, one row for each ⟨N⟩; positive for gain, in
   * units of the peak absorption cross section.
   */
  function gainRows(dot, energies, means, statistics) {
    const { four, gain } = partsOf(dot, detuningsOf(dot, energies));
    return Array.from(means, (mean) =>
      summed(four, mixed(gain, populations(mean, statistics, gain.length))));
  }

  /** Net gain at photon energies and one ⟨N⟩. */
  const gainSpectrum = (dot, energies, mean, statistics) =>
    gainRows(dot, energies, [mean], statistics)[0];

  /** Net gain at one photon energy against ⟨N⟩. */
  const gainGrowth = (dot, energy, means, statistics) =>
    mapped(gainRows(dot, [energy], means, statistics), (row) => row[0]);

  // --- gain thresholds

  /** Smallest positive root of (A+ε) - r(d-2ε) - r²(Q-ε) = 0, as ⟨N⟩ = 2r/(1+r). */
  function rabiRoot(absorption, netEmission, xxEmission, floor) {
    const [A, d, Q] = [absorption + floor, netEmission - 2 * floor, xxEmission - floor];
    const discriminant = d * d + 4 * A * Q;
    if (!(discriminant >= 0) || !(Q > 0 || d > 0)) return Infinity;
    const root = Math.sqrt(discriminant);
    // Two forms of the same root; each avoids the cancellation of the other.
    const r = d >= 0 ? (2 * A) / (d + root) : (root - d) / (2 * Q);
    return Number.isFinite(r) ? 2 / (1 + 1 / r) : Infinity;
  }

  /** Crossing of the two straight pieces 0 → X and X → XX. */
  function sequentialRoot(A, d, Q, floor) {
    if (0.5 * d >= floor && d > 0) return (A + floor) / (A + 0.5 * d);
    if (Q >= floor && Q > 0) return 1 + (floor - 0.5 * d) / (Q - 0.5 * d);
    return Infinity;
  }

  /** e^N - 1 - N with its digits where N is small. */
  function expBeyondLinear(N) {
    if (N < 1e-2) return 0.5 * N * N * (1 + (N / 3) * (1 + (N / 4) * (1 + (N / 5) * (1 + N / 6))));
    return Math.expm1(N) - N;
  }

  /** Smallest positive root of (A+ε) - N(d-2ε)/2 - (Q-ε)(e^N - 1 - N) = 0, by Newton's method. */
  function poissonRoot(absorption, netEmission, xxEmission, floor) {
    const [A, half, Q] = [absorption + floor, 0.5 * netEmission - floor, xxEmission - floor];
    let N = 0;
    if (Q > 0) {
      // The left side is concave and falls through its only root: from above, Newton cannot miss
      // it. e^N - 1 - N ≥ N²/2 bounds the root, and beyond N = 1 so does e^N - 1 - N ≥ e^N/4.
      const root = Math.sqrt(half * half + 2 * A * Q);
      const parabola = half >= 0 ? (2 * A) / (half + root) : (root - half) / Q;
      const b = Math.max(-half, 0) / Q;
      // Sums are taken in parts of 2048, which no ⟨N⟩ reaches, so that none overflows.
      let bound = 2 * (Math.log((b + Math.hypot(b, Math.sqrt(A / Q))) / 2048) + Math.log(4096));
      for (let i = 0; i < 3; i++) {
        bound = Math.log(A / Q / 2048 + b * (Math.max(bound, 1) / 2048)) + Math.log(8192);
      }
      N = Math.min(parabola, Math.max(bound, 1));
    } else if (Q === 0) {
      return half > 0 ? A / half : Infinity;
    } else {
      // The left side is convex: from N = 0, Newton ends at the first root, if there is one.
      if (!(half > 0)) return Infinity;
      const lowest = Math.log1p(-half / Q);
      if (A - lowest * half - Q * expBeyondLinear(lowest) > 0) return Infinity;
    }
    for (let i = 0; i < NEWTON_STEPS; i++) {
      // Q (e^N - 1), with a tiny Q and a huge e^N multiplied as logarithms.
      const steep = N < 30 ? Q * Math.expm1(N) : Math.sign(Q) * Math.exp(N + Math.log(Math.abs(Q))) - Q;
      const beyond = N < 1e-2 ? Q * expBeyondLinear(N) : steep - Q * N;
      const step = (A - N * half - beyond) / (half + steep);
      if (!Number.isFinite(step)) break;
      N += step;
      if (Math.abs(step) <= 1e-15 * N) break;
    }
    return N >= 0 ? N : Infinity;
  }

  const ROOTS = { rabi: rabiRoot, sequential: sequentialRoot, poisson: poissonRoot };

  /** First zero in ⟨N⟩ of the gain of more than three states above a floor, by Poisson's law. */
  function firstOfMany(gains, floor) {
    return firstRoot((mean) => {
      const share = populations(mean, "poisson", gains.length);
      return gains.reduce((total, gain, k) => total + share[k] * gain, 0) - floor;
    }, MEANS);
  }

  /** What `thresholdOfBands` needs of a dot. */
  const solverOf = (dot, statistics) =>
    ({ bands: bandsOf(dot), rows: gainWeights(dot), statistics });

  /**
   * Smallest ⟨N⟩ at which the gain reaches a floor, of a dot known in advance. With a temperature
   * its emission is what detailed balance makes of its absorption.
   */
  function thresholdOfBands({ bands, rows, statistics }, detuning, floor, kelvin = null) {
    const logs = IN_GAIN.map((which) => logBand(bands, which, detuning));
    if (kelvin !== null) {
      logs[1] = logs[0] + mcCumber(bands, A_X, PL_X, detuning, kelvin);
      logs[3] = logs[2] + mcCumber(bands, A_XX2, PL_XX, detuning, kelvin);
    }
    // Without a floor only ratios count: the largest is made 1, so that far tails keep their digits.
    const scale = floor > 0 ? 0 : Math.max(...logs);
    const four = logs.map((log) => Math.exp(log - scale));
    const gains = rows.map((row) => combined(row, four));
    if (gains.length > 3 && statistics === "poisson") return firstOfMany(gains, floor);
    return ROOTS[statistics](-gains[0], 2 * gains[1], gains[2], floor);
  }

  /** Smallest ⟨N⟩ at which the gain at a photon energy reaches a floor; Infinity if never. */
  const thresholdAtEnergy = (dot, energy, floor, statistics) =>
    thresholdOfBands(solverOf(dot, statistics), detuningOf(dot, energy), floor);

  /** The transparency line: ⟨N⟩ of zero gain at photon energies, or that of a thermal dot. */
  function transparency(dot, energies, statistics, kelvin = null) {
    const solver = solverOf(dot, statistics);
    return mapped(energies, (e) => thresholdOfBands(solver, detuningOf(dot, e), 0, kelvin));
  }

  /** The gain of a full dot: the weights of its bands, and the band that its gain is about. */
  function fullState(dot, statistics) {
    const rows = gainWeights(dot);
    const row = rows[statistics === "poisson" ? rows.length - 1 : 2];
    return { row, main: row[1] !== 0 ? PL_X : PL_XX };
  }

  /** Detuning of the largest gain at full excitation; NaN if none. */
  function gainMaximum(dot, statistics) {
    const bands = bandsOf(dot);
    const { row, main } = fullState(dot, statistics);
    if (row[main === PL_XX ? 2 : 0] === 0) return bands.offset[main];
    const loss = (detuning) => -combined(row, fourBands(bands, detuning));
    const about = (band) => {
      const [centre, reach] = [bands.offset[band], 6 * bands.sigma[band]];
      return minimum(loss, centre - reach, centre + reach, { ...FINE, grid: MAXIMUM_SCAN, minima: 1 });
    };
    const [own, beside] = [about(main), main === PL_X ? A_X : A_XX2];
    // A narrow absorption cuts the emission in two.
    const other = bands.sigma[beside] < bands.sigma[main] ? about(beside) : own;
    const best = other.value < own.value - TIE ? other : own;
    return best.value < 0 ? best.at : NaN;
  }

  /** The largest gain at full excitation. */
  function largestGain(dot, statistics) {
    const maximum = gainMaximum(dot, statistics);
    if (Number.isNaN(maximum)) return 0;
    return combined(fullState(dot, statistics).row, fourBands(bandsOf(dot), maximum));
  }

  /** Threshold where the gain is largest at full excitation: {mean, energy}. */
  function thresholdAtMaximum(dot, statistics) {
    const detuning = gainMaximum(dot, statistics);
    if (Number.isNaN(detuning)) return { mean: Infinity, energy: NaN };
    const mean = thresholdOfBands(solverOf(dot, statistics), detuning, 0);
    return { mean, energy: energyOf(dot, detuning) };
  }

  /** Smallest ⟨N⟩ at which the gain reaches a floor at any energy, and that energy. */
  function thresholdOnset(dot, floor, statistics, accuracy = FINE) {
    const solver = solverOf(dot, statistics);
    const { at, value } = minimum((detuning) => thresholdOfBands(solver, detuning, floor),
      ...reachableDetunings(dot, solver.bands, floor), accuracy);
    return { mean: value, energy: energyOf(dot, at) };
  }

  /** The detunings at which the gain can exceed a floor, which the emission bounds. */
  function reachableDetunings(dot, bands, floor) {
    const { emission } = READINGS[dot.reading](dot);
    const largest = (band) => Math.max(...emission.map((row) => row[band]));
    const edges = [[PL_X, largest(1)], [PL_XX, largest(3)]].map(([which, peak]) => {
      // One of the two terms must exceed ε/2; a band too weak for that leaves its centre alone.
      const reach = bands.sigma[which] * Math.sqrt(2 * Math.log(Math.max((2 * peak) / floor, 1)));
      return [bands.offset[which] - reach, bands.offset[which] + reach];
    });
    return [Math.min(edges[0][0], edges[1][0]), Math.max(edges[0][1], edges[1][1])];
  }

  /**
   * The least finite value of a function and where it is, of equal ones that of the lowest place: a
   * scan, then golden sections in its lowest minima.
   */
  function minimum(f, low, high, { grid, minima, steps }) {
    const places = linspace(low, high, grid);
    const scan = mapped(places, f);
    const lowest = Array.from(scan.keys()).filter((i) => Number.isFinite(scan[i]) &&
      !(scan[i] > scan[i - 1]) && !(scan[i] > scan[i + 1]))
      .sort((i, j) => (Math.abs(scan[i] - scan[j]) <= TIE * Math.abs(scan[i]) ? i - j
        : scan[i] - scan[j])).slice(0, minima).sort((i, j) => i - j);
    let best = { at: NaN, value: Infinity };
    for (const i of lowest) {
      const found = goldenSection(
        f, places[Math.max(i - 1, 0)], places[Math.min(i + 1, grid - 1)], steps);
      const own = scan[i] < found.value ? { at: places[i], value: scan[i] } : found;
      if (!(own.value >= best.value - TIE * Math.abs(own.value))) best = own;
    }
    return best;
  }

  function goldenSection(f, left, right, steps) {
    let [inner, outer] = [right - GOLDEN * (right - left), left + GOLDEN * (right - left)];
    let [atInner, atOuter] = [f(inner), f(outer)];
    for (let i = 0; i < steps; i++) {
      if (atInner <= atOuter) {
        [right, outer, atOuter] = [outer, inner, atInner];
        inner = right - GOLDEN * (right - left);
        atInner = f(inner);
      } else {
        [left, inner, atInner] = [inner, outer, atOuter];
        outer = left + GOLDEN * (right - left);
        atOuter = f(outer);
      }
    }
    return atInner <= atOuter ? { at: inner, value: atInner } : { at: outer, value: atOuter };
  }

  // --- amplified spontaneous emission

  /** ln[(e^x - 1)/x], finite at every x. */
  function logAmplification(x) {
    const size = Math.abs(x);
    if (size === 0) return 0;
    // Beyond 40 the exponential is below the last digit; below 1 it needs all of its digits.
    const lost = size > 40 ? 1 : size < 1 ? -Math.expm1(-size) : 1 - Math.exp(-size);
    return Math.max(x, 0) + Math.log(lost / size);
  }

  /** Where an array is highest. */
  function topOf(values) {
    let top = 0;
    for (let i = 1; i < values.length; i++) if (values[i] > values[top]) top = i;
    return top;
  }

  /** ln of the amplified spontaneous emission of parts at one ⟨N⟩. */
  function logAseOf(parts, mean, gainExponent, statistics) {
    const [P, G] = spectraAt(parts, mean, statistics);
    return mapped(P, (p, i) => Math.log(p) + logAmplification(gainExponent * G[i]));
  }

  /** The same spectrum over e to the largest exponent, and ln(∫I / ∫P), by which it amplifies. */
  function amplifiedOf(parts, mean, gainExponent, statistics) {
    const [P, G] = spectraAt(parts, mean, statistics);
    const most = Math.max(0, gainExponent * G[topOf(G)]);
    const one = Math.exp(-most);
    const spectrum = new Float64Array(P.length);
    let [amplified, emitted] = [0, 0];
    for (let i = 0; i < P.length; i++) {
      const x = gainExponent * G[i];
      const grown = Math.abs(x) > 1 ? (Math.exp(x - most) - one) / x
        : one * (x === 0 ? 1 : Math.expm1(x) / x);
      spectrum[i] = P[i] * grown;
      amplified += spectrum[i];
      emitted += P[i];
    }
    return { spectrum, logAmplification: most + Math.log(amplified / emitted) };
  }

  /** ln of the ASE at photon energies, one row for each ⟨N⟩; -Infinity where nothing is emitted. */
  function logAseRows(dot, energies, means, gainExponent, statistics) {
    const parts = partsOf(dot, detuningsOf(dot, energies));
    return Array.from(means, (mean) => logAseOf(parts, mean, gainExponent, statistics));
  }

  /** An even grid of detunings that holds the emission and resolves the amplified spike. */
  function emissionDetunings(dot, gainExponent) {
    const { offset, sigma } = bandsOf(dot);
    const ends = [PL_X, PL_XX].map((k) => [offset[k] - 6.5 * sigma[k], offset[k] + 6.5 * sigma[k]]);
    const [low, high] = [Math.min(ends[0][0], ends[1][0]), Math.max(ends[0][1], ends[1][1])];
    const narrowest = Math.min(sigma[A_X], sigma[PL_X], sigma[A_XX2], sigma[PL_XX]);
    const longer = gainExponent / 300;
    const step = (0.08 * narrowest) / Math.max((1 + longer) ** 0.25, Math.sqrt(longer));
    return linspace(low, high, Math.min(Math.max(Math.ceil((high - low) / step), 181), 8001));
  }

  /**
   * The first fluence up to J_π at which amplification doubles the emitted energy, ∫I = 2∫P:
   * {fluence in mJ cm⁻², mean, energy}.
   */
  function aseThreshold(dot, gainExponent, piPulseFluence, statistics) {
    const parts = partsOf(dot, emissionDetunings(dot, gainExponent));
    const logRatio = (amplitude) => amplifiedOf(
      parts, meanExcitons(amplitude * amplitude, statistics), gainExponent, statistics)
      .logAmplification - Math.LN2;
    const amplitude = firstRoot(logRatio, AMPLITUDES);
    if (!Number.isFinite(amplitude)) return { fluence: Infinity, mean: Infinity, energy: NaN };
    const mean = meanExcitons(amplitude * amplitude, statistics);
    const [energy] = aseSweep(dot, [mean], gainExponent, statistics).strongest;
    return { fluence: piPulseFluence * amplitude * amplitude, mean, energy };
  }

  /** First upward zero of a function: a scan of places, then secants; Infinity if there is none. */
  function firstRoot(f, places) {
    const above = places.findIndex((at) => f(at) >= 0);
    if (above < 1) return above === 0 ? places[0] : Infinity;
    return zeroBetween(f, places[above - 1], places[above]);
  }

  /** The upward zero of a function between two places, by secants (the Illinois method). */
  function zeroBetween(f, low, high) {
    let [atLow, atHigh] = [f(low), f(high)];
    let kept = 0;
    for (let i = 0; i < ROOT_STEPS && high - low > 1e-14 * high && atHigh > 0; i++) {
      const secant = high - (atHigh * (high - low)) / (atHigh - atLow);
      const inside = secant > low && secant < high && Number.isFinite(atLow);
      const at = inside ? secant : 0.5 * (low + high);
      const value = f(at);
      if (value >= 0) {
        [high, atHigh] = [at, value];
        if (kept > 0) atLow /= 2;
        kept = 1;
      } else {
        [low, atLow] = [at, value];
        if (kept < 0) atHigh /= 2;
        kept = -1;
      }
    }
    return high;
  }

  /**
   * The film at each ⟨N⟩: photon energy of the strongest ASE (NaN at ⟨N⟩ = 0), and ln(∫I / ∫P), by
   * how much it amplifies the emitted energy.
   */
  function aseSweep(dot, means, gainExponent, statistics) {
    const detunings = emissionDetunings(dot, gainExponent);
    const parts = partsOf(dot, detunings);
    const step = detunings[1] - detunings[0];
    const strongest = new Float64Array(means.length);
    const logAmplification = mapped(means, (mean, k) => {
      const found = amplifiedOf(parts, mean, gainExponent, statistics);
      const top = Math.min(Math.max(topOf(found.spectrum), 1), detunings.length - 2);
      const three = found.spectrum.subarray(top - 1, top + 2).map(Math.log);
      let peak = detunings[top] + parabolaShift(three, step);
      for (const finer of [0.1 * step, 0.01 * step]) {
        const near = partsOf(dot, [peak - finer, peak, peak + finer]);
        peak += parabolaShift(logAseOf(near, mean, gainExponent, statistics), finer);
      }
      strongest[k] = mean > 0 ? energyOf(dot, peak) : NaN;
      return found.logAmplification;
    });
    return { strongest, logAmplification };
  }

  /** Where a parabola through three evenly spaced values is highest, from the middle one. */
  function parabolaShift([left, centre, right], step) {
    const bend = 2 * centre - left - right;
    if (!(bend > 0)) return 0;
    return Math.min(Math.max((0.5 * (right - left)) / bend, -1), 1) * step;
  }

  // --- detailed balance

  /** ln(emission/absorption) of two bands in equilibrium, (E_Z - E)/kT with E_Z midway. */
  const mcCumber = ({ offset }, absorption, emission, detuning, kelvin) =>
    (0.5 * (offset[absorption] + offset[emission]) - detuning) / (BOLTZMANN_MEV * kelvin);

  /** By how much ln(emission/absorption) of a pair of bands misses equilibrium at energies. */
  function balanceDeviation(dot, energies, kelvin, [absorption, emission] = [A_X, PL_X]) {
    const bands = bandsOf(dot);
    return mapped(energies, (e) => {
      const detuning = detuningOf(dot, e);
      const ratio = logBand(bands, emission, detuning) - logBand(bands, absorption, detuning);
      return ratio - mcCumber(bands, absorption, emission, detuning, kelvin);
    });
  }

  /** The Stokes shift that equilibrium asks of Gaussians of a width, S = s²/kT. */
  const balancedShift = (linewidth, kelvin) =>
    (linewidth / FWHM_PER_SIGMA) ** 2 / (BOLTZMANN_MEV * kelvin);

  /** The width at which a Stokes shift is in equilibrium. */
  const balancedWidth = (shift, kelvin) =>
    FWHM_PER_SIGMA * Math.sqrt(shift * BOLTZMANN_MEV * kelvin);

  /** The largest deviation of a pair of bands within the half width of its emission. */
  function outOfBalance(dot, kelvin, pair = [A_X, PL_X]) {
    const { offset, sigma } = bandsOf(dot);
    const half = 0.5 * FWHM_PER_SIGMA * sigma[pair[1]];
    const places = [-1, 0, 1].map((side) => energyOf(dot, offset[pair[1]] + side * half));
    return Math.max(...balanceDeviation(dot, places, kelvin, pair).map(Math.abs));
  }

  return {
    BIEXCITON: [A_XX2, PL_XX], ROUGH, aseSweep, aseThreshold, balanceDeviation, balancedShift,
    balancedWidth, bandSpectra, bandsOf, energyWindow, gainGrowth, gainRows, gainSpectrum,
    largestGain, linspace, logAseRows, mapped, meanExcitons, outOfBalance, populations,
    thresholdAtEnergy, thresholdAtMaximum, thresholdOnset, transparency, uncorrelated,
  };
})();
