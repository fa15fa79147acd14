/**
 * Draws a view of the explorer with one of two pens: on a canvas, or as SVG text to be saved.
 * Knows axes, lines, marks and maps; nothing of the model and nothing of the page.
 *
 * A theme is {ink, paper, faint, shade, colour(quantity), mapColour(quantity), gradients} with a
 * gradient a list of [red, green, blue] for each quantity that has a map.
 */
"use strict";

globalThis.qdgainPlot = (() => {
  const FONT = "system-ui, 'DejaVu Sans', sans-serif";
  const SIZE = 11;
  /** The size of a subscript beside that of text. */
  const SUB = 0.75;
  const DASHES = { "-": [], "--": [6, 3], ":": [1.5, 2.5], "-.": [7, 2.5, 1.5, 2.5] };

  /** Split text into pieces, subscripts marked: A_XX2 into A and the subscript XX2. */
  const pieces = (text) => text.split(/(?<=\p{L})_([\p{L}\p{N}]+)/u)
    .map((part, i) => ({ text: part, sub: i % 2 === 1 })).filter((piece) => piece.text);

  const widths = new Map();
  let rulerContext = null;

  /** The width of a piece of text, measured once. */
  function pieceWidth({ text, sub }) {
    if (!widths.has(text)) {
      if (widths.size > 2000) widths.clear();
      if (!rulerContext) {
        rulerContext = document.createElement("canvas").getContext("2d");
        rulerContext.font = `${SIZE}px ${FONT}`;
      }
      widths.set(text, rulerContext.measureText(text).width);
    }
    return widths.get(text) * (sub ? SUB : 1);
  }

  const ruler = (text) => pieces(text).reduce((width, piece) => width + pieceWidth(piece), 0);

  /** Draws on a canvas. */
  class CanvasPen {
    constructor(context) {
      this.context = context;
    }

    clip({ x, y, width, height }, draw) {
      this.context.save();
      this.context.beginPath();
      this.context.rect(x, y, width, height);
      this.context.clip();
      draw();
      this.context.restore();
    }

    line(xs, ys, { colour, width, dash = "-", fill }) {
      const c = this.context;
      c.beginPath();
      let down = false;
      for (let i = 0; i < xs.length; i++) {
        const inside = Number.isFinite(xs[i]) && Number.isFinite(ys[i]);
        if (inside && down) c.lineTo(xs[i], ys[i]);
        else if (inside) c.moveTo(xs[i], ys[i]);
        down = inside;
      }
      if (fill) {
        c.fillStyle = fill;
        c.fill();
        return;
      }
      c.strokeStyle = colour;
      c.lineWidth = width;
      c.setLineDash(DASHES[dash]);
      c.stroke();
    }

    mark(x, y, shape, colour, edge) {
      const c = this.context;
      c.fillStyle = colour;
      c.strokeStyle = edge;
      c.lineWidth = 1.2;
      c.setLineDash([]);
      c.beginPath();
      if (shape === "s") c.rect(x - 3.5, y - 3.5, 7, 7);
      else c.arc(x, y, 4, 0, 2 * Math.PI);
      c.fill();
      c.stroke();
    }

    text(x, y, text, { colour, align = 0, upright = false, halo }) {
      const c = this.context;
      c.save();
      c.translate(x, y);
      if (upright) c.rotate(-Math.PI / 2);
      c.fillStyle = colour;
      let at = -align * ruler(text);
      if (halo) {
        c.fillStyle = halo;
        c.globalAlpha = 0.75;
        c.fillRect(at - 2, -SIZE + 1, ruler(text) + 4, SIZE + 3);
        c.globalAlpha = 1;
        c.fillStyle = colour;
      }
      for (const piece of pieces(text)) {
        // Scaled, since to set a font takes as long as to compute a view.
        const size = piece.sub ? SUB : 1;
        if (piece.sub) c.scale(size, size);
        c.fillText(piece.text, at / size, piece.sub ? (0.22 * SIZE) / size : 0);
        if (piece.sub) c.scale(1 / size, 1 / size);
        at += pieceWidth(piece);
      }
      c.restore();
    }

    image(picture, x, y, width, height) {
      this.context.drawImage(picture, x, y, width, height);
    }
  }

  const escaped = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
  const short = (value) => String(Math.round(100 * value) / 100);

  /** Writes SVG. */
  class SvgPen {
    constructor() {
      this.parts = [];
      this.clips = 0;
    }

    /** Add an element; numbers among its attributes are shortened. */
    add(tag, attributes, inner = "") {
      const words = Object.entries(attributes).map(([name, value]) =>
        ` ${name}="${typeof value === "number" ? short(value) : value}"`);
      this.parts.push(`<${tag}${words.join("")}>${inner}</${tag}>`);
    }

    clip(box, draw) {
      const id = `clip${this.clips++}`;
      this.parts.push(`<clipPath id="${id}">`);
      this.add("rect", box);
      this.parts.push(`</clipPath><g clip-path="url(#${id})">`);
      draw();
      this.parts.push("</g>");
    }

    line(xs, ys, { colour = "none", width = 0, dash = "-", fill = "none" }) {
      let path = "";
      let down = false;
      for (let i = 0; i < xs.length; i++) {
        const inside = Number.isFinite(xs[i]) && Number.isFinite(ys[i]);
        if (inside) path += `${down ? "L" : "M"}${short(xs[i])} ${short(ys[i])}`;
        down = inside;
      }
      this.add("path", {
        d: path, fill, stroke: colour, "stroke-width": width,
        "stroke-dasharray": DASHES[dash].join(" ") || "none",
      });
    }

    mark(x, y, shape, colour, edge) {
      const look = { fill: colour, stroke: edge, "stroke-width": 1.2 };
      if (shape === "s") this.add("rect", { x: x - 3.5, y: y - 3.5, width: 7, height: 7, ...look });
      else this.add("circle", { cx: x, cy: y, r: 4, ...look });
    }

    text(x, y, text, { colour, align = 0, upright = false }) {
      let lowered = false;
      const spans = pieces(text).map((piece) => {
        const shift = piece.sub ? 0.22 * SIZE : lowered ? -0.22 * SIZE : 0;
        lowered = piece.sub;
        const size = piece.sub ? SUB * SIZE : SIZE;
        return `<tspan dy="${short(shift)}" font-size="${short(size)}">${escaped(piece.text)}</tspan>`;
      });
      const anchor = ["start", "middle", "end"][2 * align];
      const turn = upright ? { transform: `rotate(-90 ${short(x)} ${short(y)})` } : {};
      const look = { x, y, fill: colour, "text-anchor": anchor, "xml:space": "preserve", ...turn };
      this.add("text", look, spans.join(""));
    }

    image(picture, x, y, width, height) {
      const href = picture.toDataURL("image/png");
      this.add("image", { x, y, width, height, preserveAspectRatio: "none", href });
    }
  }

  // --- axes

  /** Round numbers inside the limits, about `count` of them. */
  function linearTicks([low, high], count) {
    const rough = (high - low) / Math.max(count, 1);
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * ([1, 2, 5, 10].find((m) => m * power >= rough) ?? 10);
    const places = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    const ticks = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) {
      ticks.push({ at: i * step, text: (i * step || 0).toFixed(places).replace("-", "−") });
    }
    return ticks;
  }

  function logTicks([low, high]) {
    const ticks = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
      for (const at of [1, 2, 5].map((m) => m * 10 ** power)) {
        if (at < low * (1 - 1e-9) || at > high * (1 + 1e-9)) continue;
        ticks.push({ at, text: String(Number(at.toPrecision(3))) });
      }
    }
    return ticks;
  }

  /** From values to places and back. */
  function scale([low, high], from, to, log) {
    const [inner, outer] = log ? [Math.log, Math.exp] : [(v) => v, (v) => v];
    const slope = (to - from) / (inner(high) - inner(low));
    return {
      to: (value) => from + slope * (inner(value) - inner(low)),
      back: (place) => outer(inner(low) + (place - from) / slope),
    };
  }

  /** The longest wording of an axis that fits. */
  function fitting({ name, unit, brief }, room) {
    const withUnit = (text) => (unit === "1" ? text : `${text} (${unit})`);
    const words = [withUnit(name), ...(brief ? [withUnit(brief), brief] : [])];
    return words.find((text) => ruler(text) <= room) ?? words.at(-1);
  }

  /** Frame, ticks and names of a plot, in the part of the drawing that it has. */
  function drawAxes(pen, theme, plot, { x, y, width, height }, { named = "xy" }) {
    const { ink } = theme;
    const frame = { colour: ink, width: 0.8 };
    pen.line([x, x, x + width], [y, y + height, y + height], frame);
    const toX = scale(plot.xLimits, x, x + width).to;
    const toY = scale(plot.yLimits, y + height, y, plot.yLog).to;
    for (const tick of linearTicks(plot.xLimits, width / 55)) {
      const at = toX(tick.at);
      pen.line([at, at], [y + height, y + height + 4], frame);
      if (named.includes("x")) pen.text(at, y + height + 15, tick.text, { colour: ink, align: 0.5 });
    }
    const ticks = plot.yLog ? logTicks(plot.yLimits) : linearTicks(plot.yLimits, height / 38);
    for (const tick of ticks) {
      const at = toY(tick.at);
      pen.line([x - 4, x], [at, at], frame);
      if (named.includes("y")) pen.text(x - 6, at + 3.5, tick.text, { colour: ink, align: 1 });
    }
    if (named.includes("x")) {
      const text = fitting(plot.xAxis, width + 30);
      pen.text(x + width / 2, y + height + 30, text, { colour: ink, align: 0.5 });
    }
    if (named.includes("y")) {
      const text = fitting(plot.yAxis, height + 4);
      pen.text(x - 38, y + height / 2, text, { colour: ink, align: 0.5, upright: true });
    }
  }

  // --- maps

  const scratch = new Map();

  /** A map's pixels on a canvas of its own, one pixel a value. */
  function picture({ quantity, z, limits: [low, high] }, gradient) {
    const [width, height] = [z[0].length, z.length];
    const key = `${quantity} ${width} ${height}`;
    if (!scratch.has(key)) {
      scratch.set(key, Object.assign(document.createElement("canvas"), { width, height }));
    }
    const canvas = scratch.get(key);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const pixels = context.createImageData(width, height);
    const words = new Uint32Array(pixels.data.buffer);
    const packed = gradient.packed ??=
      Uint32Array.from(gradient, ([r, g, b]) => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0);
    const steps = packed.length / (high - low);
    for (let j = 0; j < height; j++) {
      const [row, start] = [z[j], (height - 1 - j) * width];
      for (let i = 0; i < width; i++) {
        const k = ((row[i] - low) * steps) | 0;
        words[start + i] = packed[k < 0 ? 0 : k >= packed.length ? packed.length - 1 : k];
      }
    }
    context.putImageData(pixels, 0, 0);
    return canvas;
  }

  function colourBar(pen, theme, map, x, y, width) {
    const ramp = Array.from({ length: 256 }, (_, i) => i + 0.5);
    const bar = { quantity: `${map.quantity} bar`, z: [ramp, ramp], limits: [0, 256] };
    pen.image(picture(bar, theme.gradients[map.quantity]), x, y, width, 8);
    for (const tick of linearTicks(map.limits, 4)) {
      const at = scale(map.limits, x, x + width).to(tick.at);
      pen.line([at, at], [y + 8, y + 11], { colour: theme.ink, width: 0.8 });
      pen.text(at, y + 22, tick.text, { colour: theme.ink, align: 0.5 });
    }
    const text = fitting(map.zAxis, width + 60);
    pen.text(x + width / 2, y + 36, text, { colour: theme.ink, align: 0.5 });
  }

  /** The words gain and loss where each is largest, for readers without colours. */
  function markSigns(pen, map, toX, toY) {
    for (const [word, sign] of [["gain", 1], ["loss", -1]]) {
      let best = { value: 0, i: 0, j: 0 };
      map.z.forEach((row, j) => row.forEach((value, i) => {
        if (sign * value > sign * best.value) best = { value, i, j };
      }));
      if (best.value === 0) continue;
      const [low, high] = [0.1, 0.93].map((part) => map.y[Math.floor(part * map.y.length)]);
      const y = Math.min(Math.max(map.y[best.j], low), high);
      const colour = Math.abs(best.value) > 0.55 * map.limits[1] ? "#ffffff" : "#000000";
      pen.text(toX(map.x[best.i]), toY(y) + 4, word, { colour, align: 0.5 });
    }
  }

  // --- curves, and their names where they are

  const colourOf = (theme, { behind, quantity }, onMap) => (behind ? theme.faint
    : onMap ? theme.mapColour(quantity) : theme.colour(quantity));

  /** Names of lines, each where other lines and names are farthest, or in its part of the line. */
  function nameLines(pen, theme, drawn, { x, y, width, height }, onMap, { names, moving }) {
    const taken = [];
    const within = ([px, py]) => px >= x && px <= x + width && py >= y && py <= y + height;
    for (const { series, points } of drawn) {
      const text = series.label ?? series.name;
      const inside = points.filter(within);
      if (text === "" || !inside.length) continue;
      const half = Math.min(0.5 * ruler(text) + 4, 0.5 * width);
      const beside = ([px, py]) => [
        Math.min(Math.max(px, x + half), x + width - half), py < y + 15 ? py + 13 : py - 6];
      const part = (k) => beside(inside[Math.floor((k / 12) * inside.length)]);
      const away = (set, [atX, atY], wide) => set.reduce((least, [px, py]) =>
        Math.min(least, Math.hypot((px - atX) / wide, py - atY)), 25);
      const others = drawn.filter((one) => one.points !== points).map((one) => one.points);
      const clear = ([px, py]) => 2 * away(taken, [px, py], 4) +
        Math.min(25, ...others.map((other) => away(other, [px, py - 4], 2)));
      if (!moving || !names.has(series.name)) {
        const parts = Array.from({ length: 11 }, (_, i) => i + 0.5);
        const scores = parts.map((k) => clear(part(k)));
        names.set(series.name, parts[scores.indexOf(Math.max(...scores))]);
      }
      const at = part(names.get(series.name));
      taken.push(at);
      const colour = colourOf(theme, series, onMap);
      pen.text(...at, text, { colour, align: 0.5, halo: onMap ? "#ffffff" : theme.paper });
    }
  }

  function drawSeries(pen, theme, series, { xs, ys }, onMap) {
    const colour = colourOf(theme, series, onMap);
    const width = series.behind || series.strong === false ? 1.2 : series.strong ? 2.2 : 1.7;
    if (onMap && !series.behind && series.quantity !== "transparency") {
      pen.line(xs, ys, { colour: "#ffffff", width: width + 1.6 });
    }
    pen.line(xs, ys, { colour, width, dash: series.dash });
  }

  /** What lies inside the axes of a plot. */
  function drawInside(pen, theme, plot, box, memory) {
    const { x, y, width, height } = box;
    const toX = scale(plot.xLimits, x, x + width).to;
    const toY = scale(plot.yLimits, y + height, y, plot.yLog).to;
    const map = plot.series.find((series) => series.kind === "map");
    const places = ({ kind, x: xs, y: ys }) => (kind === "level"
      ? { xs: [x, x + width], ys: [toY(ys[0]), toY(ys[0])] }
      : { xs: Array.from(xs, toX), ys: Array.from(ys, toY) });
    const lines = plot.series.filter(({ kind }) => kind === "line" || kind === "level")
      .map((series) => ({ series, ...places(series) }));
    pen.clip(box, () => {
      if (map) {
        // Values stand at the centres of pixels, and the map holds still with its axes.
        const [w, h] = [toX(map.x[1]) - toX(map.x[0]), height / (map.y.length - 1)];
        const left = toX(map.x[0]) - w / 2;
        const image = picture(map, theme.gradients[map.quantity]);
        pen.image(image, left, y - h / 2, w * map.x.length, height + h);
      }
      for (const { xs, ys } of plot.shades?.map(places) ?? []) {
        const [first, last] = [xs[0], xs[xs.length - 1]];
        const floor = y + height;
        const top = ys.map((at) => (at > y - 10 ? at : y - 10));
        pen.line([first, ...xs, last], [floor, ...top, floor], { fill: theme.shade });
      }
      const zero = { colour: theme.ink, width: 0.6 };
      if (plot.zero === "y") pen.line([x, x + width], [toY(0), toY(0)], zero);
      if (plot.zero === "x") pen.line([toX(0), toX(0)], [y, y + height], zero);
      for (const one of lines) drawSeries(pen, theme, one.series, one, Boolean(map));
    });
    if (map?.quantity === "gain") markSigns(pen, map, toX, toY);
    const drawn = lines.map(({ series, xs, ys }) => {
      const step = Math.ceil(xs.length / 50);
      const points = xs.map((at, i) => [at, ys[i]]).filter((_, i) => i % step === 0);
      return { series, points: series.kind === "level" ? [[x, ys[0]], [x + width, ys[0]]] : points };
    });
    nameLines(pen, theme, drawn, box, Boolean(map), memory);
    // Marks are drawn unclipped, so that one at the edge is whole.
    const inside = (value, [low, high]) => value >= low && value <= high;
    for (const one of plot.series.filter(({ kind }) => kind === "points")) {
      if (!inside(one.x[0], plot.xLimits) || !inside(one.y[0], plot.yLimits)) continue;
      const colour = map ? theme.mapColour(one.quantity) : theme.colour(one.quantity);
      pen.mark(toX(one.x[0]), toY(one.y[0]), one.dash, colour, map ? "#ffffff" : theme.paper);
    }
  }

  // --- a whole view

  /** How high a view is drawn at a width, at most `most`. */
  const heightOf = (view, width, most = Infinity) => Math.round(Math.min(
    view.plots.length > 1 ? 0.92 * Math.min(width, 560) + 56 : 0.58 * Math.min(width, 640) + 12,
    most));

  /** Where the plots of a view stand, by place. */
  function boxesOf(view, width, height) {
    const [x, top] = [50, 10];
    if (view.plots.length === 1) {
      return { single: { x, y: top, width: width - 62, height: height - top - 40 } };
    }
    const space = { width: width - 80, height: height - top - 94 };
    const main = { width: 0.72 * space.width, height: 0.7 * space.height };
    const y = top + space.height - main.height + 10;
    return {
      main: { x, y, ...main },
      top: { x, y: top, width: main.width, height: space.height - main.height },
      right: { x: x + main.width + 18, y, width: space.width - main.width, height: main.height },
    };
  }

  const NAMED = { single: "xy", main: "xy", top: "y", right: "x" };

  /** Draw a view with a pen, or its axes and its inside with one each. */
  function draw(pen, axesPen, theme, view, [width, height], memory) {
    const boxes = boxesOf(view, width, height);
    for (const plot of view.plots) {
      const box = boxes[plot.place];
      drawInside(pen, theme, plot, box, memory);
      if (axesPen) drawAxes(axesPen, theme, plot, box, { named: NAMED[plot.place] });
      const map = plot.series.find((series) => series.kind === "map");
      if (map && axesPen) colourBar(axesPen, theme, map, box.x, height - 44, box.width);
    }
  }

  /** The context of a canvas at the screen's resolution, cleared. */
  function cleared(canvas, width, height, ratio = globalThis.devicePixelRatio || 1) {
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    const context = canvas.getContext("2d");
    if (canvas.width !== w || canvas.height !== h) {
      [canvas.width, canvas.height] = [w, h];
      canvas.style.height = `${height}px`;
      context.scale(ratio, ratio);
      context.font = `${SIZE}px ${FONT}`;
      context.lineJoin = "round";
    } else context.clearRect(0, 0, width, height);
    return context;
  }

  /**
   * Draw a view on two canvases, its axes below only if they have changed. Returns its plots, each
   * with its box and with scales from places to values and back.
   */
  function toCanvas({ canvas, under, memory }, theme, view, width, most) {
    const height = heightOf(view, width, most);
    const limits = view.plots.map((plot) =>
      [plot.xLimits, plot.yLimits, plot.series.map((series) => series.limits)]);
    const key = JSON.stringify([width, height, devicePixelRatio, theme.ink, limits]);
    const pen = new CanvasPen(cleared(canvas, width, height));
    const axesPen = key === memory.key ? null : new CanvasPen(cleared(under, width, height));
    memory.key = key;
    draw(pen, axesPen, theme, view, [width, height], memory);
    const boxes = boxesOf(view, width, height);
    return view.plots.map((plot) => {
      const box = boxes[plot.place];
      return {
        plot, box, toX: scale(plot.xLimits, box.x, box.x + box.width),
        toY: scale(plot.yLimits, box.y + box.height, box.y, plot.yLog),
      };
    });
  }

  const whole = () => ({ names: new Map(), moving: false });

  /** A view as the text of an SVG file. */
  function toSvg(theme, view, width) {
    const [height, pen] = [heightOf(view, width), new SvgPen()];
    pen.add("rect", { width, height, fill: theme.paper });
    draw(pen, pen, theme, view, [width, height], whole());
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
      `viewBox="0 0 ${width} ${height}" font-family="${escaped(FONT)}" role="img">` +
      `<title>${escaped(view.title)}</title><desc>${escaped(view.description)}</desc>` +
      `${pen.parts.join("\n")}</svg>\n`;
  }

  /** A view as a picture of three times the resolution: a promise of a PNG. */
  function toPng(theme, view, width) {
    const [height, canvas] = [heightOf(view, width), document.createElement("canvas")];
    const context = cleared(canvas, width, height, 3);
    context.fillStyle = theme.paper;
    context.fillRect(0, 0, width, height);
    const pen = new CanvasPen(context);
    draw(pen, pen, theme, view, [width, height], whole());
    return new Promise((resolve) => { canvas.toBlob(resolve, "image/png"); });
  }

  return { toCanvas, toPng, toSvg };
})();
