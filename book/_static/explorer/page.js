/**
 * The explorer on the page: controls, state, address, drawing on each frame, saving. Every
 * parameter, preset, range, unit and colour comes from the data that the library wrote beside it.
 */
"use strict";

(() => {
  const { VIEWS, FULL, FAST, aseThresholds, gainThresholds, numbers, significant, toCsv, withUnit } =
    globalThis.qdgainViews;
  const plot = globalThis.qdgainPlot;
  /** How long after the last movement everything is drawn finely and the address follows. */
  const SETTLED_MS = 250;
  const SAVED_WIDTH = 640;
  const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

  /** An element with attributes and children. */
  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "on") for (const [event, act] of Object.entries(value)) made.addEventListener(event, act);
      else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children);
    return made;
  }

  /** Text with its subscripts set: A_XX2 as A with the subscript XX2. */
  const typeset = (text) => text.split(/(?<=\p{L})_([\p{L}\p{N}]+)/u).map(
    (part, i) => (i % 2 ? element("sub", {}, part) : part));

  const button = (text, act, attributes) =>
    element("button", { type: "button", on: { click: act }, ...attributes }, text);

  const unitText = (control) => (control.unit === "1" ? "" : ` (${control.unit})`);
  const rounded = (value, digits) => Number(value.toPrecision(digits));
  const asText = (value) => (value === null ? "none" : String(value));
  const shellWord = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

  function save(name, type, text) {
    const address = URL.createObjectURL(new Blob([text], { type }));
    const link = element("a", { href: address, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
  }

  async function copy(text, source) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Without a clipboard the text is selected, ready for the reader's own copy.
      if (source) getSelection().selectAllChildren(source);
      return false;
    }
  }

  const gradient = (text) => text.match(/.{6}/g)?.map((hex) => [0, 2, 4].map((i) => parseInt(hex.slice(i, i + 2), 16)));

  let count = 0;

  class Explorer {
    constructor(root) {
      this.root = root;
      this.data = JSON.parse(root.querySelector("script[type='application/json']").textContent);
      this.full = root.dataset.explorer === "full";
      this.id = `qd${count++}`;
      this.controls = Object.values(this.data.groups).flat();
      this.setters = new Map();
      this.gradients = Object.fromEntries(
        Object.entries(this.data.gradients).map(([name, text]) => [name, gradient(text)]));
      this.preset = this.data.start;
      this.state = { ...this.data.presets[this.preset] };
      this.build();
      if (this.full) this.readAddress();
      this.showState();
      new MutationObserver(() => {
        this.look = null;
        this.request(FULL);
      }).observe(
        document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
      addEventListener("beforeprint", () => {
        this.figures.forEach((figure) => { figure.visible = true; });
        this.redraw(FULL);
      });
      if (this.full) addEventListener("popstate", () => this.returnTo());
      if (this.full) addEventListener("hashchange", () => this.returnTo());
    }

    // --- what stands on the page

    build() {
      this.status = element("p", { class: "qd-status", role: "alert" });
      this.spoken = element("p", { class: "qd-spoken", role: "status" });
      this.presets = new Map(Object.keys(this.data.presets).map((name) => [
        name, button(name, () => this.choosePreset(name), { "aria-pressed": "false" })]));
      const presets = element("div", { class: "qd-presets", role: "group", "aria-label": "presets" },
        element("span", {}, "Presets:"), ...this.presets.values());
      this.figures = this.data.views.map((name) => this.figure(name));
      const views = element("div", { class: "qd-views" }, ...this.figures.map((figure) => figure.whole));
      this.help = element("p", { class: "qd-help" }, "Point at a control, or focus it, to read what it is.");
      const panel = element("div", { class: "qd-controls" },
        ...Object.entries(this.full ? this.data.groups : { "": this.controls }).map(
          ([title, controls]) => this.group(title, controls)),
        this.full ? this.help : "");
      const jump = element("div", { class: "qd-jump", role: "group", "aria-label": "go to a view" },
        ...this.figures.map((figure) => button(figure.brief, () => figure.whole.scrollIntoView(
          { block: "nearest", inline: "start", behavior: this.calm() ? "auto" : "smooth" }))));
      this.strip = element("div", { class: "qd-right" }, this.figures.length > 1 ? jump : "", views);
      this.root.replaceChildren(
        presets,
        this.status,
        this.spoken,
        element("div", { class: "qd-body" }, panel,
          this.strip),
        ...(this.full ? this.below() : [this.linkToFull()]));
      const watch = new IntersectionObserver((entries) => {
        for (const entry of entries) {
          const figure = this.figures.find((one) => one.whole === entry.target);
          figure.visible = entry.isIntersecting;
          if (figure.visible && figure.stale) this.request(FULL);
        }
      }, { rootMargin: "100px" });
      // Sizes are read when they change, not on every frame: to ask the page is slow.
      const resized = new ResizeObserver((entries) => {
        for (const entry of entries) {
          this.figures.find((one) => one.whole === entry.target).width = entry.contentRect.width;
        }
        // Views that stand above their controls leave room for these in the window.
        const strip = getComputedStyle(this.strip).position === "sticky";
        const share = strip ? 0.42 : 0.6;
        this.most = strip || !this.full ? Math.max(share * innerHeight, 270) : Infinity;
        if (entries.length) this.request(FULL);
      });
      for (const figure of this.figures) {
        watch.observe(figure.whole);
        resized.observe(figure.whole);
      }
    }

    calm() {
      return matchMedia("(prefers-reduced-motion: reduce)").matches;
    }

    group(title, controls) {
      const rows = controls.map((control) => (control.choices ? this.choice(control) : this.number(control)));
      const optional = controls.every((control) => control.standIn);
      if (!this.full) return element("div", { class: "qd-group" }, ...rows);
      if (optional) return element("details", { class: "qd-group" }, element("summary", {}, title), ...rows);
      return element("fieldset", { class: "qd-group" }, element("legend", {}, title), ...rows);
    }

    /** A control's row; pointing at it or focusing it explains it. */
    row(control, label, ...inputs) {
      const described = `${control.meaning}. Allowed: ${control.allowed}. Default: ${control.origin}.`;
      const explain = () => {
        this.help.replaceChildren(element("code", {}, control.name), ` ${described}`);
      };
      const row = element("div",
        { class: "qd-control", title: described, on: { focusin: explain, pointerenter: explain } },
        label, ...inputs);
      return row;
    }

    labelOf(control, target) {
      const label = element("label", { for: target });
      // The symbol is MathML that the library made from the contract.
      if (control.symbol) label.insertAdjacentHTML("beforeend", control.symbol + " ");
      label.append(control.label + unitText(control));
      return label;
    }

    choice(control) {
      const id = `${this.id}-${control.name}`;
      const select = element("select", { id, on: { change: () => {
        this.set(control.name, select.value);
        this.commit(control.name);
      } } }, ...control.choices.map((word) => new Option(word, word)));
      this.setters.set(control.name, (value) => { select.value = value; });
      return this.row(control, this.labelOf(control, id), select);
    }

    number(control) {
      const { low, step, steps, log } = control.slider;
      const id = `${this.id}-${control.name}`;
      const name = control.label + unitText(control);
      const clamp = (value) => Math.min(Math.max(value, control.minimum), control.maximum);
      const valueAt = (position) => {
        const at = low + step * position;
        return clamp(rounded(log ? 10 ** at : at, log ? 3 : 6));
      };
      const positionOf = (value) => Math.round(((log ? Math.log10(value) : value) - low) / step);
      const slider = element("input", { type: "range", id, min: 0, max: steps, step: 1, on: {
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
      const typed = () => this.parse(control, field.value.trim());
      const field = element("input", {
        type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false",
        "aria-label": `${name}, as a number`, "aria-describedby": `${id}-refusal`,
        placeholder: control.standIn ? "shared" : null,
        on: {
          input: () => {
            const { value, refused } = typed();
            if (refused) return;
            refuse(null);
            this.set(control.name, value, field);
          },
          change: () => {
            const { refused } = typed();
            refuse(refused);
            if (refused) return;
            this.showState();
            this.commit(control.name);
          },
        },
      });
      this.setters.set(control.name, (value, source) => {
        const shown = value ?? this.state.linewidth_meV;
        const position = positionOf(shown);
        // A number typed beyond the slider's window widens it.
        slider.min = Math.min(0, position);
        slider.max = Math.max(steps, position);
        slider.value = position;
        slider.setAttribute("aria-valuetext", value === null ? control.standIn : withUnit(String(value), control.unit));
        if (source !== field) {
          field.value = value === null ? "" : String(value);
          refuse(null);
        }
      });
      const reset = control.standIn
        ? [button("shared", () => { this.set(control.name, null); this.commit(control.name); },
            { class: "qd-shared", "aria-label": `${control.label}: ${control.standIn}` })]
        : [];
      return this.row(control, this.labelOf(control, id), slider, field, ...reset, refusal);
    }

    /** A typed or linked value, checked against the contract. */
    parse(control, text) {
      const refused = control.refusal.replace("{value}", () => text === "" ? "''" : text);
      if (control.choices) return control.choices.includes(text) ? { value: text } : { refused };
      if (control.standIn && (text === "" || text === "none")) return { value: null };
      const value = NUMBER.test(text) ? Number(text) : NaN;
      if (control.whole && !Number.isInteger(value)) return { refused };
      return value >= control.minimum && value <= control.maximum ? { value } : { refused };
    }

    figure(name) {
      const caption = element("p", { class: "qd-caption" });
      const canvas = element("canvas", { role: "img" });
      const title = element("strong");
      const figure = { name, caption, canvas, title, visible: true, stale: true, width: 0 };
      figure.brief = { bands: "bands", gain: "gain", thresholds: "thresholds", ase: "ASE" }[name];
      const fresh = () => this.view(figure, FULL);
      const file = (kind) => `qdgain_${name}.${kind}`;
      figure.svg = button("SVG", () => {
        save(file("svg"), "image/svg+xml", plot.toSvg(this.theme(false), fresh(), SAVED_WIDTH));
      });
      figure.csv = button("CSV", () => save(file("csv"), "text/csv", toCsv(fresh())));
      figure.whole = element("figure", { class: "qd-view", "data-view": name },
        element("figcaption", {}, title, element("span", { class: "qd-save" }, "save ", figure.svg, figure.csv)),
        canvas, caption);
      return figure;
    }

    /** The table of numbers, the commands and the link, below the views. */
    below() {
      const caption = element("caption", {}, "Thresholds and where they are");
      this.table = element("table", { class: "qd-numbers" }, caption);
      this.commands = Object.keys(this.data.rerun).map((chapter) => {
        const line = element("code", { "data-chapter": chapter });
        const done = button("copy", async () => {
          done.textContent = (await copy(line.textContent, line)) ? "copied" : "selected";
          setTimeout(() => { done.textContent = "copy"; }, 1500);
        }, { "aria-label": `copy the command for ${chapter}` });
        return { chapter, line, whole: element("div", { class: "qd-command" }, line, done) };
      });
      const link = button("copy a link to this state", async () => {
        link.textContent = (await copy(location.href)) ? "copied" : "it is in the address bar";
        setTimeout(() => { link.textContent = "copy a link to this state"; }, 1500);
      });
      return [
        element("div", { class: "qd-scroll", tabindex: 0, role: "region", "aria-label": "numbers" }, this.table),
        element("p", { class: "qd-rerun" }, "Rerun this with the library, every figure and its data in a folder:"),
        ...this.commands.map((command) => command.whole),
        element("p", {}, link),
      ];
    }

    linkToFull() {
      // The state is added on the way to the link: the theme's script fails on a page that holds
      // an address whose fragment is no name.
      const plain = "explorer.html";
      const aim = () => { link.href = plain + this.address(); };
      const rest = () => { link.href = plain; };
      const link = element("a",
        { href: plain, on: { pointerenter: aim, focus: aim, click: aim, pointerleave: rest, blur: rest } },
        "every parameter and view in the live explorer");
      return element("p", { class: "qd-more" }, "These numbers with ", link, ".");
    }

    // --- state

    set(name, value, source) {
      this.state[name] = value;
      this.setters.get(name)?.(value, source);
      if (name === "linewidth_meV") {
        // Widths that are shared move along.
        for (const control of this.controls) {
          if (control.standIn && this.state[control.name] === null) this.setters.get(control.name)(null);
        }
      }
      this.showPresets();
      this.request(FAST);
      clearTimeout(this.settling);
      this.settling = setTimeout(() => this.request(FULL), SETTLED_MS);
    }

    /** What follows once a value is chosen: everything drawn finely, and the address. */
    commit(what) {
      clearTimeout(this.settling);
      this.request(FULL);
      if (this.full) this.writeAddress(what);
      this.announce = true;
    }

    choosePreset(name) {
      this.preset = name;
      const kept = Object.fromEntries(this.data.shown.map((one) => [one, this.state[one]]));
      this.state = { ...this.data.presets[name], ...kept };
      this.showState();
      this.commit("preset");
    }

    showState() {
      for (const [name, show] of this.setters) show(this.state[name]);
      this.showPresets();
    }

    showPresets() {
      for (const [name, one] of this.presets) {
        const same = this.data.names.every(
          (key) => this.data.shown.includes(key) || this.data.presets[name][key] === this.state[key]);
        if (one.getAttribute("aria-pressed") !== String(same)) one.setAttribute("aria-pressed", String(same));
      }
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
      this.status.textContent = refused.join(" ");
    }

    // --- drawing

    theme(dark) {
      const style = getComputedStyle(document.documentElement);
      const themed = (name, otherwise) => (dark ? style.getPropertyValue(name).trim() : "") || otherwise;
      const shade = (quantity) => this.data.colours[quantity]?.[dark ? 1 : 0] ?? (dark ? "#e8e8e8" : "#000000");
      return {
        ink: themed("--pst-color-text-base", dark ? "#e8e8e8" : "#222222"),
        paper: themed("--pst-color-background", dark ? "#14181e" : "#ffffff"),
        faint: dark ? "#7a7f87" : "#9a9a9a",
        colour: shade,
        mapColour: (quantity) => this.data.colours[quantity]?.[0] ?? "#000000",
        gradients: this.gradients,
      };
    }

    /** The preset that stands behind, looked at as the state is. */
    reference() {
      return {
        ...this.data.presets[this.preset],
        preset: this.preset,
        mean_excitons: this.state.mean_excitons,
        fluence_over_pi: this.state.fluence_over_pi,
      };
    }

    /** The thresholds that a view speaks of, computed once a redraw. */
    found(kind, state, kept) {
      const compute = { gain: gainThresholds, ase: aseThresholds }[kind];
      kept[kind] ??= compute(state);
      return kept[kind];
    }

    view(figure, points, kept = {}) {
      const kind = { gain: "gain", thresholds: "gain", ase: "ase" }[figure.name];
      const found = kind && this.found(kind, this.state, kept);
      return VIEWS[figure.name](this.data.context, this.state, this.reference(), points, found);
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
      this.look ??= this.theme(document.documentElement.dataset.theme === "dark");
      const kept = {};
      const drawn = [];
      for (const figure of this.figures) {
        figure.stale = !figure.visible || figure.width === 0;
        if (figure.stale) continue;
        const view = this.view(figure, points, kept);
        plot.toCanvas(figure.canvas, this.look, view, figure.width, this.most);
        drawn.push([figure, view]);
      }
      // Words after all pictures: text on a canvas makes the browser style what changed before it.
      for (const [figure, view] of drawn) this.caption(figure, view, points);
      if (this.full) this.showNumbers(kept);
      if (this.announce && points === FULL) {
        this.announce = false;
        this.spoken.textContent = this.figures[0].caption.textContent;
      }
      const detail = { fine: points === FULL, milliseconds: performance.now() - begun };
      this.root.dispatchEvent(new CustomEvent("explorer-drawn", { detail }));
    }

    caption(figure, view, points) {
      if (figure.title.textContent !== view.title) {
        figure.title.textContent = view.title;
        figure.svg.setAttribute("aria-label", `SVG, save: ${view.title}`);
        figure.csv.setAttribute("aria-label", `CSV, save: ${view.title}`);
      }
      figure.caption.replaceChildren(...typeset(view.caption));
      if (points === FULL) figure.canvas.setAttribute("aria-label", view.description);
    }

    showNumbers(kept) {
      const behind = this.behind ??= new Map();
      if (!behind.has(this.preset)) {
        const preset = this.data.presets[this.preset];
        behind.set(this.preset, [gainThresholds(preset), aseThresholds(preset)]);
      }
      const rows = numbers(
        this.found("gain", this.state, kept), this.found("ase", this.state, kept),
        ...behind.get(this.preset));
      const heads = ["", "these parameters", "the same without ESA", `preset ${this.preset}`];
      if (!this.table.tBodies.length) {
        this.table.append(
          element("thead", {}, element("tr", {}, element("td"),
            ...heads.slice(1).map((head) => element("th", { scope: "col" }, head)))),
          element("tbody", {}, ...rows.map((row) => element("tr", {},
            element("th", { scope: "row" }, row.name), ...row.values.map(() => element("td"))))));
      }
      this.table.tHead.rows[0].cells[3].textContent = heads[3];
      rows.forEach((row, i) => row.values.forEach((value, k) => {
        const text = Number.isNaN(value) ? "–" : withUnit(significant(value, row.digits), row.unit);
        const cell = this.table.tBodies[0].rows[i].cells[k + 1];
        if (cell.textContent !== text) cell.textContent = text;
      }));
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
