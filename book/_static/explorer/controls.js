/**
 * The explorer's controls: sliders with fields, lists and buttons, one for each parameter, with
 * its range, meaning and refusal from the data; and values from text, typed or in an address.
 */
"use strict";

globalThis.qdgainControls = (() => {
  const { button, element } = globalThis.qdgainParts;
  const { withUnit } = globalThis.qdgainViews;
  const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

  const rounded = (value, digits) => Number(value.toPrecision(digits));
  const clamp = ({ minimum, maximum }, value) => Math.min(Math.max(value, minimum), maximum);

  /** A typed or linked value, or the sentence that refuses it. */
  function parse(control, text) {
    const refused = control.refusal.replace("{value}", () => (text === "" ? "''" : text));
    if (control.choices) return control.choices.includes(text) ? { value: text } : { refused };
    if (control.standIn && (text === "" || text === "none")) return { value: null };
    const value = NUMBER.test(text) ? Number(text) : NaN;
    if (control.whole && !Number.isInteger(value)) return { refused };
    return value === clamp(control, value) ? { value } : { refused };
  }

  /** A control's row; pointing at it or focusing it explains it. */
  function row(explorer, control, id, ...inputs) {
    const described = `${control.meaning}. Allowed: ${control.allowed}. Default: ${control.origin}.`;
    const explain = () => {
      explorer.help.replaceChildren(element("code", {}, control.name), ` ${described}`);
    };
    const label = element("label", { for: id });
    // The symbol is MathML that the library made from the contract.
    if (control.symbol) label.insertAdjacentHTML("beforeend", control.symbol + " ");
    label.append(control.label + (control.unit === "1" ? "" : ` (${control.unit})`));
    const on = { focusin: explain, pointerenter: explain };
    return element("div", { class: "qd-control", title: described, on }, label, ...inputs);
  }

  function choice(explorer, control, id) {
    const change = () => explorer.choose(control.name, select.value);
    const select = element("select", { id, on: { change } },
      ...control.choices.map((word) => new Option(word, word)));
    explorer.setters.set(control.name, (value) => { select.value = value; });
    return row(explorer, control, id, select);
  }

  /** Buttons in place of a list, for a choice that readers switch to and fro. */
  function switches(explorer, name) {
    const { choices } = explorer.controls.get(name);
    const made = choices.map((word) =>
      button(word, () => explorer.choose(name, word), { "aria-pressed": "false" }));
    explorer.setters.set(name, (value) => made.forEach(
      (one, i) => one.setAttribute("aria-pressed", String(choices[i] === value))));
    return made;
  }

  function number(explorer, control, id) {
    const { name, standIn, slider: { low, step, steps, log } } = control;
    const valueAt = (position) => {
      const at = low + step * position;
      return clamp(control, rounded(log ? 10 ** at : at, log ? 3 : 6));
    };
    const positionOf = (value) => Math.round(((log ? Math.log10(value) : value) - low) / step);
    control.beside = (value, way) => valueAt(positionOf(value) + way);
    const slider = element("input", { type: "range", id, min: 0, max: steps, step: 1, on: {
      pointerdown: () => { explorer.grip = true; },
      input: () => explorer.set(name, valueAt(Number(slider.value))),
      change: () => explorer.commit(name),
    } });
    const refusal = element("p",
      { class: "qd-refusal", id: `${id}-refusal`, role: "alert", hidden: true });
    const refuse = (text) => {
      refusal.textContent = text ?? "";
      refusal.hidden = !text;
      field.setAttribute("aria-invalid", String(Boolean(text)));
    };
    const typed = ({ type }) => {
      const { value, refused } = parse(control, field.value.trim());
      if (!refused || type === "change") refuse(refused);
      if (refused) return;
      explorer.set(name, value, field);
      if (type !== "change") return;
      explorer.showState();
      explorer.commit(name);
    };
    const field = element("input", {
      type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false",
      "aria-label": `${control.label}, as a number`, "aria-describedby": `${id}-refusal`,
      placeholder: standIn ? "shared" : null, on: { input: typed, change: typed },
    });
    explorer.setters.set(name, (value, source) => {
      const position = positionOf(value ?? explorer.state.linewidth_meV);
      // A number typed beyond the slider's window widens it.
      Object.assign(slider, { min: Math.min(0, position), max: Math.max(steps, position) });
      slider.value = position;
      slider.setAttribute("aria-valuetext",
        value === null ? standIn : withUnit(String(value), control.unit));
      if (source === field) return;
      field.value = value ?? "";
      refuse(null);
    });
    const shared = standIn ? [button("shared", () => explorer.choose(name, null),
      { class: "qd-shared", "aria-label": `${control.label}: ${standIn}` })] : [];
    return row(explorer, control, id, slider, field, ...shared, refusal);
  }

  /** A group of controls under its title; bare without one, folded if none needs to be set. */
  function group(explorer, title, controls) {
    const rows = controls.map((control) =>
      (control.choices ? choice : number)(explorer, control, `${explorer.id}-${control.name}`));
    if (!title) return element("div", { class: "qd-group" }, ...rows);
    const optional = controls.every(({ standIn }) => standIn);
    const [whole, head] = optional ? ["details", "summary"] : ["fieldset", "legend"];
    return element(whole, { class: "qd-group" }, element(head, {}, title), ...rows);
  }

  return { clamp, group, parse, rounded, switches };
})();
