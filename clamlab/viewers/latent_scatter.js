// Scans as points: click one to see it, draw a loop around several to see their average.

// Okabe and Ito's colours, a little brighter for the dark ground; shapes tell the levels apart too.
const LEVEL_COLORS = ["#e8743b", "#3d9be0", "#1fb58a", "#d98cba", "#e69f00", "#7cc7ee"];
const MARGIN = { left: 34, right: 14, top: 12, bottom: 34 };
const UNKNOWN = "#5a6370"; // no value in the table
const REACH = 12; // screen pixels between pointer and point

function drawMarker(context, shape, x, y, r) {
  const outline = {
    1: [[-1, -1], [1, -1], [1, 1], [-1, 1]],
    2: [[0, -1.2], [1.1, 0.9], [-1.1, 0.9]],
    3: [[0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]],
    4: [[0, 1.2], [1.1, -0.9], [-1.1, -0.9]],
    5: [[-1.3, -0.4], [-0.4, -0.4], [-0.4, -1.3], [0.4, -1.3], [0.4, -0.4], [1.3, -0.4],
      [1.3, 0.4], [0.4, 0.4], [0.4, 1.3], [-0.4, 1.3], [-0.4, 0.4], [-1.3, 0.4]],
  }[shape % 6];
  context.beginPath();
  if (!outline) context.arc(x, y, r, 0, 2 * Math.PI);
  else outline.forEach(([dx, dy], i) => context[i ? "lineTo" : "moveTo"](x + dx * r, y + dy * r));
  context.closePath();
}

