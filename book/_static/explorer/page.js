/**
 * The explorer on the page: its state, its address, drawing on each frame. Every parameter, preset,
 * range, unit, question and colour comes from the data that the library wrote beside it.
 */
"use strict";

(() => {
  const { VIEWS, FULL, FINE, FAST, numbers, resultsOf, significant, toCsv, withUnit } =
    globalThis.qdgainViews;
  const { button, copyButton, element, save, shellWord, write } = globalThis.qdgainParts;
  const { clamp, group, parse, rounded, switches } = globalThis.qdgainControls;
  const { comparing, questions, readout } = globalThis.qdgainGuide;
  const { qdgainModel: model, qdgainPlot: plot } = globalThis;
  /** How long after the last movement everything is drawn finely and the address follows. */
  const SETTLED_MS = 250;
  const SAVED_WIDTH = 640;

  const asText = (value) => (value === null ? "none" : String(value));
  /** 256 colours of six digits as pixels, whose bytes are alpha, blue, green and red. */
  const gradient = (text) => Uint32Array.from(text.match(/.{6}/g) ?? [], (hex) =>
    parseInt(`ff${hex.slice(4)}${hex.slice(2, 4)}${hex.slice(0, 2)}`, 16));
  const row = (name, ...parts) =>
    element("div", { class: "qd-row", role: "group", "aria-label": name },
      element("span", {}, `${name}:`), ...parts);

  let count = 0;

  class Explorer {
    constructor(root) {
      this.root = root;
      this.data = JSON.parse(root.querySelector("script[type='application/json']").textContent);
      this.full = root.dataset.explorer === "full";
      this.id = `qd${count++}`;
      this.controls = new Map(
        Object.values(this.data.groups).flat().map((control) => [control.name, control]));
      /** Show a control's value: a function by name. */
      this.setters = new Map();
      this.gradients = Object.fromEntries(
        Object.entries(this.data.gradients).map(([name, text]) => [name, gradient(text)]));
      this.preset = this.data.start;
      this.state = { ...this.data.presets[this.preset] };
      this.build();
      this.watch();
      if (this.full) this.readAddress();
      this.showState();
    }

    // --- what stands on the page

    build() {
      const { data, full } = this;
      this.status = element("p", { class: "qd-status", role: "alert" });
      this.spoken = element("p", { class: "qd-spoken", role: "status" });
      this.help = element("p", { class: "qd-help" },
        "Point at a control, or focus it, to read what it is.");
      this.presets = new Map(Object.keys(data.presets).map((name) => [
        name, button(name, () => this.choosePreset(name), { "aria-pressed": "false" })]));
      this.figures = data.views.map((name) => this.figure(name));
      this.readout = readout(this);
      this.comparing = comparing(this);
      this.questions = full ? questions(this) : null;
      const above = [row("Presets", ...this.presets.values(), ...(full ? this.comparing.parts : []))];
      if (full) {
        above.unshift(this.questions.whole);
        this.says = element("span", { class: "qd-says" });
        above.push(row("Reading of the paper", ...switches(this, "reading"), this.says),
          globalThis.qdgainSpectra.panel(this));
      }
      const groups = full ? Object.entries(data.groups) : [["", [...this.controls.values()]]];
      this.panel = element("div", { class: "qd-controls" }, ...groups.map(([title, controls]) =>
        group(this, title, controls.filter(({ name }) => !this.setters.has(name)))),
      full ? this.help : "");
      this.side = element("div", { class: "qd-side" }, this.panel);
      const show = (whole) => whole.scrollIntoView(
        { block: "nearest", inline: "start", behavior: this.calm() ? "auto" : "smooth" });
      const jump = full ? row("View", ...this.figures.map(
        ({ name, whole }) => button(data.briefs[name], () => show(whole)))) : "";
      if (full) jump.classList.add("qd-jump");
      this.strip = element("div", { class: "qd-right" }, this.readout.whole, jump,
        element("div", { class: "qd-views" }, ...this.figures.map(({ whole }) => whole)));
      this.root.replaceChildren(...above, this.status, this.spoken,
        element("div", { class: "qd-body" }, this.side, this.strip,
          full ? element("div", { class: "qd-below" }, ...this.below()) : ""),
        full ? "" : this.linkToFull());
    }

    /** Follow what is in sight, sizes, colours, the printer and the address. */
    watch() {
      const of = ({ target }) => this.figures.find(({ whole }) => whole === target);
      const seen = new IntersectionObserver((entries) => {
        for (const entry of entries) {
          if (entry.target === this.table) this.tableSeen = entry.isIntersecting;
          else of(entry).visible = entry.isIntersecting;
        }
        this.request(FINE);
      }, { rootMargin: "100px" });
      // To ask the page for sizes on every frame is slow.
      const resized = new ResizeObserver((entries) => {
        for (const entry of entries) of(entry).width = entry.contentRect.width;
        // Views that stand above their controls leave room for these in the window.
        const strip = getComputedStyle(this.strip).position === "sticky";
        const share = strip ? 0.42 : 0.6;
        this.most = strip || !this.full ? Math.max(share * innerHeight, 270) : Infinity;
        // Beside the views where there is room, so that it covers none of them.
        const place = strip || !this.full ? this.strip : this.side;
        if (this.readout.whole.parentNode !== place) place.prepend(this.readout.whole);
        this.request(FINE);
      });
      for (const { whole } of this.figures) [seen, resized].forEach((one) => one.observe(whole));
      if (this.table) seen.observe(this.table);
      new MutationObserver(() => {
        this.look = null;
        this.request(FINE);
      }).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
      addEventListener("beforeprint", () => {
        // Folded, it has no size before it opens.
        this.most ||= 300;
        if (!this.full) this.root.closest("details")?.setAttribute("open", "");
        for (const figure of this.figures) {
          figure.visible = true;
          figure.width ||= figure.whole.clientWidth;
        }
        this.redraw(FINE);
      });
      for (const released of ["pointerup", "pointercancel"]) {
        addEventListener(released, () => { this.grip = false; });
      }
      for (const moved of this.full ? ["popstate", "hashchange"] : []) {
        addEventListener(moved, () => this.returnTo());
      }
    }

    /** Bring a control into sight, and the keyboard to it. */
    reveal(name) {
      const control = document.getElementById(`${this.id}-${name}`);
      control.scrollIntoView({ block: "nearest", behavior: this.calm() ? "auto" : "smooth" });
      control.focus({ preventScroll: true });
    }

    calm() {
      return matchMedia("(prefers-reduced-motion: reduce)").matches;
    }

    figure(name) {
      const figure = {
        name, visible: true, width: 0, memory: { names: new Map(), moving: false },
        caption: element("p", { class: "qd-caption" }), title: element("strong"),
        canvas: element("canvas", { role: "img" }),
        under: element("canvas", { "aria-hidden": "true", class: "qd-under" }),
      };
      const png = () => plot.toPng(this.theme(false), this.view(figure, FULL), SAVED_WIDTH);
      const csv = () => toCsv(this.view(figure, FULL));
      figure.saving = {
        CSV: button("CSV", () => save(`qdgain_${name}.csv`, csv(), "text/csv")),
        PNG: copyButton("PNG", png, async () => {
          save(`qdgain_${name}.png`, await png(), "image/png");
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
        element("caption", {}, "Thresholds and where they are"), element("thead"), element("tbody"));
      this.commands = Object.keys(this.data.rerun).map((chapter) => {
        const line = element("code", { "data-chapter": chapter });
        const copy = copyButton("copy", () => line.textContent, () => "select it",
          { "aria-label": `copy the command for ${chapter}` });
        return { chapter, line, whole: element("div", { class: "qd-command" }, line, copy) };
      });
      const region = { class: "qd-scroll", tabindex: 0, role: "region", "aria-label": "numbers" };
      this.before = element("p");
      return [
        element("div", region, this.table), this.before,
        ...this.commands.map(({ whole }) => whole),
        copyButton("copy a link to this state", () => location.href, () => "see the address bar"),
      ];
    }

    linkToFull() {
      // The state is added on the way to the link: the theme's script fails on a page that holds
      // an address whose fragment is no name.
      const plain = "explorer.html";
      const aim = () => { link.href = plain + this.address(); };
      const rest = () => { link.href = plain; };
      const on = { pointerenter: aim, focus: aim, click: aim, pointerleave: rest, blur: rest };
      const link = element("a", { href: plain, on },
        "every parameter and view in the live explorer");
      return element("p", { class: "qd-more" }, "These numbers with ", link, ".");
    }

    // --- state

    /** Set a value, and what follows from it; what is drawn on the next frame is rough. */
    set(name, value, source) {
      const changed = { [name]: value, ...this.following(name, value) };
      // A dot that is moved away from its spectra is one of the reader's own.
      if (this.data.measured.some((one) => one in changed)) this.state.rough = undefined;
      for (const [key, one] of Object.entries(changed)) {
        this.state[key] = one;
        this.setters.get(key)?.(one, key === name ? source : undefined);
      }
      // Widths that are shared move along.
      for (const { standIn, name: own } of "linewidth_meV" in changed ? this.controls.values() : []) {
        if (standIn && this.state[own] === null) this.setters.get(own)(null);
      }
      this.showPresets();
      this.request(FAST);
      clearTimeout(this.settling);
      this.settling = setTimeout(() => this.request(FINE), SETTLED_MS);
    }

    /** What a lock on equilibrium moves along with a value, as `qdgain.model.balance` does. */
    following(name, value) {
      const state = { ...this.state, [name]: value };
      if (state.shift_and_width !== "in equilibrium") return {};
      const moved = {};
      for (const control of this.controls.values()) if (control.standIn) moved[control.name] = null;
      const move = (key, free) => {
        moved[key] = clamp(this.controls.get(key), rounded(free, 6));
      };
      const { temperature_K: kelvin } = state;
      if (name === "stokes_shift_meV") move("linewidth_meV", model.balancedWidth(value, kelvin));
      else move("stokes_shift_meV", model.balancedShift(state.linewidth_meV, kelvin));
      if (name === "absorptive_binding_meV") move("emissive_binding_meV", value);
      else move("absorptive_binding_meV", state.emissive_binding_meV);
      return Object.fromEntries(
        Object.entries(moved).filter(([key]) => key !== name && this.controls.has(key)));
    }

    /** What follows once a value is chosen: everything drawn finely, and the address. */
    commit(what) {
      this.grip = false;
      clearTimeout(this.settling);
      this.showPresets();
      this.request(FINE);
      if (this.full) this.writeAddress(what);
      this.announce = true;
    }

    choose(name, value) {
      this.set(name, value);
      this.commit(name);
    }

    /** Take a whole state. */
    become(state, preset = this.preset) {
      this.preset = preset;
      this.state = { ...state };
      this.showState();
      this.commit("preset");
    }

    choosePreset(name) {
      const looked = { ...this.looked(), shift_and_width: "free" };
      this.become({ ...this.data.presets[name], ...looked }, name);
    }

    showState() {
      for (const [name, show] of this.setters) show(this.state[name]);
      this.showPresets();
    }

    /** Whether the state is a preset's, whatever is looked at. */
    isPreset(name) {
      return !this.state.rough && this.data.names.every((key) =>
        this.data.shown.includes(key) || this.data.presets[name][key] === this.state[key]);
    }

    showPresets() {
      for (const [name, one] of this.presets) {
        const pressed = String(this.isPreset(name));
        if (one.getAttribute("aria-pressed") !== pressed) one.setAttribute("aria-pressed", pressed);
      }
      this.comparing.show(!this.isPreset(this.preset), this.state.rough);
      if (this.says) write(this.says, this.data.readings[this.state.reading]);
    }

    // --- address

    address() {
      const base = this.data.presets[this.preset];
      const given = new URLSearchParams({ preset: this.preset });
      for (const name of this.data.names) {
        if (this.state[name] !== base[name]) given.set(name, asText(this.state[name]));
      }
      if (this.state.rough) given.set("rough", this.state.rough);
      return `#${given}`;
    }

    /** Movements of one control after another are one step back. */
    writeAddress(what) {
      const address = this.address();
      if (address === location.hash) return;
      history[what === this.lastWritten ? "replaceState" : "pushState"](null, "", address);
      this.lastWritten = what;
    }

    returnTo() {
      this.lastWritten = null;
      if (location.hash !== "" && !location.hash.startsWith("#preset=")) return;  // a place here
      if (location.hash === this.address()) return;
      this.readAddress();
      this.showState();
      this.request(FINE);
    }

    readAddress() {
      const { presets, start } = this.data;
      const own = location.hash.startsWith("#preset=") ? location.hash.slice(1) : "";
      const given = new URLSearchParams(own);
      const wanted = given.get("preset") ?? start;
      const refused = wanted in presets ? [] :
        [`there is no preset ${wanted}: give ${Object.keys(presets).join(", ")}.`];
      this.preset = wanted in presets ? wanted : start;
      this.state = { ...presets[this.preset] };
      if (/^[\d.]+,[\d.]+,[\d.]+$/.test(given.get("rough"))) this.state.rough = given.get("rough");
      ["preset", "rough"].forEach((name) => given.delete(name));
      for (const [name, text] of given) {
        const control = this.controls.get(name);
        const parsed = control ? parse(control, text) :
          { refused: `${name} is not a parameter here.` };
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
      const { colours } = this.data;
      const [ink, ground] = dark ? ["#e8e8e8", "#14181e"] : ["#222222", "#ffffff"];
      return {
        ink: themed("--pst-color-text-base", ink),
        paper: themed("--pst-color-background", ground),
        faint: dark ? "#7a7f87" : "#9a9a9a",
        shade: "rgba(128, 128, 128, 0.28)",
        colour: (name) => colours[name]?.[dark ? 1 : 0] ?? (dark ? ink : "#000000"),
        mapColour: (name) => colours[name]?.[0] ?? "#000000",
        gradients: this.gradients,
      };
    }

    /** What the state looks at, which is no property of the dot. */
    looked() {
      return Object.fromEntries(this.data.shown.map((name) => [name, this.state[name]]));
    }

    /** What stands behind, A or the preset, looked at as the state is; and its numbers. */
    reference() {
      const name = this.held ? "A" : `preset ${this.preset}`;
      const state = { ...(this.held ?? this.data.presets[this.preset]), ...this.looked(), name };
      const key = JSON.stringify(state);
      if (this.behind?.key !== key) this.behind = { key, name, state, results: resultsOf(state) };
      return this.behind;
    }

    /** What the state is compared with: not with what is the same, nor spectra with a preset. */
    compared() {
      const { state, data, held } = this;
      const found = this.reference();
      const apart = data.names.some((name) => found.state[name] !== state[name]);
      return apart && (held || !state.rough) ? found : null;
    }

    view(figure, points, results = resultsOf(this.state), held = null) {
      const { state, data } = this;
      const reference = this.compared()?.state ?? null;
      const view = VIEWS[figure.name]({ ...data.context, state, results, reference, points, held });
      const notes = (reference ? ` Grey: ${reference.name}.` : "") +
        (state.rough && figure.name !== "bands" ? " The biexciton is assumed." : "");
      return { ...view, caption: view.caption + notes };
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
      const fine = points === FINE;
      this.look ??= this.theme(document.documentElement.dataset.theme === "dark");
      const results = resultsOf(this.state);
      const drawn = [];
      for (const figure of this.figures.filter(({ visible, width }) => visible && width > 0)) {
        // Axes, and names of lines, hold still while something moves.
        const moving = this.grip || !fine;
        const view = this.view(figure, points, results, moving ? figure.limits : null);
        figure.limits = view.limits;
        figure.memory.moving = moving;
        drawn.push([figure, view, plot.toCanvas(figure, this.look, view, figure.width, this.most)]);
      }
      // Words after all pictures: text on a canvas makes the browser style what changed before it.
      for (const one of drawn) this.caption(...one, fine);
      const before = this.reference().results;
      const stated = this.isPreset(this.preset) && this.state.threshold !== "onset" ?
        this.data.paper[this.preset] : null;
      this.readout.show(this.state, results, this.compared(), stated);
      this.questions?.check(this.state, results);
      if (this.full && (fine || this.tableSeen)) this.showNumbers(numbers(results, before));
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
        one.setAttribute("aria-label", `${kind}: ${view.title}`);
      }
    }

    showNumbers(rows) {
      const { tHead, tBodies: [body] } = this.table;
      if (!body.rows.length) {
        tHead.append(element("tr", {}, element("td"),
          ...[1, 2, 3].map(() => element("th", { scope: "col" }))));
        body.append(...rows.map(({ name }) => element("tr", {},
          element("th", { scope: "row" }, name), ...[1, 2, 3].map(() => element("td")))));
      }
      ["these parameters", "the same without ESA", this.reference().state.name].forEach(
        (text, i) => write(tHead.rows[0].cells[i + 1], text));
      rows.forEach(({ values, digits, unit }, i) => values.forEach((value, k) => write(
        body.rows[i].cells[k + 1],
        Number.isNaN(value) ? "–" : withUnit(significant(value, digits), unit))));
      const begin = this.state.rough ?
        "With my-dot.toml, which fit-dot writes from your spectra, rerun" : "Rerun";
      write(this.before, `${begin} this with the library, every figure and its data in a folder:`);
      for (const { chapter, line } of this.commands) line.textContent = this.command(chapter);
    }

    /** The command that runs a chapter with these parameters: only what differs is given. */
    command(chapter) {
      const { data: { measured, preset, presets, rerun }, state } = this;
      const given = rerun[chapter]
        .filter((name) => state[name] !== presets[preset][name])
        .filter((name) => !(state.rough && measured.includes(name)))
        .map((name) => `-p ${shellWord(`${name}=${asText(state[name])}`)}`);
      const fitted = state.rough ? ["-f my-dot.toml"] : [];
      return ["qdgain rerun", chapter, ...fitted, ...given, "-o my-dot"].join(" ");
    }
  }

  // Two explorers on a page load the scripts twice: each element is started once.
  for (const root of document.querySelectorAll("[data-explorer]:not([data-started])")) {
    root.dataset.started = "";
    new Explorer(root);
  }
})();
