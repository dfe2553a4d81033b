// Scans as points: click one to see it, choose several by a loop, a level or keys.

const MARGIN = { left: 34, right: 14, top: 12, bottom: 34 };
const REACH = 12; // screen pixels between pointer and point
const GHOST = 0.7; // of a point's opacity: fainter, and still brighter than what is filtered out
const CHANGES = {
  places: ["components", "axes", "axis_labels"],
  look: ["column", "levels", "color_label"],
  marks: ["group", "shown", "faint", "ghosted"],
  rings: ["selected", "names"],
};

// Fewer points may be larger.
const radiusFor = (count) => Math.min(5, Math.max(3.8, 6.2 - Math.log10(Math.max(count, 1)) * 0.6));

// Column-wise components, each from 0 to 1, as numbers of the two axes chosen.
function placesOf(model, size) {
  const raw = bytesOf(model.get("components"));
  const all = new Float32Array(raw.slice().buffer);
  const count = all.length / Math.max(1, model.get("axis_labels").length);
  const [across, up] = model.get("axes").map((k) => all.subarray(k * count, (k + 1) * count));
  const places = new Float32Array(2 * count);
  for (let i = 0; i < count; i++) {
    places[2 * i] = MARGIN.left + across[i] * (size.width - MARGIN.left - MARGIN.right);
    places[2 * i + 1] = size.height - MARGIN.bottom - up[i] * (size.height - MARGIN.top - MARGIN.bottom);
  }
  return places;
}

function drawAxes(context, size, across, up) {
  const quiet = { color: "#9aa4b2", align: "center", font: "500 12px system-ui, sans-serif" };
  text(context, across, size.width / 2, size.height - 14, quiet);
  context.save();
  context.translate(14, size.height / 2);
  context.rotate(-Math.PI / 2);
  text(context, up, 0, 0, quiet);
  context.restore();
}

