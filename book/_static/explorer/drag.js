/**
 * Direct manipulation: handles on the plots, which pointer, touch and arrow keys move, and a
 * read-out of what is pointed at.
 */
"use strict";

globalThis.qdgainDrag = (() => {
  const { element, write } = globalThis.qdgainParts;
  const { plain, withUnit } = globalThis.qdgainViews;
  const { clamp, rounded } = globalThis.qdgainControls;

  /** Make the handles and the read-out of a figure; `place` puts them where its plots are. */
  function attach(explorer, figure) {
    const handles = new Map();
    const read = element("output", { class: "qd-hover", "aria-hidden": "true", hidden: true });
    let plots = [];
    figure.stage.append(read);

    const within = (event) => {
      const { left, top } = figure.stage.getBoundingClientRect();
      return [event.clientX - left, event.clientY - top];
    };

    function handleOf({ control: name }) {
      const control = explorer.controls.get(name);
      const made = element("div", {
        class: "qd-handle", role: "slider", tabindex: 0, "aria-label": `${control.label}, on the plot`,
        "aria-valuemin": control.minimum, "aria-valuemax": control.maximum, title: control.label,
        on: {
          pointerdown: (event) => {
            made.setPointerCapture(event.pointerId);
            explorer.grip = true;
            event.preventDefault();
            made.focus({ preventScroll: true });
          },
          pointermove: (event) => {
            if (!made.hasPointerCapture(event.pointerId)) return;
            const { handle, toX, toY } = made.at;
            const [x, y] = within(event);
            const value = rounded(handle.value(toX.back(x), toY.back(y)), 4);
            if (Number.isFinite(value)) explorer.set(name, clamp(control, value));
          },
          lostpointercapture: () => explorer.commit(name),
          keydown: (event) => {
            const way = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
            if (!way) return;
            event.preventDefault();
            // To the right is up in energy, which for a red shift is less.
            const { handle, toX } = made.at;
            const turned = handle.along === "x" &&
              handle.value(toX.back(101), 0) < handle.value(toX.back(100), 0);
            explorer.choose(name, control.beside(explorer.state[name], turned ? -way : way));
          },
        },
      });
      figure.stage.append(made);
      return made;
    }

    /** Put each handle where the view has it. */
    function place(drawn) {
      plots = drawn;
      for (const { plot, toX, toY, box } of drawn) {
        for (const handle of plot.handles ?? []) {
          const { control } = handle;
          if (!explorer.controls.has(control)) continue;
          if (!handles.has(control)) handles.set(control, handleOf(handle));
          const made = handles.get(control);
          made.at = { handle, toX, toY };
          const x = Math.min(Math.max(toX.to(handle.at[0]), box.x), box.x + box.width);
          const y = Math.min(Math.max(toY.to(handle.at[1]), box.y), box.y + box.height);
          made.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
          made.dataset.along = handle.along;
          made.setAttribute("aria-valuenow", explorer.state[control]);
        }
      }
    }

    /** What is under the pointer: the place, the map's value, or the nearest line. */
    function pointAt(event) {
      const [x, y] = within(event);
      const found = plots.find(({ box }) => x >= box.x && x <= box.x + box.width &&
        y >= box.y && y <= box.y + box.height);
      read.hidden = !found;
      if (!found) return;
      const { plot, toX, toY } = found;
      const [px, py] = [toX.back(x), toY.back(y)];
      const number = (value, axis) =>
        withUnit(plain(Number(value.toPrecision(axis.unit === "eV" ? 4 : 3))), axis.unit);
      const words = [number(px, plot.xAxis), number(py, plot.yAxis)];
      const nearest = (values, value) => values.reduce(
        (best, one, i) => (Math.abs(one - value) < Math.abs(values[best] - value) ? i : best), 0);
      const map = plot.series.find(({ kind }) => kind === "map");
      if (map) {
        const value = map.z[nearest(map.y, py)][nearest(map.x, px)];
        words.push(`${map.name} ${plain(Number(value.toPrecision(3)))}`);
      } else {
        const lines = plot.series.filter(({ kind }) => kind === "line").map(
          (one) => [Math.abs(toY.to(one.y[nearest(one.x, px)]) - y), one.name]);
        const [away, name] = lines.reduce((a, b) => (b[0] < a[0] ? b : a), [Infinity, ""]);
        if (away < 12) words.push(name);
      }
      write(read, words.join(", "));
      const left = x > figure.width / 2;
      read.style.transform = `translate(${x + (left ? -12 : 12)}px, ${y - 12}px) ` +
        `translate(${left ? "-100%" : "0"}, -100%)`;
    }
    figure.stage.addEventListener("pointermove", pointAt);
    figure.stage.addEventListener("pointerleave", () => { read.hidden = true; });
    return { place };
  }

  return { attach };
})();
