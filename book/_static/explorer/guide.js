/**
 * Guides the reader: questions that set a state and say whether it is solved, the large read-out
 * with the sign of equilibrium, A against B, and play. Their texts and goals are data.
 */
"use strict";

globalThis.qdgainGuide = (() => {
  const { button, element, write } = globalThis.qdgainParts;
  const { excitons, significant } = globalThis.qdgainViews;
  const PLAY_MS = 6000;
  const PLAY_STEPS = 8;

  /** What a question measures: each is solved at a goal or below. */
  const MEASURES = {
    threshold: ({ results }) => results.maximum().mean,
    distance: ({ state }) => Math.abs(
      state.absorptive_binding_meV - state.stokes_shift_meV - state.emissive_binding_meV),
    unseen: ({ seen, question }) => question.readings.filter((one) => !seen.has(one)).length,
    balanced: ({ results }) => (results.balance().possible ? results.maximum().mean : Infinity),
  };

  /** The questions, and which of them is open. */
  function questions(explorer) {
    const { data } = explorer;
    const [task, answer] = [element("p", { class: "qd-task" }),
      element("p", { class: "qd-answer", role: "status" })];
    let [open, seen, goal] = [null, new Set(), 0];
    const buttons = data.questions.map((question, i) => button(
      `${i + 1} ${question.title}`, () => begin(i), { "aria-pressed": "false" }));

    function begin(i) {
      open = data.questions[i];
      seen = new Set();
      buttons.forEach((one, k) => one.setAttribute("aria-pressed", String(i === k)));
      if (open.preset) explorer.become({ ...data.presets[open.preset], ...open.set }, open.preset);
      else explorer.commit("question");
      goal = open.most;
      if (open.like) {
        const state = data.presets[open.like];
        goal = MEASURES[open.measure]({ state, results: globalThis.qdgainViews.resultsOf(state) });
      }
      write(task, open.sentence.replace("{goal}", Number(significant(goal))));
    }

    /** Say whether the question is solved. */
    function check(state, results) {
      if (!open) return;
      seen.add(state.reading);
      const value = MEASURES[open.measure]({ state, results, seen, question: open });
      // A goal that is a preset's own number is met by what rounds to it.
      const solved = value <= goal * 1.005 + 1e-9;
      answer.classList.toggle("qd-solved", solved);
      const shown = Number.isFinite(value) ? significant(value) : "not yet in equilibrium";
      const text = solved ? `Solved. ${open.solved}` : open.progress;
      write(answer, text.replace("{value}", shown).replace("{goal}", Number(significant(goal))));
    }
    const whole = element("div", { class: "qd-questions" },
      element("div", { class: "qd-row", role: "group", "aria-label": "questions" },
        element("span", {}, "Try:"), ...buttons), task, answer);
    return { whole, check };
  }

  /** The large number, what it was, what the paper says, and whether it can be in equilibrium. */
  function readout() {
    const [name, number, badge] = [element("span", { class: "qd-name" }),
      element("strong", { class: "qd-large" }), element("span", { class: "qd-badge" })];

    function show(state, results, before, stated) {
      const chosen = results.chosen();
      const { possible, sentence, thermal } = results.balance();
      const shown = excitons(chosen.mean);
      const was = excitons(before.chosen().mean);
      const doubt = chosen.mean < 0.001 && !possible ? "; not in equilibrium" : "";
      write(name, `threshold ⟨N⟩, ${state.threshold}`);
      write(number, (was === shown ? shown : `${was} → ${shown}`) + doubt +
        (stated === null ? "" : ` (paper ${stated})`));
      badge.classList.toggle("qd-impossible", !possible);
      const floor = possible || Number.isNaN(thermal) ? "" :
        `. In equilibrium: ⟨N⟩ = ${excitons(thermal)} at this energy`;
      write(badge, sentence + floor);
    }
    const whole = element("div", { class: "qd-readout" }, name, number, badge);
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

    function show(modified) {
      hold.textContent = explorer.held ? "release A" : "hold as A";
      hold.setAttribute("aria-pressed", String(Boolean(explorer.held)));
      change.disabled = !explorer.held;
      reset.disabled = !modified;
      sign.textContent = modified ? `modified from ${explorer.preset}` : "";
    }
    return { parts: [reset, hold, change, play, sign], show };
  }

  return { comparing, questions, readout };
})();