// Filtered-out points lie undermost, those of the group on top.
function drawPoints(canvas, places, { look, stamps, shown, group, faint, ghosted }) {
  const image = blackPicture(canvas);
  const ratio = window.devicePixelRatio || 1;
  const put = (i, stamp, opacity) =>
    press(image, stamps[stamp], Math.round(places[2 * i] * ratio), Math.round(places[2 * i + 1] * ratio), opacity);
  const count = places.length / 2;
  if (shown && faint) for (let i = 0; i < count; i++) if (!shown[i]) put(i, stamps.length - 1, 1);
  const opacity = (group.size ? 0.3 : 0.9) * (ghosted ? GHOST : 1);
  for (let i = 0; i < count; i++) if ((!shown || shown[i]) && !group.has(i)) put(i, look.kind[i], opacity);
  for (const i of group) if (i < count && (!shown || shown[i])) put(i, look.kind[i], 1);
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function ring(context, places, i, color, dashed) {
  context.strokeStyle = color;
  context.lineWidth = 2;
  context.setLineDash(dashed ? [3, 3] : []);
  context.beginPath();
  context.arc(places[2 * i], places[2 * i + 1], 9, 0, 2 * Math.PI);
  context.stroke();
  context.setLineDash([]);
}

function drawFilteredOut(context, x, y) {
  tracePoints(context, null, x, y, 2);
  context.fillStyle = FILTERED_OUT;
  context.fill();
}

function mountScatter(model, element) {
  const canvas = tag("canvas", { tabIndex: 0, role: "application", "aria-label": "Scans in feature space" });
  const over = tag("canvas", { className: "clam-over", "aria-hidden": "true" });
  const legend = tag("div", { className: "clam-legend" });
  const hint = tag("div", { className: "clam-readout", role: "status" });
  const bar = scatterBar(model, { clear: () => choose(null, []), invert });
  const root = tag("div", { className: "clam-viewer clam-scatter" },
    bar.root, bar.keys, tag("div", { className: "clam-stage" }, canvas, over), legend, bar.faintLabel, hint);
  element.append(root);
  const cleanup = new AbortController();
  const listen = (kind, handler) => canvas.addEventListener(kind, handler, { signal: cleanup.signal });
  let size = { width: 0, height: 0 };
  let places = new Float32Array(0);
  let nearest = () => -1;
  let look = null;
  let stamps = null;
  let showCounts = () => {};
  let shown = null; // one byte a point, or null while nothing is filtered out
  let group = new Set();
  let hovered = -1;
  let loop = null;
  let frame = 0;
  const due = new Set();

  const count = () => places.length / 2;
  const isShown = (i) => !shown || shown[i] === 1;

  function readFilter() {
    const bytes = bytesOf(model.get("shown"));
    shown = bytes.length && bytes.includes(0) ? bytes : null;
    group = new Set(model.get("group"));
  }
  function measure() {
    const width = root.clientWidth - 24;
    if (width <= 0) return false;
    const height = Math.round(Math.min(width * 0.85, 420));
    if (width !== size.width || height !== size.height) due.add("places");
    size = { width, height };
    return true;
  }
  function draw() {
    frame = 0;
    if (!measure()) return;
    if (due.has("places")) {
      places = placesOf(model, size);
      nearest = pointGrid(places, size, REACH);
    }
    if (due.has("look") || !look) {
      look = coloring(model, radiusFor(count()));
      stamps = makeStamps([...look.drawers, drawFilteredOut], window.devicePixelRatio || 1);
      showCounts = makeLegend(legend, look, { label: model.get("color_label"), take: takeLevel });
    }
    if (due.has("places") || due.has("look") || due.has("marks")) {
      readFilter();
      const context = sharpen(canvas, size);
      drawPoints(canvas, places, { look, stamps, shown, group, faint: model.get("faint"), ghosted: model.get("ghosted") });
      drawAxes(context, size, ...model.get("axes").map((k) => model.get("axis_labels")[k]));
      showCounts(shown);
      bar.faintLabel.hidden = !shown;
      bar.refresh();
    }
    due.clear();
    drawOver();
    say();
    root.dataset.ready = "true";
  }
  function drawOver() {
    const context = sharpen(over, size);
    context.clearRect(0, 0, size.width, size.height);
    const selected = model.get("selected");
    if (!group.size && selected < count()) ring(context, places, selected, "#ffffff", !isShown(selected));
    if (hovered >= 0 && hovered < count()) ring(context, places, hovered, "#9aa4b2", false);
    if (loop) drawLoop(context, loop);
  }
  function say() {
    const names = model.get("names");
    const words = [];
    if (hovered >= 0) words.push(`${names[hovered]}: ${look.say(hovered)}`);
    if (group.size) {
      const hidden = [...group].filter((i) => !isShown(i)).length;
      words.push(`${group.size} scan${group.size > 1 ? "s" : ""} chosen${hidden ? `, ${hidden} of them filtered out` : ""}`);
    } else if (!isShown(model.get("selected"))) words.push(`${names[model.get("selected")]} is filtered out`);
    if (shown) words.push(`${shown.reduce((n, one) => n + (one === 0), 0)} of ${count()} scans filtered out`);
    hint.textContent = words.join(" · ") || model.get("hint") || "Click a point; draw a loop for an average";
  }
  function redraw(...parts) {
    parts.forEach((part) => due.add(part));
    if (!frame) frame = requestAnimationFrame(draw);
  }
  function choose(selected, members) {
    model.set("group", members);
    if (selected !== null) model.set("selected", selected);
    model.save_changes();
  }
  // One scan chosen anew is looked at; several, or what is added and taken away, are a group.
  function take(taken, mode) {
    if (!taken.length) return;
    if (mode === "new" && taken.length === 1) choose(taken[0], []);
    else choose(null, combined(model.get("group"), taken, mode));
  }
  function takeLevel(members, event) {
    take(members.filter(isShown), bar.mode(event));
  }
  function invert() {
    take(allShown().filter((i) => !group.has(i)), "new");
  }
  function allShown() {
    return [...Array(count()).keys()].filter(isShown);
  }
  function stepFrom(start, move) {
    for (let k = 1; k <= count(); k++) {
      const i = (start + k * move + k * count()) % count();
      if (isShown(i)) return i;
    }
    return -1;
  }
  function at(event) {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }
  listen("pointerdown", (event) => {
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    loop = [at(event)];
  });
  listen("pointermove", (event) => {
    hovered = nearest(at(event), isShown);
    if (loop && event.buttons) loop.push(at(event));
    redraw();
  });
  listen("pointerup", (event) => {
    const drawn = loop || [];
    loop = null;
    const spread = drawn.reduce((most, [x, y]) => Math.max(most, Math.hypot(x - drawn[0][0], y - drawn[0][1])), 0);
    const under = nearest(at(event), isShown);
    if (spread >= REACH) take(takenByLoop(drawn, places, isShown), bar.mode(event));
    else if (under >= 0) take([under], bar.mode(event));
    redraw();
  });
  listen("pointercancel", () => { loop = null; redraw(); });
  listen("pointerleave", () => { hovered = -1; redraw(); });
  listen("keydown", (event) => {
    const move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const command = event.ctrlKey || event.metaKey;
    const act = {
      Enter: () => hovered >= 0 && choose(hovered, []),
      " ": () => {
        const i = hovered >= 0 ? hovered : model.get("selected");
        if (isShown(i)) take([i], group.has(i) ? "subtract" : "add");
      },
      Escape: () => { loop = null; choose(null, []); },
      i: invert,
      a: command && (() => take(allShown(), "new")),
    }[event.key];
    if (!move && !act) return;
    event.preventDefault();
    event.stopPropagation();
    if (!move) act();
    else if (command) hovered = stepFrom(hovered >= 0 ? hovered : model.get("selected"), move);
    else {
      const next = stepFrom(model.get("selected"), move);
      if (next >= 0) choose(next, []);
    }
    redraw();
  });
  const heard = Object.entries(CHANGES).map(([part, names]) =>
    [names.map((name) => `change:${name}`).join(" "), () => redraw(part)]);
  heard.forEach(([events, act]) => model.on(events, act));
  const leavePage = joinPage(model, root);
  const watcher = new ResizeObserver(() => redraw());
  watcher.observe(root);
  redraw("places", "look", "marks");
  return () => {
    cleanup.abort();
    watcher.disconnect();
    cancelAnimationFrame(frame);
    heard.forEach(([events, act]) => model.off(events, act));
    leavePage();
    root.remove();
  };
}
