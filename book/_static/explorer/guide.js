/**
 * Guides the reader: questions that set a state and say whether it is solved, the large read-out
 * with the sign of equilibrium, A against B, and play. Their texts and goals are data.
 */
"use strict";

globalThis.qdgainGuide = (() => {
  const { button, element, write } = globalThis.qdgainParts;
  const { excitons, plain, resultsOf, significant } = globalThis.qdgainViews;
  const PLAY_MS = 6000;
  const PLAY_STEPS = 8;

  /** What a question measures, a number or what is left to do; NaN where there is nothing yet. */
  const MEASURES = {
    threshold: ({ results }) => results.maximum().mean,
    distance: ({ state }) => Math.abs(
      state.absorptive_binding_meV - state.stokes_shift_meV - state.emissive_binding_meV),
    apart: ({ state, question, explorer: { held, data } }) => {
      const alike = held && data.names.every((name) =>
        name === "reading" || data.shown.includes(name) || held[name] === state[name]);
      const compared = alike ? [held.reading, state.reading] : [];
      return question.readings.filter((one) => !compared.includes(one));
    },
    balanced: ({ results, explorer: { data } }) =>
      (results.balance(data.inBalance).possible ? results.maximum().mean : NaN),
  };

  /** What the page's own numbers add to an answer. */
  const ANSWERS = {
    gains: ({ state, explorer: { held } }) => {
      const largest = [held, state].map((one) => `${one.reading} ` +
        significant(globalThis.qdgainModel.largestGain(one, one.statistics)));
      return `The largest gain at ⟨N⟩ = 2: ${largest.join(", ")}.`;
    },
    helped: ({ state, question, explorer: { controls, data } }) => {
      const start = { ...data.presets[question.preset], ...question.set };
      const undone = data.names.filter(
        (name) => !data.shown.includes(name) && state[name] !== start[name]).map((name) => (
        [resultsOf({ ...state, [name]: start[name] }).maximum().mean, controls.get(name).label]));
      undone.sort(([a], [b]) => b - a);
      return "What helped most comes first. The threshold with one change undone: " +
        `${undone.map(([mean, label]) => `${label} ${excitons(mean)}`).join(", ")}.`;
    },
  };

  /** The questions, and which of them is open. */
  function questions(explorer) {
    const { data } = explorer;
    const [task, answer] = [element("p", { class: "qd-task" }),
      element("p", { class: "qd-answer", role: "status" })];
    let [open, low, high, goal] = [null, 0, 0, ""];
    const buttons = data.questions.map((question, i) => button(
      `${i + 1} ${question.title}`, () => begin(i), { "aria-pressed": "false" }));

    function begin(i) {
      open = data.questions[i];
      explorer.held = null;
      buttons.forEach((one, k) => one.setAttribute("aria-pressed", String(i === k)));
      if (open.preset) explorer.become({ ...data.presets[open.preset], ...open.set }, open.preset);
      else explorer.commit("question");
      [low, high, goal] = [-Infinity, open.most, plain(open.most ?? 0)];
      if (open.like) {
        const state = data.presets[open.like];
        const at = MEASURES[open.measure]({ state, results: resultsOf(state), explorer });
        [low, high] = [1 - open.within, 1 + open.within].map((part) => Number(significant(part * at)));
        goal = `${low} to ${high}`;
      }
      write(task, open.sentence.replace("{goal}", goal));
      if (open.control) explorer.reveal(open.control);
    }

    /** Say whether the question is solved. */
    function check(state, results) {
      if (!open) return;
      const asked = { state, results, explorer, question: open };
      const found = MEASURES[open.measure](asked);
      const left = Array.isArray(found);
      const value = left ? found.length : Number(significant(found));
      // Neither is solved by what is neither: nothing to measure, or out of reach.
      const solved = value >= low && value <= high;
      answer.classList.toggle("qd-solved", solved);
      if (!solved) {
        const shown = left ? `${value} (${found.join(", ")})` : significant(found);
        const text = Number.isNaN(found) ? open.unmet : open.progress;
        write(answer, text.replace("{value}", shown).replace("{goal}", goal));
        return;
      }
      const thermal = open.measure !== "threshold" || results.balance(data.inBalance).possible;
      write(answer, `Solved${thermal ? "" : ", but not in equilibrium"}. ${open.solved} ` +
        (ANSWERS[open.answers]?.(asked) ?? ""));
    }
    const whole = element("div", { class: "qd-questions" },
      element("div", { class: "qd-row", role: "group", "aria-label": "questions" },
        element("span", {}, "Try:"), ...buttons), task, answer);
    return { whole, check };
  }

  /** The large number, what it is compared with, and whether the dot can be in equilibrium. */
  function readout({ data }) {
    const [name, number, beside, badge] = [element("span", { class: "qd-name" }),
      element("strong", { class: "qd-large" }), element("span", { class: "qd-beside" }),
      element("span", { class: "qd-badge" })];

    /** What spectra alone tell comes first; with a biexciton they do not tell, second. */
    function showRough(state, results, shown) {
      const [least, most] = results.range().map((mean) => excitons(mean, 2));
      const assumed = data.names.every((one) => data.measured.includes(one) ||
        data.shown.includes(one) || state[one] === data.presets[data.preset][one]);
      write(number, `Without ESA: ${excitons(results.idealChosen().mean, 2)}`);
      return [`from the rough errors: ${least} to ${most}`, `With ${assumed ? "the preset's" : "this"} ` +
        `biexciton (assumed; your spectra do not tell it): ${shown}`];
    }

    /** With what is compared: its name and results; and the paper's number, of a preset alone. */
    function show(state, results, compared, stated) {
      const { mean } = results.chosen();
      const { possible, sentence } = results.balance(data.inBalance);
      const shown = excitons(mean);
      const words = [];
      if (state.rough) words.push(...showRough(state, results, excitons(mean, 2)));
      else write(number, shown + (mean < 0.001 && !possible ? "; not in equilibrium" : "") +
        (stated === null ? "" : ` (paper ${stated})`));
      if (compared) words.push(`${compared.name}: ${excitons(compared.results.chosen().mean)}`);
      write(name, `threshold ⟨N⟩, ${state.threshold}${state.rough ? ", from your spectra" : ""}`);
      write(beside, words.join(". "));
      badge.classList.toggle("qd-impossible", !possible);
      write(badge, sentence);
    }
    const whole = element("div", { class: "qd-readout" }, name, number, beside, badge);
    return { whole, show };
  }

  /** Buttons that hold a state as A, change A and B, reset, and play. */
  function comparing(explorer) {
    const hold = button("hold as A", () => {
      explorer.held = explorer.held ? null : { ...explorer.state };
      explorer.commit("compare");
    });
    const change = button("A ⇄ B", () => {
      const { held } = explorer;
      explorer.held = { ...explorer.state };
      explorer.become(held);
    });
    const reset = button("reset", () => explorer.choosePreset(explorer.preset));
    const sign = element("span", { class: "qd-modified" });
    const play = button("play", () => (playing ? stop() : start()));
    let playing = null;

    function stop() {
      cancelAnimationFrame(playing);
      playing = null;
      play.textContent = "play";
      explorer.commit("play");
    }

    /** Raise what is pumped, ⟨N⟩ or the fluence, from end to end. */
    function start() {
      play.textContent = "stop";
      const begun = performance.now();
      const controls = explorer.data.play.map((name) => explorer.controls.get(name));
      const step = (now) => {
        let part = Math.min(Math.max(now - begun, 0) / PLAY_MS, 1);
        if (explorer.calm()) part = Math.floor(part * PLAY_STEPS) / PLAY_STEPS;
        for (const { name, minimum, maximum } of controls) {
          const value = Number((minimum + part * (maximum - minimum)).toPrecision(3));
          if (explorer.state[name] !== value) explorer.set(name, value);
        }
        if (part < 1) playing = requestAnimationFrame(step);
        else stop();
      };
      playing = requestAnimationFrame(step);
    }

    function show(modified, rough) {
      hold.textContent = explorer.held ? "release A" : "hold as A";
      hold.setAttribute("aria-pressed", String(Boolean(explorer.held)));
      change.disabled = !explorer.held;
      reset.disabled = !modified;
      sign.textContent = rough ? "from your spectra" :
        modified ? `modified from ${explorer.preset}` : "";
    }
    return { parts: [reset, hold, change, play, sign], show };
  }

  return { comparing, questions, readout };
})();
