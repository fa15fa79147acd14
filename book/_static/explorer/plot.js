/**
 * Draws a view of the explorer with one of two pens: on a canvas, or as SVG text to be saved.
 * Knows axes, lines, marks and maps; nothing of the model and nothing of the page.
 *
 * A theme is {ink, paper, faint, colour(quantity), mapColour(quantity), gradients: {gain, emission}}
 * with a gradient a list of [red, green, blue].
 */
"use strict";

globalThis.qdgainPlot = (() => {
  const FONT = "system-ui, 'DejaVu Sans', sans-serif";
  const SIZE = 11;
  /** The size of a subscript beside that of text. */
  const SUB = 0.75;
  const ROW = 16;
  const DASHES = { "-": [], "--": [6, 3], ":": [1.5, 2.5], "-.": [7, 2.5, 1.5, 2.5] };

  /** Split text into pieces, subscripts marked: A_XX2 into A and the subscript XX2. */
  function pieces(text) {
    if (!text.includes("_")) return [{ text, sub: false }];
    const found = [];
    let end = 0;
    for (const match of text.matchAll(/(\p{L}+)_([\p{L}\p{N}]+)/gu)) {
      found.push({ text: text.slice(end, match.index) + match[1], sub: false });
      found.push({ text: match[2], sub: true });
      end = match.index + match[0].length;
    }
    found.push({ text: text.slice(end), sub: false });
    return found.filter((piece) => piece.text);
  }

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

    clip(x, y, width, height, draw) {
      this.context.save();
      this.context.beginPath();
      this.context.rect(x, y, width, height);
      this.context.clip();
      draw();
      this.context.restore();
    }

    rectangle(x, y, width, height, colour) {
      this.context.fillStyle = colour;
      this.context.fillRect(x, y, width, height);
    }

    line(xs, ys, { colour, width, dash = "-" }) {
      const c = this.context;
      c.strokeStyle = colour;
      c.lineWidth = width;
      c.lineJoin = "round";
      c.setLineDash(DASHES[dash]);
      c.beginPath();
      let down = false;
      for (let i = 0; i < xs.length; i++) {
        const inside = Number.isFinite(xs[i]) && Number.isFinite(ys[i]);
        if (inside && down) c.lineTo(xs[i], ys[i]);
        else if (inside) c.moveTo(xs[i], ys[i]);
        down = inside;
      }
      c.stroke();
      c.setLineDash([]);
    }

    mark(x, y, shape, colour, edge) {
      const c = this.context;
      c.fillStyle = colour;
      c.strokeStyle = edge;
      c.lineWidth = 1.2;
      c.beginPath();
      if (shape === "s") c.rect(x - 3.5, y - 3.5, 7, 7);
      else c.arc(x, y, 4, 0, 2 * Math.PI);
      c.fill();
      c.stroke();
    }

    text(x, y, text, { colour, align = "left", upright = false }) {
      const c = this.context;
      if (upright) {
        c.translate(x, y);
        c.rotate(-Math.PI / 2);
      }
      c.fillStyle = colour;
      let at = (upright ? 0 : x) + { left: 0, center: -0.5, right: -1 }[align] * ruler(text);
      const line = upright ? 0 : y;
      for (const piece of pieces(text)) {
        if (piece.sub) {
          // Scaled, since to set a font takes as long as to compute a view.
          c.translate(at, line + 0.22 * SIZE);
          c.scale(SUB, SUB);
          c.fillText(piece.text, 0, 0);
          c.scale(1 / SUB, 1 / SUB);
          c.translate(-at, -line - 0.22 * SIZE);
        } else c.fillText(piece.text, at, line);
        at += pieceWidth(piece);
      }
      if (upright) {
        c.rotate(Math.PI / 2);
        c.translate(-x, -y);
      }
    }

    image(picture, x, y, width, height) {
      this.context.imageSmoothingEnabled = true;
      this.context.drawImage(picture, x, y, width, height);
    }
  }

  const escaped = (text) =>
    text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
  const short = (value) => String(Math.round(100 * value) / 100);

  /** Writes SVG. */
  class SvgPen {
    constructor() {
      this.parts = [];
      this.clips = 0;
    }

    clip(x, y, width, height, draw) {
      const id = `clip${this.clips++}`;
      this.parts.push(
        `<clipPath id="${id}"><rect x="${short(x)}" y="${short(y)}" width="${short(width)}" ` +
        `height="${short(height)}"/></clipPath><g clip-path="url(#${id})">`);
      draw();
      this.parts.push("</g>");
    }

    rectangle(x, y, width, height, colour) {
      this.parts.push(
        `<rect x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}" ` +
        `fill="${colour}"/>`);
    }

    line(xs, ys, { colour, width, dash = "-" }) {
      let path = "";
      let down = false;
      for (let i = 0; i < xs.length; i++) {
        const inside = Number.isFinite(xs[i]) && Number.isFinite(ys[i]);
        if (inside) path += `${down ? "L" : "M"}${short(xs[i])} ${short(ys[i])}`;
        down = inside;
      }
      const dashes = DASHES[dash].length ? ` stroke-dasharray="${DASHES[dash].join(" ")}"` : "";
      this.parts.push(
        `<path d="${path}" fill="none" stroke="${colour}" stroke-width="${width}" ` +
        `stroke-linejoin="round"${dashes}/>`);
    }

    mark(x, y, shape, colour, edge) {
      const look = `fill="${colour}" stroke="${edge}" stroke-width="1.2"`;
      this.parts.push(shape === "s"
        ? `<rect x="${short(x - 3.5)}" y="${short(y - 3.5)}" width="7" height="7" ${look}/>`
        : `<circle cx="${short(x)}" cy="${short(y)}" r="4" ${look}/>`);
    }

    text(x, y, text, { colour, align = "left", upright = false }) {
      const anchor = { left: "start", center: "middle", right: "end" }[align];
      const turned = upright ? ` transform="rotate(-90 ${short(x)} ${short(y)})"` : "";
      let lowered = false;
      const spans = pieces(text).map((piece) => {
        const shift = piece.sub ? 0.22 * SIZE : lowered ? -0.22 * SIZE : 0;
        lowered = piece.sub;
        const smaller = piece.sub ? ` font-size="${short(SUB * SIZE)}"` : "";
        return `<tspan dy="${short(shift)}"${smaller}>${escaped(piece.text)}</tspan>`;
      });
      this.parts.push(
        `<text x="${short(x)}" y="${short(y)}" fill="${colour}" font-size="${SIZE}" ` +
        `text-anchor="${anchor}" xml:space="preserve"${turned}>${spans.join("")}</text>`);
    }

    image(picture, x, y, width, height) {
      this.parts.push(
        `<image x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}" ` +
        `preserveAspectRatio="none" href="${picture.toDataURL("image/png")}"/>`);
    }

    document(width, height, title, description) {
      return (
        `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
        `viewBox="0 0 ${width} ${height}" font-family="${escaped(FONT)}" role="img">` +
        `<title>${escaped(title)}</title><desc>${escaped(description)}</desc>` +
        `${this.parts.join("\n")}</svg>\n`);
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
      for (const m of [1, 2, 5]) {
        const at = m * 10 ** power;
        if (at >= low * (1 - 1e-9) && at <= high * (1 + 1e-9)) {
          ticks.push({ at, text: power < -3 || power > 3 ? at.toExponential(0) : at.toFixed(Math.max(0, -power)) });
        }
      }
    }
    return ticks;
  }

  function scale([low, high], from, to, log) {
    if (!log) {
      const slope = (to - from) / (high - low);
      return (value) => from + slope * (value - low);
    }
    const slope = (to - from) / Math.log(high / low);
    return (value) => from + slope * Math.log(value / low);
  }

  const label = (axis) => (axis.unit === "1" ? axis.name : `${axis.name} (${axis.unit})`);

  /** The longest wording of an axis that fits. */
  const fitting = (axis, brief, room) =>
    [label(axis), axis.unit === "1" ? brief : brief && `${brief} (${axis.unit})`, brief]
      .filter(Boolean).find((text) => ruler(text) <= room) ?? brief ?? label(axis);

  // --- maps

  const scratch = new Map();

  /** A map's pixels on a canvas of its own, one pixel a value. */
  function picture(series, gradient) {
    const [width, height] = [series.x.length, series.y.length];
    const key = series.quantity;
    if (!scratch.has(key)) scratch.set(key, document.createElement("canvas"));
    const canvas = scratch.get(key);
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const pixels = context.createImageData(width, height);
    const words = new Uint32Array(pixels.data.buffer);
    const packed = gradient.packed ??=
      Uint32Array.from(gradient, ([r, g, b]) => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0);
    const [low, high] = series.limits;
    const steps = packed.length / (high - low);
    for (let j = 0; j < height; j++) {
      const row = series.z[j];
      const start = (height - 1 - j) * width;
      for (let i = 0; i < width; i++) {
        const k = ((row[i] - low) * steps) | 0;
        words[start + i] = packed[k < 0 ? 0 : k >= packed.length ? packed.length - 1 : k];
      }
    }
    context.putImageData(pixels, 0, 0);
    return canvas;
  }

  function colourBar(pen, theme, series, x, y, width) {
    const gradient = theme.gradients[series.quantity];
    const parts = 64;
    for (let i = 0; i < parts; i++) {
      const [r, g, b] = gradient[Math.floor(((i + 0.5) * gradient.length) / parts)];
      pen.rectangle(x + (i * width) / parts, y, width / parts + 0.5, 8, `rgb(${r},${g},${b})`);
    }
    for (const tick of linearTicks(series.limits, 4)) {
      const at = scale(series.limits, x, x + width)(tick.at);
      pen.line([at, at], [y + 8, y + 11], { colour: theme.ink, width: 0.8 });
      pen.text(at, y + 22, tick.text, { colour: theme.ink, align: "center" });
    }
    pen.text(x + width / 2, y + 36, fitting(series.zAxis, series.zAxis.brief, width + 60),
      { colour: theme.ink, align: "center" });
  }

  // --- one plot

  function drawPlot(pen, theme, plot, { x, y, width, height }, { labelsX = true, labelsY = true } = {}) {
    const toX = scale(plot.xLimits, x, x + width);
    const toY = scale(plot.yLimits, y + height, y, plot.yLog);
    const map = plot.series.find((series) => series.kind === "map");
    pen.clip(x, y, width, height, () => {
      if (map) {
        const image = picture(map, theme.gradients[map.quantity]);
        // Values stand at the centres of pixels; the outer halves are cut off.
        const [w, h] = [width / (map.x.length - 1), height / (map.y.length - 1)];
        pen.image(image, x - w / 2, y - h / 2, width + w, height + h);
      }
      if (plot.zero === "y") pen.line([x, x + width], [toY(0), toY(0)], { colour: theme.ink, width: 0.6 });
      if (plot.zero === "x") pen.line([toX(0), toX(0)], [y, y + height], { colour: theme.ink, width: 0.6 });
      for (const series of plot.series) drawSeries(pen, theme, series, toX, toY, Boolean(map), plot);
    });
    if (map?.quantity === "gain") markSigns(pen, map, toX, toY);
    // Marks are drawn unclipped, so that one at the edge is whole.
    const inside = (value, [low, high]) => value >= low && value <= high;
    for (const series of plot.series.filter((one) => one.kind === "points")) {
      if (!inside(series.x[0], plot.xLimits) || !inside(series.y[0], plot.yLimits)) continue;
      const colour = map ? theme.mapColour(series.quantity) : theme.colour(series.quantity);
      pen.mark(toX(series.x[0]), toY(series.y[0]), series.dash, colour, map ? "#ffffff" : theme.paper);
    }
    const frame = { colour: theme.ink, width: 0.8 };
    pen.line([x, x, x + width], [y, y + height, y + height], frame);
    for (const tick of linearTicks(plot.xLimits, width / 55)) {
      const at = toX(tick.at);
      pen.line([at, at], [y + height, y + height + 4], frame);
      if (labelsX) pen.text(at, y + height + 15, tick.text, { colour: theme.ink, align: "center" });
    }
    const ticks = plot.yLog ? logTicks(plot.yLimits) : linearTicks(plot.yLimits, height / 38);
    for (const tick of ticks) {
      const at = toY(tick.at);
      pen.line([x - 4, x], [at, at], frame);
      if (labelsY) pen.text(x - 6, at + 3.5, tick.text, { colour: theme.ink, align: "right" });
    }
    if (labelsX) {
      pen.text(x + width / 2, y + height + 30, fitting(plot.xAxis, plot.xShort ?? plot.xAxis.brief, width + 30),
        { colour: theme.ink, align: "center" });
    }
    if (labelsY) {
      pen.text(x - 38, y + height / 2, fitting(plot.yAxis, plot.yShort ?? plot.yAxis.brief, height + 4),
        { colour: theme.ink, align: "center", upright: true });
    }
  }

  function drawSeries(pen, theme, series, toX, toY, onMap, plot) {
    const colour = series.behind
      ? theme.faint
      : onMap ? theme.mapColour(series.quantity) : theme.colour(series.quantity);
    const width = series.behind ? 1.2 : series.strong === false ? 1.2 : series.strong ? 2.2 : 1.7;
    const dash = series.dash;
    const halo = onMap && !series.behind && series.quantity !== "transparency";
    let [xs, ys] = [[], []];
    if (series.kind === "level") {
      xs = plot.xLimits.map(toX);
      ys = [toY(series.y[0]), toY(series.y[0])];
    } else if (series.kind === "line") {
      xs = along(series.x, toX);
      ys = along(series.y, toY);
    }
    if (halo && xs.length) pen.line(xs, ys, { colour: "#ffffff", width: width + 1.6 });
    if (xs.length) pen.line(xs, ys, { colour, width, dash });
  }

  function along(values, f) {
    const result = new Float64Array(values.length);
    for (let i = 0; i < result.length; i++) result[i] = f(values[i]);
    return result;
  }

  /** The words gain and loss where each is largest, for readers without colours. */
  function markSigns(pen, map, toX, toY) {
    for (const [word, sign] of [["gain", 1], ["loss", -1]]) {
      let best = { value: 0, i: 0, j: 0 };
      for (let j = 0; j < map.z.length; j++) {
        const row = map.z[j];
        for (let i = 0; i < row.length; i++) {
          if (sign * row[i] > sign * best.value) best = { value: row[i], i, j };
        }
      }
      if (best.value === 0) continue;
      const [low, high] = [0.1, 0.93].map((part) => map.y[Math.floor(part * map.y.length)]);
      const y = Math.min(Math.max(map.y[best.j], low), high);
      const colour = Math.abs(best.value) > 0.55 * map.limits[1] ? "#ffffff" : "#000000";
      pen.text(toX(map.x[best.i]), toY(y) + 4, word, { colour, align: "center" });
    }
  }

  // --- the legend and a whole view

  /** Entries of the legend: each name once, the series behind as one. */
  function legendOf(view) {
    const entries = new Map();
    for (const plot of view.plots) {
      for (const series of plot.series) {
        if (series.kind === "map" || series.repeated) continue;
        const name = series.behind ? series.name.replace(/^.*, (?=preset )/, "") : series.name;
        if (!entries.has(name)) entries.set(name, series.behind ? { ...series, dash: "-" } : series);
      }
    }
    // What stands behind comes last.
    return [...entries].sort(([, a], [, b]) => Boolean(a.behind) - Boolean(b.behind));
  }

  /** Draw the legend in rows; returns its height. With no pen it only measures. */
  function drawLegend(pen, theme, view, x, y, width) {
    let [left, row] = [0, 0];
    for (const [name, series] of legendOf(view)) {
      const room = 26 + ruler(name) + 14;
      if (left > 0 && left + room - 14 > width) [left, row] = [0, row + 1];
      if (pen) {
        const at = y + row * ROW + 7;
        const colour = series.behind ? theme.faint : theme.colour(series.quantity);
        if (series.kind === "points") pen.mark(x + left + 11, at, series.dash, colour, theme.paper);
        else pen.line([x + left, x + left + 21], [at, at], { colour, width: series.behind ? 1.2 : 1.7, dash: series.dash });
        pen.text(x + left + 26, at + 4, name, { colour: theme.ink });
      }
      left += room;
    }
    return (row + 1) * ROW + 8;
  }

  /** How high a view is drawn at a width, at most `most`. */
  function heightOf(view, width, most = Infinity) {
    const many = view.plots.length > 1;
    const body = many ? 0.92 * Math.min(width, 560) + 44 : 0.58 * Math.min(width, 640);
    return Math.round(Math.min(drawLegend(null, null, view, 0, 0, width - 12) + body, most));
  }

  /** Draw a view into a rectangle of a size. */
  function draw(pen, theme, view, width, height) {
    pen.rectangle(0, 0, width, height, theme.paper);
    const top = 4 + drawLegend(pen, theme, view, 6, 4, width - 12);
    const named = Object.fromEntries(view.plots.map((plot) => [plot.place, plot]));
    if (named.single) {
      drawPlot(pen, theme, named.single, { x: 50, y: top, width: width - 62, height: height - top - 40 });
      return;
    }
    const map = named.main.series.find((series) => series.kind === "map");
    const space = { width: width - 62 - 18, height: height - top - 84 - 10 };
    const main = { width: 0.72 * space.width, height: 0.7 * space.height };
    const x = 50;
    const y = top + space.height - main.height + 10;
    drawPlot(pen, theme, named.main, { x, y, ...main });
    drawPlot(pen, theme, named.top, { x, y: top, width: main.width, height: space.height - main.height }, { labelsX: false });
    drawPlot(pen, theme, named.right, { x: x + main.width + 18, y, width: space.width - main.width, height: main.height }, { labelsY: false });
    colourBar(pen, theme, map, x, height - 44, main.width);
  }

  /** Draw a view on a canvas at the screen's resolution. */
  function toCanvas(canvas, theme, view, width, most) {
    const height = heightOf(view, width, most);
    const ratio = globalThis.devicePixelRatio || 1;
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    const context = canvas.getContext("2d");
    if (canvas.width !== w || canvas.height !== h) {
      [canvas.width, canvas.height] = [w, h];
      canvas.style.height = `${height}px`;
      context.scale(ratio, ratio);
      context.font = `${SIZE}px ${FONT}`;
    }
    draw(new CanvasPen(context), theme, view, width, height);
  }

  /** A view as the text of an SVG file. */
  function toSvg(theme, view, width) {
    const height = heightOf(view, width);
    const pen = new SvgPen();
    draw(pen, theme, view, width, height);
    return pen.document(width, height, view.title, view.description);
  }

  return { legendOf, toCanvas, toSvg };
})();
