/**
 * The explorer on the page: controls, state, address, drawing on each frame. Every parameter,
 * preset, range, unit, question and colour comes from the data that the library wrote beside it.
 */
"use strict";

(() => {
  const { VIEWS, FULL, FAST, numbers, resultsOf, significant, toCsv, withUnit } =
    globalThis.qdgainViews;
  const { button, copyButton, element, save, write } = globalThis.qdgainParts;
  const { qdgainModel: model, qdgainPlot: plot, qdgainGuide: guide, qdgainSpectra: spectra } = globalThis;
  /** How long after the last movement everything is drawn finely and the address follows. */
  const SETTLED_MS = 250;
  const SAVED_WIDTH = 640;
  const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

  const rounded = (value, digits) => Number(value.toPrecision(digits));
  const asText = (value) => (value === null ? "none" : String(value));
  const shellWord = (text) =>
    (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
  const clamp = ({ minimum, maximum }, value) => Math.min(Math.max(value, minimum), maximum);
  const gradient = (text) =>
    text.match(/.{6}/g)?.map((hex) => [0, 2, 4].map((i) => parseInt(hex.slice(i, i + 2), 16)));

  let count = 0;

  class Explorer {
    constructor(root) {
      this.root = root;
      this.data = JSON.parse(root.querySelector("script[type='application/json']").textContent);
      this.full = root.dataset.explorer === "full";
      this.id = `qd${count++}`;
      this.controls = Object.values(this.data.groups).flat();
      this.setters = new Map();
      const { gradients } = this.data;
      this.gradients = {};
      for (const [name, text] of Object.entries(gradients)) {
        this.gradients[name] = this.gradients[`${name} bar`] = gradient(text);
      }
      this.preset = this.data.start;
      this.state = { ...this.data.presets[this.preset] };
      this.build();
      if (this.full) this.readAddress();
      this.showState();
      new MutationObserver(() => {
        this.look = null;
        this.request(FULL);
      }).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
      addEventListener("beforeprint", () => {
        this.figures.forEach((figure) => { figure.visible = true; });
        this.redraw(FULL);
      });
      for (const moved of this.full ? ["popstate", "hashchange"] : []) {
        addEventListener(moved, () => this.returnTo());
      }
      for (const released of ["pointerup", "pointercancel"]) {
        addEventListener(released, () => { this.grip = false; });
      }
    }

    // --- what stands on the page

    build() {
      const { data, full } = this;
      this.status = element("p", { class: "qd-status", role: "alert" });
      this.spoken = element("p", { class: "qd-spoken", role: "status" });
      this.presets = new Map(Object.keys(data.presets).map((name) => [
        name, button(name, () => this.choosePreset(name), { "aria-pressed": "false" })]));
      this.figures = data.views.map((name) => this.figure(name));
      this.readout = guide.readout(this);
      this.comparing = guide.comparing(this);
      this.questions = full ? guide.questions(this) : null;
      this.help = element("p", { class: "qd-help" }, "Point at a control, or focus it, to read what it is.");
      const views = element("div", { class: "qd-views" }, ...this.figures.map(({ whole }) => whole));
      const jump = element("div", { class: "qd-jump qd-row", role: "group", "aria-label": "go to a view" },
        ...this.figures.map(({ name, whole }) => button(data.briefs?.[name], () => whole.scrollIntoView(
          { block: "nearest", inline: "start", behavior: this.calm() ? "auto" : "smooth" }))));
      this.strip = element("div", { class: "qd-right" }, this.readout.whole,
        this.figures.length > 1 ? jump : "", views);
      const row = (name, ...parts) =>
        element("div", { class: "qd-row", role: "group", "aria-label": name },
          element("span", {}, `${name}:`), ...parts);
      const groups = full ? Object.entries(data.groups) : [["", this.controls]];
      const panel = element("div", { class: "qd-controls" },
        ...groups.map(([title, controls]) => this.group(title, controls)), full ? this.help : "");
      this.root.replaceChildren(
        ...(full ? [this.questions.whole] : [element("p", { class: "qd-task" }, data.question)]),
        row("Presets", ...this.presets.values(), ...(full ? this.comparing.parts : [])),
        ...(full ? [row("Reading", ...this.switches("reading")), spectra.panel(this)] : []), this.status, this.spoken,
        element("div", { class: "qd-body" }, panel, this.strip),
        ...(full ? this.below() : [this.linkToFull()]));
      this.watch();
    }

    /** Draw what is in sight, at its size; to ask the page for sizes on every frame is slow. */
    watch() {
      const of = (entry) => this.figures.find(({ whole }) => whole === entry.target);
      const seen = new IntersectionObserver((entries) => {
        for (const entry of entries) {
          if (entry.target === this.table) this.tableSeen = entry.isIntersecting;
          else of(entry).visible = entry.isIntersecting;
        }
        this.request(FULL);
      });
      const resized = new ResizeObserver((entries) => {
        for (const entry of entries) of(entry).width = entry.contentRect.width;
        // Views that stand above their controls leave room for these in the window.
        const strip = getComputedStyle(this.strip).position === "sticky";
        const share = strip ? 0.42 : 0.6;
        this.most = strip || !this.full ? Math.max(share * innerHeight, 270) : Infinity;
        if (entries.length) this.request(FULL);
      });
      for (const { whole } of this.figures) {
        seen.observe(whole);
        resized.observe(whole);
      }
      if (this.table) seen.observe(this.table);
    }

    calm() {
      return matchMedia("(prefers-reduced-motion: reduce)").matches;
    }

    /** Buttons in place of a list, for a choice that readers switch to and fro. */
    switches(name) {
      const { choices } = this.controls.find((one) => one.name === name);
      const made = choices.map((word) => button(word, () => {
        this.set(name, word);
        this.commit(name);
      }, { "aria-pressed": "false" }));
      this.setters.set(name, (value) => made.forEach(
        (one, i) => one.setAttribute("aria-pressed", String(choices[i] === value))));
      return made;
    }

    group(title, controls) {
      const rows = controls.filter(({ name }) => !this.full || name !== "reading").map(
        (control) => (control.choices ? this.choice(control) : this.number(control)));
      if (!this.full) return element("div", { class: "qd-group" }, ...rows);
      const optional = controls.every((control) => control.standIn);
      const [whole, head] = optional ? ["details", "summary"] : ["fieldset", "legend"];
      return element(whole, { class: "qd-group" }, element(head, {}, title), ...rows);
    }

    /** A control's row; pointing at it or focusing it explains it. */
    row(control, id, ...inputs) {
      const described = `${control.meaning}. Allowed: ${control.allowed}. Default: ${control.origin}.`;
      const explain = () => {
        this.help.replaceChildren(element("code", {}, control.name), ` ${described}`);
      };
      const label = element("label", { for: id });
      // The symbol is MathML that the library made from the contract.
      if (control.symbol) label.insertAdjacentHTML("beforeend", control.symbol + " ");
      label.append(control.label + (control.unit === "1" ? "" : ` (${control.unit})`));
      const on = { focusin: explain, pointerenter: explain };
      return element("div", { class: "qd-control", title: described, on }, label, ...inputs);
    }

    choice(control) {
      const id = `${this.id}-${control.name}`;
      const select = element("select", { id, on: { change: () => {
        this.set(control.name, select.value);
        this.commit(control.name);
      } } }, ...control.choices.map((word) => new Option(word, word)));
      this.setters.set(control.name, (value) => { select.value = value; });
      return this.row(control, id, select);
    }

    number(control) {
      const { low, step, steps, log } = control.slider;
      const id = `${this.id}-${control.name}`;
      const valueAt = (position) => {
        const at = low + step * position;
        return clamp(control, rounded(log ? 10 ** at : at, log ? 3 : 6));
      };
      const positionOf = (value) => Math.round(((log ? Math.log10(value) : value) - low) / step);
      control.beside = (value, way) => valueAt(positionOf(value) + way);
      const slider = element("input", { type: "range", id, min: 0, max: steps, step: 1, on: {
        pointerdown: () => { this.grip = true; },
        input: () => this.set(control.name, valueAt(Number(slider.value))),
        change: () => this.commit(control.name),
      } });
      const refusal = element("p",
        { class: "qd-refusal", id: `${id}-refusal`, role: "alert", hidden: true });
      const refuse = (text) => {
        refusal.textContent = text ?? "";
        refusal.hidden = !text;
        field.setAttribute("aria-invalid", String(Boolean(text)));
      };
      const typed = (event) => {
        const { value, refused } = this.parse(control, field.value.trim());
        if (!refused || event.type === "change") refuse(refused);
        if (refused) return;
        this.set(control.name, value, field);
        if (event.type !== "change") return;
        this.showState();
        this.commit(control.name);
      };
      const field = element("input", {
        type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false",
        "aria-label": `${control.label}, as a number`, "aria-describedby": `${id}-refusal`,
        placeholder: control.standIn ? "shared" : null, on: { input: typed, change: typed },
      });
      this.setters.set(control.name, (value, source) => {
        const position = positionOf(value ?? this.state.linewidth_meV);
        // A number typed beyond the slider's window widens it.
        slider.min = Math.min(0, position);
        slider.max = Math.max(steps, position);
        slider.value = position;
        slider.setAttribute("aria-valuetext",
          value === null ? control.standIn : withUnit(String(value), control.unit));
        if (source === field) return;
        field.value = value === null ? "" : String(value);
        refuse(null);
      });
      const shared = () => { this.set(control.name, null); this.commit(control.name); };
      const reset = control.standIn ? [button("shared", shared,
        { class: "qd-shared", "aria-label": `${control.label}: ${control.standIn}` })] : [];
      return this.row(control, id, slider, field, ...reset, refusal);
    }

    /** A typed or linked value, checked against the contract. */
    parse(control, text) {
      const refused = control.refusal.replace("{value}", () => (text === "" ? "''" : text));
      if (control.choices) return control.choices.includes(text) ? { value: text } : { refused };
      if (control.standIn && (text === "" || text === "none")) return { value: null };
      const value = NUMBER.test(text) ? Number(text) : NaN;
      if (control.whole && !Number.isInteger(value)) return { refused };
      return value === clamp(control, value) ? { value } : { refused };
    }

    figure(name) {
      const figure = {
        name, visible: true, width: 0, memory: { names: new Map(), moving: false },
        caption: element("p", { class: "qd-caption" }), title: element("strong"),
        canvas: element("canvas", { role: "img" }),
        under: element("canvas", { "aria-hidden": "true", class: "qd-under" }),
      };
      const fresh = () => this.view(figure, FULL);
      const file = (kind) => `qdgain_${name}.${kind}`;
      const png = () => plot.toPng(this.theme(false), fresh(), SAVED_WIDTH);
      figure.saving = {
        SVG: button("SVG", () => save(
          file("svg"), plot.toSvg(this.theme(false), fresh(), SAVED_WIDTH), "image/svg+xml")),
        CSV: button("CSV", () => save(
          file("csv"), toCsv(fresh(), this.data.context.axes), "text/csv")),
        PNG: copyButton("PNG", png, async () => {
          save(file("png"), await png(), "image/png");
          return "saved";
        }),
      };
      figure.stage = element("div", { class: "qd-stage" }, figure.under, figure.canvas);
      figure.handles = globalThis.qdgainDrag.attach(this, figure);
      const saving = element("span", { class: "qd-save" }, ...Object.values(figure.saving));
      figure.whole = element("figure", { class: "qd-view", "data-view": name },
        element("figcaption", {}, figure.title, saving), figure.stage, figure.caption);
      return figure;
    }

    /** The table of numbers, the commands and the link, below the views. */
    below() {
      this.table = element("table", { class: "qd-numbers" },
        element("caption", {}, "Thresholds and where they are"));
      const selected = (line) => () => {
        getSelection().selectAllChildren(line);
        return "selected";
      };
      this.commands = Object.keys(this.data.rerun).map((chapter) => {
        const line = element("code", { "data-chapter": chapter });
        const done = copyButton("copy", () => line.textContent, selected(line),
          { "aria-label": `copy the command for ${chapter}` });
        return { chapter, line, whole: element("div", { class: "qd-command" }, line, done) };
      });
      const region = { class: "qd-scroll", tabindex: 0, role: "region", "aria-label": "numbers" };
      return [
        element("div", region, this.table),
        element("p", { class: "qd-rerun" },
          "Rerun this with the library, every figure and its data in a folder:"),
        ...this.commands.map(({ whole }) => whole),
        element("p", {}, copyButton("copy a link to this state", () => location.href,
          () => "it is in the address bar")),
      ];
    }

    linkToFull() {
      // The state is added on the way to the link: the theme's script fails on a page that holds
      // an address whose fragment is no name.
      const plain = "explorer.html";
      const aim = () => { link.href = plain + this.address(); };
      const rest = () => { link.href = plain; };
      const link = element("a", { href: plain, on: {
        pointerenter: aim, focus: aim, click: aim, pointerleave: rest, blur: rest } },
      "every parameter and view in the live explorer");
      return element("p", { class: "qd-more" }, "These numbers with ", link, ".");
    }

    // --- state

    set(name, value, source) {
      const changed = { [name]: value, ...this.following(name, value) };
      for (const [key, one] of Object.entries(changed)) {
        this.state[key] = one;
        this.setters.get(key)?.(one, key === name ? source : undefined);
      }
      // Widths that are shared move along.
      for (const { standIn, name: own } of "linewidth_meV" in changed ? this.controls : []) {
        if (standIn && this.state[own] === null) this.setters.get(own)(null);
      }
      this.showPresets();
      this.request(FAST);
      clearTimeout(this.settling);
      this.settling = setTimeout(() => this.request(FULL), SETTLED_MS);
    }

    /** What a lock on equilibrium moves along with a value: `qdgain.model.balance.balanced_dot`. */
    following(name, value) {
      const state = { ...this.state, [name]: value };
      if (state.shift_and_width !== "in equilibrium") return {};
      const moved = Object.fromEntries(
        this.controls.filter(({ standIn }) => standIn).map((control) => [control.name, null]));
      const limited = (key, free) => {
        const control = this.controls.find((one) => one.name === key);
        moved[key] = clamp(control, rounded(free, 6));
      };
      const { temperature_K: kelvin } = state;
      if (name === "stokes_shift_meV") {
        limited("linewidth_meV", model.balancedWidth(value, kelvin));
      } else limited("stokes_shift_meV", model.balancedShift(state.linewidth_meV, kelvin));
      const paired = name === "absorptive_binding_meV" ? "emissive_binding_meV" : "absorptive_binding_meV";
      const kept = name === "absorptive_binding_meV" ? value : state.emissive_binding_meV;
      return { ...moved, [paired]: kept };
    }

    /** Set a control to the allowed value nearest to one that was dragged to. */
    setWithin(control, value) {
      if (Number.isFinite(value)) this.set(control.name, clamp(control, rounded(value, 4)));
    }

    /** Move a control by a step of its slider. */
    nudge(control, way) {
      this.set(control.name, control.beside(this.state[control.name], way));
      this.commit(control.name);
    }

    /** Move to a dot that was estimated, its bands of one width. */
    estimated(values) {
      const own = this.controls.filter(({ standIn }) => standIn).map(({ name }) => [name, null]);
      const allowed = Object.entries(values).map(([name, value]) =>
        [name, clamp(this.controls.find((one) => one.name === name), rounded(value, 4))]);
      this.become({ ...this.state, ...Object.fromEntries([...own, ...allowed]) });
    }

    /** A word as a shell takes it. */
    word(text) {
      return shellWord(text);
    }

    /** What follows once a value is chosen: everything drawn finely, and the address. */
    commit(what) {
      this.grip = false;
      clearTimeout(this.settling);
      this.request(FULL);
      if (this.full) this.writeAddress(what);
      this.announce = true;
    }

    /** Take a whole state. */
    become(state, preset = this.preset) {
      this.preset = preset;
      this.state = { ...state };
      this.showState();
      this.commit("preset");
    }

    choosePreset(name) {
      this.become({ ...this.data.presets[name], ...this.looked(), shift_and_width: "free" }, name);
    }

    showState() {
      for (const [name, show] of this.setters) show(this.state[name]);
      this.showPresets();
    }

    showPresets() {
      const same = (name) => this.data.names.every((key) =>
        this.data.shown.includes(key) || this.data.presets[name][key] === this.state[key]);
      for (const [name, one] of this.presets) {
        const pressed = String(same(name));
        if (one.getAttribute("aria-pressed") !== pressed) one.setAttribute("aria-pressed", pressed);
      }
      this.comparing.show(!same(this.preset));
    }

    // --- address

    address() {
      const base = this.data.presets[this.preset];
      const given = new URLSearchParams({ preset: this.preset });
      for (const name of this.data.names) {
        if (this.state[name] !== base[name]) given.set(name, asText(this.state[name]));
      }
      return `#${given}`;
    }

    /** Movements of one control after another are one step back. */
    writeAddress(what) {
      const address = this.address();
      if (address === location.hash) return;
      if (what === this.lastWritten) history.replaceState(null, "", address);
      else history.pushState(null, "", address);
      this.lastWritten = what;
    }

    returnTo() {
      this.lastWritten = null;
      if (location.hash !== "" && !location.hash.startsWith("#preset=")) return;  // a place on the page
      if (location.hash === this.address()) return;
      this.readAddress();
      this.showState();
      this.request(FULL);
    }

    readAddress() {
      const given = new URLSearchParams(location.hash.startsWith("#preset=") ? location.hash.slice(1) : "");
      const wanted = given.get("preset") ?? this.data.start;
      const refused = [];
      if (!(wanted in this.data.presets)) {
        refused.push(`there is no preset ${wanted}: give ${Object.keys(this.data.presets).join(", ")}.`);
      }
      this.preset = wanted in this.data.presets ? wanted : this.data.start;
      this.state = { ...this.data.presets[this.preset] };
      given.delete("preset");
      for (const [name, text] of given) {
        const control = this.controls.find((one) => one.name === name);
        const parsed = control ? this.parse(control, text) : { refused: `${name} is not a parameter here.` };
        if (parsed.refused) refused.push(parsed.refused);
        else this.state[name] = parsed.value;
      }
      Object.assign(this.state, this.following("temperature_K", this.state.temperature_K));
      this.status.textContent = refused.join(" ");
    }

    // --- drawing

    theme(dark) {
      const style = getComputedStyle(document.documentElement);
      const themed = (name, otherwise) =>
        (dark ? style.getPropertyValue(name).trim() : "") || otherwise;
      const shades = this.data.colours;
      return {
        ink: themed("--pst-color-text-base", dark ? "#e8e8e8" : "#222222"),
        paper: themed("--pst-color-background", dark ? "#14181e" : "#ffffff"),
        faint: dark ? "#7a7f87" : "#9a9a9a",
        shade: "rgba(128, 128, 128, 0.28)",
        colour: (name) => shades[name]?.[dark ? 1 : 0] ?? (dark ? "#e8e8e8" : "#000000"),
        mapColour: (name) => shades[name]?.[0] ?? "#000000",
        gradients: this.gradients,
      };
    }

    /** What the state looks at, which is no property of the dot. */
    looked() {
      return Object.fromEntries(this.data.shown.map((name) => [name, this.state[name]]));
    }

    /** What stands behind, A or the preset, looked at as the state is. */
    reference() {
      const behind = this.held ?? this.data.presets[this.preset];
      return { ...behind, ...this.looked(), name: this.held ? "A" : `preset ${this.preset}` };
    }

    view(figure, points, results = resultsOf(this.state), held = null) {
      const { state, data } = this;
      const behind = this.reference();
      // What is the same as the state would only lie under it.
      const reference = data.names.some((name) => behind[name] !== state[name]) ? behind : null;
      const view = VIEWS[figure.name]({ ...data.context, state, results, reference, points, held });
      return reference ? { ...view, caption: `${view.caption} Grey: ${reference.name}.` } : view;
    }

    /** Draw on the next frame, however many changes come before it. */
    request(points) {
      this.points = points;
      this.frame ??= requestAnimationFrame(() => {
        this.frame = null;
        this.redraw(this.points);
      });
    }

    redraw(points) {
      const begun = performance.now();
      const fine = points === FULL;
      this.look ??= this.theme(document.documentElement.dataset.theme === "dark");
      const results = resultsOf(this.state);
      const drawn = [];
      for (const figure of this.figures.filter(({ visible, width }) => visible && width > 0)) {
        // Axes hold still while something moves.
        const view = this.view(figure, points, results, this.grip || !fine ? figure.limits : null);
        figure.limits = view.limits;
        figure.memory.moving = this.grip || !fine;
        const placed = plot.toCanvas(figure, this.look, view, figure.width, this.most);
        drawn.push([figure, view, placed]);
      }
      // Words after all pictures: text on a canvas makes the browser style what changed before it.
      for (const [figure, view, placed] of drawn) this.caption(figure, view, placed, fine);
      this.showNumbers(results, fine);
      if (this.announce && fine) {
        this.announce = false;
        this.spoken.textContent = this.readout.whole.textContent;
      }
      const detail = { fine, milliseconds: performance.now() - begun };
      this.root.dispatchEvent(new CustomEvent("explorer-drawn", { detail }));
    }

    caption(figure, view, placed, fine) {
      figure.handles.place(placed);
      write(figure.caption, view.caption);
      if (!fine) return;
      write(figure.title, view.title);
      figure.canvas.setAttribute("aria-label", view.description);
      for (const [kind, one] of Object.entries(figure.saving)) {
        one.setAttribute("aria-label", `${kind}, ${kind === "PNG" ? "copy" : "save"}: ${view.title}`);
      }
    }

    showNumbers(results, fine) {
      const reference = this.reference();
      const key = JSON.stringify(reference);
      if (this.behind?.key !== key) this.behind = { key, results: resultsOf(reference) };
      const stated = this.held ? undefined : this.data.paper[this.preset];
      this.readout.show(this.state, results, this.behind.results,
        this.state.threshold === "onset" ? undefined : stated);
      if (!this.full) return;
      this.questions.check(this.state, results);
      if (!fine && !this.tableSeen) return;
      const rows = numbers(results, this.behind.results);
      const heads = ["these parameters", "the same without ESA", reference.name];
      if (!this.table.tBodies.length) {
        const head = heads.map(() => element("th", { scope: "col" }));
        this.table.append(element("thead", {}, element("tr", {}, element("td"), ...head)),
          element("tbody", {}, ...rows.map((row) => element("tr", {},
            element("th", { scope: "row" }, row.name), ...row.values.map(() => element("td"))))));
      }
      heads.forEach((text, i) => write(this.table.tHead.rows[0].cells[i + 1], text));
      rows.forEach((row, i) => row.values.forEach((value, k) => write(
        this.table.tBodies[0].rows[i].cells[k + 1],
        Number.isNaN(value) ? "–" : withUnit(significant(value, row.digits), row.unit))));
      for (const { chapter, line } of this.commands) line.textContent = this.command(chapter);
    }

    /** The command that runs a chapter with these parameters: only what differs is given. */
    command(chapter) {
      const base = this.data.presets[this.data.preset];
      const given = this.data.rerun[chapter]
        .filter((name) => this.state[name] !== base[name])
        .map((name) => `-p ${shellWord(`${name}=${asText(this.state[name])}`)}`);
      return ["qdgain rerun", chapter, ...given, "-o my-dot"].join(" ");
    }
  }

  // Two explorers on a page load the scripts twice: each element is started once.
  for (const root of document.querySelectorAll("[data-explorer]:not([data-started])")) {
    root.dataset.started = "";
    new Explorer(root);
  }
})();
