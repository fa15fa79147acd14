/**
 * Draws a view of the explorer on a canvas: axes, lines named where they are, marks and maps.
 * Knows nothing of the model and nothing of the page.
 *
 * A theme is {ink, paper, faint, shade, colour(quantity), mapColour(quantity), gradients} with a
 * gradient the 256 colours of a quantity that has a map, packed as pixels.
 */
"use strict";

globalThis.qdgainPlot = (() => {
  const FONT = "system-ui, 'DejaVu Sans', sans-serif";
  const SIZE = 11;
  /** The size of a subscript beside that of text. */
  const SUB = 0.75;
  const DASHES = { "-": [], "--": [6, 3], ":": [1.5, 2.5], "-.": [7, 2.5, 1.5, 2.5] };

  // --- the pen

  const widths = new Map();
  const ruler = document.createElement("canvas").getContext("2d");
  ruler.font = `${SIZE}px ${FONT}`;

  /** Text in pieces with their widths, measured once; A_XX2 is A and the subscript XX2. */
  function pieces(text) {
    if (!widths.has(text)) {
      if (widths.size > 2000) widths.clear();
      widths.set(text, text.split(/(?<=\p{L})_([\p{L}\p{N}]+)/u).map((part, i) => {
        const size = i % 2 ? SUB : 1;
        return { part, size, width: size * ruler.measureText(part).width };
      }));
    }
    return widths.get(text);
  }

  const widthOf = (text) => pieces(text).reduce((sum, { width }) => sum + width, 0);

  function write(c, x, y, text, { colour, align = 0, upright = false, halo }) {
    c.save();
    c.translate(x, y);
    if (upright) c.rotate(-Math.PI / 2);
    let at = -align * widthOf(text);
    if (halo) {
      c.globalAlpha = 0.75;
      c.fillStyle = halo;
      c.fillRect(at - 2, 1 - SIZE, widthOf(text) + 4, SIZE + 3);
      c.globalAlpha = 1;
    }
    c.fillStyle = colour;
    for (const { part, size, width } of pieces(text)) {
      // Scaled, since to set a font takes as long as to compute a view.
      c.scale(size, size);
      c.fillText(part, at / size, size < 1 ? (0.22 * SIZE) / size : 0);
      c.scale(1 / size, 1 / size);
      at += width;
    }
    c.restore();
  }

  function trace(c, xs, ys) {
    c.beginPath();
    let down = false;
    for (let i = 0; i < xs.length; i++) {
      const inside = Number.isFinite(xs[i]) && Number.isFinite(ys[i]);
      if (inside && down) c.lineTo(xs[i], ys[i]);
      else if (inside) c.moveTo(xs[i], ys[i]);
      down = inside;
    }
  }

  function stroke(c, xs, ys, colour, width, dash = "-") {
    trace(c, xs, ys);
    c.strokeStyle = colour;
    c.lineWidth = width;
    c.setLineDash(DASHES[dash]);
    c.stroke();
  }

  function mark(c, x, y, shape, colour, edge) {
    c.beginPath();
    if (shape === "s") c.rect(x - 3.5, y - 3.5, 7, 7);
    else c.arc(x, y, 4, 0, 2 * Math.PI);
    Object.assign(c, { fillStyle: colour, strokeStyle: edge, lineWidth: 1.2 });
    c.setLineDash([]);
    c.fill();
    c.stroke();
  }

  // --- axes

  /** Round numbers inside the limits, about `count` of them, or 1, 2 and 5 of every decade. */
  function ticksOf([low, high], count, log) {
    const ticks = [];
    if (log) {
      for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
        ticks.push(...[1, 2, 5].map((m) => m * 10 ** power)
          .filter((at) => at >= low * (1 - 1e-9) && at <= high * (1 + 1e-9))
          .map((at) => ({ at, text: String(Number(at.toPrecision(3))) })));
      }
      return ticks;
    }
    const rough = (high - low) / Math.max(count, 1);
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * ([1, 2, 5, 10].find((m) => m * power >= rough) ?? 10);
    const places = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) {
      ticks.push({ at: i * step, text: (i * step || 0).toFixed(places).replace("-", "−") });
    }
    return ticks;
  }

  /** From values to places and back. */
  function scale([low, high], from, to, log) {
    const [inner, outer] = log ? [Math.log, Math.exp] : [(v) => v, (v) => v];
    const [start, slope] = [inner(low), (to - from) / (inner(high) - inner(low))];
    return {
      to: (value) => from + slope * (inner(value) - start),
      back: (place) => outer(start + (place - from) / slope),
    };
  }

  const scalesOf = (plot, { x, y, width, height }) => ({
    toX: scale(plot.xLimits, x, x + width), toY: scale(plot.yLimits, y + height, y, plot.yLog),
  });

  /** The longest wording of an axis that fits. */
  function fitting({ name, unit, brief, short }, room) {
    if (short) return short;
    const withUnit = (text) => (unit === "1" ? text : `${text} (${unit})`);
    const words = [withUnit(name), ...(brief ? [withUnit(brief), brief] : [])];
    return words.find((text) => widthOf(text) <= room) ?? words.at(-1);
  }

  /** Frame, ticks and names of a plot, in the part of the drawing that it has. */
  function drawAxes(c, { ink: colour }, plot, box, named) {
    const { x, y, width, height } = box;
    const { toX, toY } = scalesOf(plot, box);
    const foot = y + height;
    stroke(c, [x, x, x + width], [y, foot, foot], colour, 0.8);
    for (const { at, text } of ticksOf(plot.xLimits, width / 55)) {
      const place = toX.to(at);
      stroke(c, [place, place], [foot, foot + 4], colour, 0.8);
      if (named.includes("x")) write(c, place, foot + 15, text, { colour, align: 0.5 });
    }
    for (const { at, text } of ticksOf(plot.yLimits, height / 38, plot.yLog)) {
      const place = toY.to(at);
      stroke(c, [x - 4, x], [place, place], colour, 0.8);
      if (named.includes("y")) write(c, x - 6, place + 3.5, text, { colour, align: 1 });
    }
    const centred = { colour, align: 0.5 };
    if (named.includes("x")) {
      write(c, x + width / 2, foot + 30, fitting(plot.xAxis, width + 30), centred);
    }
    if (named.includes("y")) {
      write(c, x - 38, y + height / 2, fitting(plot.yAxis, height + 4), { ...centred, upright: true });
    }
  }

  // --- maps

  const scratch = new Map();

  /** A map's pixels on a canvas of its own, one pixel a value. */
  function picture(name, z, [low, high], gradient) {
    const [width, height] = [z[0].length, z.length];
    const key = `${name} ${width} ${height}`;
    if (!scratch.has(key)) {
      const canvas = Object.assign(document.createElement("canvas"), { width, height });
      const context = canvas.getContext("2d");
      scratch.set(key, { canvas, context, pixels: context.createImageData(width, height) });
    }
    const { canvas, context, pixels } = scratch.get(key);
    const words = new Uint32Array(pixels.data.buffer);
    const [steps, last] = [gradient.length / (high - low), gradient.length - 1];
    for (let j = 0; j < height; j++) {
      const [row, start] = [z[j], (height - 1 - j) * width];
      for (let i = 0; i < width; i++) {
        const k = ((row[i] - low) * steps) | 0;
        words[start + i] = gradient[k < 0 ? 0 : k > last ? last : k];
      }
    }
    context.putImageData(pixels, 0, 0);
    return canvas;
  }

  function colourBar(c, theme, { quantity, limits, zAxis }, x, y, width) {
    const ramp = Array.from({ length: 256 }, (_, i) => i + 0.5);
    c.drawImage(picture("bar", [ramp], [0, 256], theme.gradients[quantity]), x, y, width, 8);
    const centred = { colour: theme.ink, align: 0.5 };
    for (const { at, text } of ticksOf(limits, 4)) {
      const place = scale(limits, x, x + width).to(at);
      stroke(c, [place, place], [y + 8, y + 11], theme.ink, 0.8);
      write(c, place, y + 22, text, centred);
    }
    write(c, x + width / 2, y + 36, fitting(zAxis, width + 60), centred);
  }

  // --- curves, and their names where they are

  const colourOf = (theme, { behind, quantity }, onMap) => (behind ? theme.faint
    : onMap ? theme.mapColour(quantity) : theme.colour(quantity));

  /** How many lines come into a rectangle. */
  const touched = (lines, [left, top, right, bottom]) => lines.filter(({ xs, ys }) => {
    for (let i = 1; i < xs.length; i++) {
      const [x0, x1, y0, y1] = [xs[i - 1], xs[i], ys[i - 1], ys[i]];
      if ((x0 > left || x1 > left) && (x0 < right || x1 < right) &&
        (y0 > top || y1 > top) && (y0 < bottom || y1 < bottom)) return true;
    }
    return false;
  }).length;

  /**
   * Where a name can stand beside a part of its line, above, below, right, left or, since it has the
   * line's colour, farther off: its part left of there, how far down and to the right, and a cost.
   */
  const SIDES = [[0.5, -6, 0, 0], [0.5, 14, 0, 0.1], [0, 4, 6, 0.2], [1, 4, -6, 0.3], [0, 4, 45, 3],
    [1, 4, -45, 3], [0, 4, 90, 4], [1, 4, -90, 4]];

  /** Names of lines, each beside its line where it touches no line, no frame and no other name. */
  function nameLines(c, theme, lines, around, { x, y, width, height }, onMap, { names, moving }) {
    const taken = [];
    for (const { series, xs, ys } of lines) {
      const text = series.label ?? series.name;
      const inside = [];
      for (let i = 0; text && i < xs.length; i++) {
        if (xs[i] >= x && xs[i] <= x + width && ys[i] >= y && ys[i] <= y + height) inside.push(i);
      }
      if (!inside.length) continue;
      const wide = widthOf(text);
      const clip = (value, low, high) => Math.min(Math.max(value, low), Math.max(low, high));
      const placeOf = ([part, [left, down, away]]) => {
        const i = inside[Math.floor(part * inside.length)];
        return [clip(xs[i] - left * wide + away, x + 3, x + width - wide - 3),
          clip(ys[i] + down, y + SIZE, y + height - 5)];
      };
      const spaceOf = ([left, foot], margin) =>
        [left - margin, foot - 9 - margin, left + wide + margin, foot + 3 + margin];
      if (!moving || !names.has(series.name)) {
        const others = lines.filter((one) => one.xs !== xs);
        const choices = Array.from({ length: 21 }, (_, i) => SIDES.map(
          (side) => [(i + 0.5) / 21, side])).flat();
        const costs = choices.map((choice) => {
          const place = placeOf(choice);
          return 9 * touched([...lines, ...around], spaceOf(place, 1)) + 99 * touched(taken, spaceOf(place, 2)) +
            touched(others, spaceOf(place, 8)) + choice[1][3];
        });
        names.set(series.name, choices[costs.indexOf(Math.min(...costs))]);
      }
      const place = placeOf(names.get(series.name));
      const [left, top, right, foot] = spaceOf(place, 0);
      taken.push({ xs: [left, right, left, right], ys: [top, foot, foot, top] });
      write(c, ...place, text,
        { colour: colourOf(theme, series, onMap), halo: onMap ? "#ffffff" : theme.paper });
    }
  }

  /** A series in places on the drawing. */
  function placed(series, { x, width }, { toX, toY }) {
    const flat = series.kind === "level";
    const xs = flat ? Array.from({ length: 13 }, (_, i) => x + (i / 12) * width)
      : Array.from(series.x, toX.to);
    const ys = flat ? xs.map(() => toY.to(series.y[0])) : Array.from(series.y, toY.to);
    return { series, xs, ys };
  }

  /** What lies inside the axes of a plot. */
  function drawInside(c, theme, plot, box, memory) {
    const { x, y, width, height } = box;
    const { toX, toY } = scalesOf(plot, box);
    const map = plot.series.find(({ kind }) => kind === "map");
    const lines = plot.series.filter(({ kind }) => kind === "line" || kind === "level")
      .map((series) => placed(series, box, { toX, toY }));
    c.save();
    c.beginPath();
    c.rect(x, y, width, height);
    c.clip();
    if (map) {
      // Values stand at the centres of pixels; the outer halves are cut off.
      const [w, h] = [toX.to(map.x[1]) - toX.to(map.x[0]), height / (map.y.length - 1)];
      const pixels = picture(map.quantity, map.z, map.limits, theme.gradients[map.quantity]);
      c.drawImage(pixels, toX.to(map.x[0]) - w / 2, y - h / 2, w * map.x.length, height + h);
    }
    for (const shade of plot.shades ?? []) {
      const { xs, ys } = placed(shade, box, { toX, toY });
      const tops = ys.map((top) => Math.max(Number.isNaN(top) ? y + height : top, y - 10));
      trace(c, [xs[0], ...xs, xs.at(-1)], [y + height, ...tops, y + height]);
      c.fillStyle = theme.shade;
      c.fill();
    }
    const zero = { y: [[x, x + width], [toY.to(0), toY.to(0)]],
      x: [[toX.to(0), toX.to(0)], [y, y + height]] }[plot.zero];
    if (zero) stroke(c, ...zero, theme.ink, 0.6);
    for (const { series, xs, ys } of lines) {
      const thick = series.behind || series.strong === false ? 1.2 : series.strong ? 2.2 : 1.7;
      if (map && !series.behind && series.quantity !== "transparency") {
        stroke(c, xs, ys, "#ffffff", thick + 1.6);
      }
      stroke(c, xs, ys, colourOf(theme, series, Boolean(map)), thick, series.dash);
    }
    c.restore();
    const inside = (value, [low, high]) => value >= low && value <= high;
    const marks = plot.series.filter(({ kind, x: [px], y: [py] }) =>
      kind === "points" && inside(px, plot.xLimits) && inside(py, plot.yLimits)).map(
      (series) => ({ series, at: [toX.to(series.x[0]), toY.to(series.y[0])] }));
    const around = marks.map(({ at: [px, py] }) => ({ xs: [px - 4, px + 4], ys: [py - 4, py + 4] }));
    if (zero) around.push({ xs: zero[0], ys: zero[1] });
    nameLines(c, theme, lines, around, box, Boolean(map), memory);
    // Marks are drawn unclipped, so that one at the edge is whole.
    for (const { series, at } of marks) {
      mark(c, ...at, series.dash, colourOf(theme, series, Boolean(map)),
        map ? "#ffffff" : theme.paper);
    }
  }

  // --- a whole view

  /** How high a view is drawn at a width, at most `most`. */
  const heightOf = (view, width, most = Infinity) => Math.round(Math.min(
    view.plots.length > 1 ? 0.92 * Math.min(width, 560) + 56 : 0.58 * Math.min(width, 640) + 12,
    most));

  /** Where the plots of a view stand and which of their axes are named, by place. */
  function layout(view, width, height) {
    const [x, top] = [50, 10];
    if (view.plots.length === 1) {
      return { single: { x, y: top, width: width - 62, height: height - top - 40, named: "xy" } };
    }
    const space = { width: width - 80, height: height - top - 94 };
    const main = { width: 0.72 * space.width, height: 0.7 * space.height };
    const above = space.height - main.height;
    const beside = { x: x + main.width + 18, width: space.width - main.width };
    return {
      main: { x, y: top + above + 10, ...main, named: "xy" },
      top: { x, y: top, width: main.width, height: above, named: "y" },
      right: { ...beside, y: top + above + 10, height: main.height, named: "x" },
    };
  }

  /** Draw a view on two contexts, or its inside alone; returns its plots with boxes and scales. */
  function draw(c, axes, theme, view, [width, height], memory) {
    const boxes = layout(view, width, height);
    return view.plots.map((plot) => {
      const box = boxes[plot.place];
      drawInside(c, theme, plot, box, memory);
      const map = plot.series.find(({ kind }) => kind === "map");
      if (axes) drawAxes(axes, theme, plot, box, box.named);
      if (axes && map) colourBar(axes, theme, map, box.x, height - 44, box.width);
      return { plot, box, ...scalesOf(plot, box) };
    });
  }

  /** The context of a canvas at the screen's resolution, cleared. */
  function cleared(canvas, width, height, ratio) {
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    const context = canvas.getContext("2d");
    if (canvas.width !== w || canvas.height !== h) {
      Object.assign(canvas, { width: w, height: h });
      canvas.style.height = `${height}px`;
      context.scale(ratio, ratio);
      Object.assign(context, { font: `${SIZE}px ${FONT}`, lineJoin: "round" });
    } else context.clearRect(0, 0, width, height);
    return context;
  }

  /** Draw a view on a figure's two canvases, its axes below only if they have changed. */
  function toCanvas({ canvas, under, memory }, theme, view, width, most) {
    const height = heightOf(view, width, most);
    const limits = view.plots.map(({ xLimits, yLimits, series }) =>
      [xLimits, yLimits, series.map((one) => one.limits)]);
    const key = JSON.stringify([width, height, devicePixelRatio, theme.ink, limits]);
    const axes = key === memory.key ? null : cleared(under, width, height, devicePixelRatio);
    memory.key = key;
    const context = cleared(canvas, width, height, devicePixelRatio);
    return draw(context, axes, theme, view, [width, height], memory);
  }

  /** A view as a picture of three times the resolution: a promise of a PNG. */
  function toPng(theme, view, width) {
    const [height, canvas] = [heightOf(view, width), document.createElement("canvas")];
    const context = cleared(canvas, width, height, 3);
    context.fillStyle = theme.paper;
    context.fillRect(0, 0, width, height);
    draw(context, context, theme, view, [width, height], { names: new Map() });
    return new Promise((resolve) => { canvas.toBlob(resolve, "image/png"); });
  }

  return { toCanvas, toPng };
})();