function insideLoop(loop, x, y) {
  let inside = false;
  for (let i = 0, j = loop.length - 1; i < loop.length; j = i++) {
    const [ax, ay] = loop[i];
    const [bx, by] = loop[j];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

// Colour, shape and legend of the column that colours the points.
function coloring(model) {
  const values = model.get("column");
  const levels = model.get("levels");
  if (levels.length) {
    return {
      color: (i) => (values[i] === null ? UNKNOWN : LEVEL_COLORS[values[i] % LEVEL_COLORS.length]),
      shape: (i) => values[i] ?? 0,
      levels: levels.map((name, k) => ({ name, k, count: values.filter((v) => v === k).length })),
    };
  }
  const known = values.filter((value) => value !== null);
  const low = Math.min(...known);
  const high = Math.max(...known);
  const table = colorTable("viridis");
  const color = (share) => {
    const at = 3 * Math.round(255 * (0.15 + 0.85 * share)); // the darkest would drown in the ground
    return `rgb(${table[at]},${table[at + 1]},${table[at + 2]})`;
  };
  const share = (value) => (high > low ? (value - low) / (high - low) : 0.5);
  return { color: (i) => (values[i] === null ? UNKNOWN : color(share(values[i]))), shape: () => 0, low, high, ramp: color };
}

function mountScatter(model, element) {
  const canvas = tag("canvas", { tabIndex: 0, "aria-label": "Scans in feature space" });
  const legend = tag("div", { className: "clam-legend" });
  const hint = tag("div", { className: "clam-readout" });
  const root = tag("div", { className: "clam-viewer", "data-lm-suppress-shortcuts": "true" }, canvas, legend, hint);
  element.append(root);
  const cleanup = new AbortController();
  const listen = (kind, handler) => canvas.addEventListener(kind, handler, { signal: cleanup.signal });
  let size = { width: 0, height: 0 };
  let hovered = -1;
  let loop = null;
  let frame = 0;

  const points = () => {
    const raw = bytesOf(model.get("points"));
    return new Float32Array(raw.slice().buffer);
  };
  let xy = points();
  const count = () => xy.length / 2;
  const onScreen = (i) => [
    MARGIN.left + xy[2 * i] * (size.width - MARGIN.left - MARGIN.right),
    size.height - MARGIN.bottom - xy[2 * i + 1] * (size.height - MARGIN.top - MARGIN.bottom),
  ];

  function draw() {
    frame = 0;
    const width = root.clientWidth - 24;
    if (width <= 0) return;
    size = { width, height: Math.round(Math.min(width * 0.85, 420)) };
    const context = sharpen(canvas, size);
    const look = coloring(model);
    const group = new Set(model.get("group"));
    const selected = model.get("selected");
    context.fillStyle = "#000";
    context.fillRect(0, 0, size.width, size.height);
    const [across, up] = model.get("axis_labels");
    const quiet = { color: "#9aa4b2", align: "center", font: "500 12px system-ui, sans-serif" };
    text(context, across, size.width / 2, size.height - 14, quiet);
    context.save();
    context.translate(14, size.height / 2);
    context.rotate(-Math.PI / 2);
    text(context, up, 0, 0, quiet);
    context.restore();
    for (let i = 0; i < count(); i++) {
      const [x, y] = onScreen(i);
      context.globalAlpha = group.size && !group.has(i) ? 0.3 : 0.9;
      context.fillStyle = look.color(i);
      drawMarker(context, look.shape(i), x, y, 4.2);
      context.fill();
    }
    context.globalAlpha = 1;
    for (const [i, color] of [[hovered, "#9aa4b2"], [group.size ? -1 : selected, "#ffffff"]]) {
      if (i < 0) continue;
      context.strokeStyle = color;
      context.lineWidth = 2;
      context.beginPath();
      context.arc(...onScreen(i), 8, 0, 2 * Math.PI);
      context.stroke();
    }
    if (loop) drawLoop(context);
    showLegend(look);
    const names = model.get("names");
    hint.textContent = hovered >= 0
      ? names[hovered]
      : group.size ? `${group.size} scans chosen; click a point to leave` : "Click a point; draw a loop for an average";
    root.dataset.ready = "true";
  }
  function drawLoop(context) {
    context.strokeStyle = "#78c8eb";
    context.lineWidth = 1.5;
    context.beginPath();
    loop.forEach(([x, y], i) => context[i ? "lineTo" : "moveTo"](x, y));
    context.closePath();
    context.stroke();
  }
  function swatch(color, shape) {
    const mark = tag("canvas");
    const context = sharpen(mark, { width: 12, height: 12 });
    context.fillStyle = color;
    drawMarker(context, shape, 6, 6, 4);
    context.fill();
    return mark;
  }
  function showLegend(look) {
    const head = tag("b", { textContent: model.get("color_label") });
    if (look.levels) {
      legend.replaceChildren(head, ...look.levels.map(({ name, k, count: n }) =>
        tag("span", {}, swatch(LEVEL_COLORS[k % LEVEL_COLORS.length], k), `${name} (n = ${n})`)));
    } else {
      const steps = [0, 0.25, 0.5, 0.75, 1].map(look.ramp).join(", ");
      const bar = tag("i", { style: `background: linear-gradient(90deg, ${steps})` });
      const words = (value) => Number(value.toPrecision(3)).toString();
      legend.replaceChildren(head, tag("span", {}, words(look.low), bar, words(look.high)));
    }
    const missing = model.get("column").filter((value) => value === null).length;
    if (missing) legend.append(tag("span", {}, swatch(UNKNOWN, 0), `no value (n = ${missing})`));
  }
  function redraw() {
    if (!frame) frame = requestAnimationFrame(draw);
  }
  function choose(selected, group) {
    model.set("group", group);
    if (selected !== null) model.set("selected", selected);
    model.save_changes();
  }
  function at(event) {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }
  function nearest([x, y]) {
    let best = -1;
    let least = REACH ** 2;
    for (let i = 0; i < count(); i++) {
      const [px, py] = onScreen(i);
      const distance = (px - x) ** 2 + (py - y) ** 2;
      if (distance < least) [best, least] = [i, distance];
    }
    return best;
  }
  listen("pointerdown", (event) => {
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    loop = [at(event)];
  });
  listen("pointermove", (event) => {
    hovered = nearest(at(event));
    if (loop && event.buttons) loop.push(at(event));
    redraw();
  });
  listen("pointerup", (event) => {
    const drawn = loop || [];
    loop = null;
    const spread = Math.max(0, ...drawn.map(([x, y]) => Math.hypot(x - drawn[0][0], y - drawn[0][1])));
    const under = nearest(at(event));
    if (spread < REACH && under >= 0) choose(under, []);
    else if (spread >= REACH) {
      const inside = [...Array(count()).keys()].filter((i) => insideLoop(drawn, ...onScreen(i)));
      if (inside.length === 1) choose(inside[0], []);
      else if (inside.length) choose(null, inside);
    }
    redraw();
  });
  listen("pointerleave", () => { hovered = -1; redraw(); });
  listen("keydown", (event) => {
    const move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!move) return;
    event.preventDefault();
    choose((model.get("selected") + move + count()) % count(), []);
  });
  const events = ["column", "levels", "color_label", "names", "axis_labels", "selected", "group"]
    .map((name) => `change:${name}`).join(" ");
  const reload = () => { xy = points(); redraw(); };
  model.on(events, redraw);
  model.on("change:points", reload);
  const listenNoMore = tellWhenLost(model, root);
  const watcher = new ResizeObserver(redraw);
  watcher.observe(root);
  redraw();
  return () => {
    cleanup.abort();
    watcher.disconnect();
    cancelAnimationFrame(frame);
    model.off(events, redraw);
    model.off("change:points", reload);
    listenNoMore();
    root.remove();
  };
}

export default { render: ({ model, el }) => mountScatter(model, el) };
