// Controls and events of the slice viewer. Every trait of the model is state that Python may
// also read or write; nothing is asked from the kernel while a person scrolls.

const STATE = ["index", "overlay", "opacity", "threshold", "blending", "colormap", "window", "level",
  "radiological", "view", "crosshair", "zoom", "center", "slab", "slab_mm", "speed", "measures"];
const SCAN = ["volume", "overlay_volumes", "overlay_names", "overlay_kinds", "shape", "affine", "units"];

function mountViewer(model, element) {
  const ui = buildPage();
  element.append(ui.root);
  const cleanup = new AbortController();
  const listen = (target, kind, handler, options = {}) =>
    target.addEventListener(kind, handler, { signal: cleanup.signal, ...options });
  const here = { scan: readScan(model), active: "axial", scale: 1 };
  let pointed = null; // where the pointer rests: a plane, and a place on the screen
  let sizes = {};
  let frame = 0;

  const actions = makeActions(model, here, () => play(false));
  const { set, moveTo, step, preset, setWindow, change, zoomTo, plane, flat } = actions;
  const pictureOf = (name) =>
    placement(plane(name), sizes, here.scale, { zoom: model.get("zoom"), center: model.get("center") });
  const measuring = makeMeasuring({ model, set, moveTo, send: actions.send, here, plane, pictureOf });
  const look = () => {
    const state = Object.fromEntries(STATE.map((name) => [name, model.get(name)]));
    return { ...state, table: tableOf(here.scan.overlays.get(state.overlay), state) };
  };
  const shown = () => (flat() ? VIEWS.axial : VIEWS[model.get("view")]);
  function play(on) {
    actions.play(on);
    ui.play.textContent = actions.playing ? "Pause" : "Play";
  }

  // --- picture ---------------------------------------------------------------------------
  function layout() {
    const names = shown();
    const barWidth = here.scan.overlays.size ? 92 : 0;
    const gap = 8;
    const wide = ui.panes.clientWidth - (barWidth ? barWidth + gap : 0);
    if (wide <= 0) return false; // hidden tab: drawn when it is seen
    const inRow = wide / names.length >= 190 ? names.length : 1;
    const width = Math.floor((wide - gap * (inRow - 1)) / inRow);
    const planes = names.map(plane);
    const widest = Math.max(...planes.map((p) => p.width));
    const tallest = Math.max(...planes.map((p) => p.height));
    const margin = 4;
    const height = Math.round(Math.min(inRow > 1 ? 480 : 600, ((width - margin) * tallest) / widest + margin));
    here.scale = Math.min((width - margin) / widest, (height - margin) / tallest); // the same in all planes
    sizes = { width, height, barWidth };
    for (const name of VIEWS.three) ui.plane[name].box.style.display = names.includes(name) ? "" : "none";
    for (const { box } of Object.values(ui.plane)) box.style.gridColumn = inRow > 1 ? "" : "1";
    Object.assign(ui.bar.style, { display: barWidth ? "" : "none", gridColumn: inRow + 1, gridRow: 1 });
    ui.panes.style.gridTemplateColumns = `repeat(${inRow}, ${width}px)${barWidth ? ` ${barWidth}px` : ""}`;
    return true;
  }
  function draw() {
    frame = 0;
    const focused = document.activeElement === ui.plane[here.active].canvas;
    if (!layout()) return;
    const now = look();
    if (!shown().includes(here.active)) {
      here.active = shown()[0]; // its plane was hidden: the keys go on in the one that is seen
      if (focused) ui.plane[here.active].canvas.focus({ preventScroll: true });
    }
    for (const name of shown()) {
      const { canvas, scroll, count, box } = ui.plane[name];
      const at = now.index[PLANES[name].through];
      const last = here.scan.shape[PLANES[name].through] - 1;
      const context = sharpen(canvas, sizes);
      drawPlane(context, here.scan, plane(name), now, sizes, here.scale);
      drawMeasures(context, here.scan, plane(name), now, { size: sizes, scale: here.scale, chosen: measuring.chosen });
      scroll.max = last;
      scroll.value = at;
      scroll.style.visibility = last ? "" : "hidden";
      count.textContent = last ? `${at + 1} / ${last + 1}` : "";
      box.classList.toggle("clam-active", name === here.active && shown().length > 1);
    }
    if (sizes.barWidth) {
      const size = { width: sizes.barWidth, height: sizes.height };
      const context = sharpen(ui.bar, size);
      if (now.overlay) drawColorBar(context, now, here.scan.overlays.get(now.overlay), size);
      else context.clearRect(0, 0, size.width, size.height);
    }
    showControls(ui, now, here.scan, model.get("title"));
    const under = underPointer();
    showReadout(ui, now, here.scan, { pointed: under, plane: plane(under ? pointed.name : here.active) });
    showMeasuring(ui, measuring);
    ui.root.dataset.ready = "true";
  }
  function redraw() {
    if (!frame) frame = requestAnimationFrame(draw);
  }
  const save = () => savePicture(ui, here.scan, look(), { names: shown(), sizes, title: model.get("title") });

  // --- hands -----------------------------------------------------------------------------
  function voxelUnder(event, name) {
    const box = ui.plane[name].canvas.getBoundingClientRect();
    const where = plane(name);
    const point = { x: event.clientX - box.left, y: event.clientY - box.top };
    const picture = pictureOf(name);
    const voxel = voxelOn(where, picture, model.get("index"), point.x, point.y).map(Math.round);
    const inside = voxel.every((v, i) => v >= 0 && v < here.scan.shape[i]);
    return { inside, voxel, point };
  }
  // Read anew whenever it is drawn: slices pass beneath a pointer that rests.
  function underPointer() {
    if (!pointed || !shown().includes(pointed.name)) return null;
    const { inside, voxel } = voxelUnder(pointed, pointed.name);
    return inside ? voxel : null;
  }
  function handlePane(name) {
    const { canvas, scroll } = ui.plane[name];
    let drag = null;
    let turned = 0; // a touch pad sends many small turns, a mouse wheel one large
    listen(canvas, "wheel", (event) => {
      event.preventDefault();
      play(false);
      here.active = name;
      if (event.ctrlKey) { // a touch pad's pinch comes as one, too
        zoomTo(model.get("zoom") * Math.exp(-event.deltaY / 300), voxelUnder(event, name).voxel);
        return;
      }
      const pixels = event.deltaY * (event.deltaMode === 1 ? 33 : event.deltaMode === 2 ? 400 : 1);
      if (Math.abs(pixels) >= 50) turned = Math.sign(pixels) * Math.max(1, Math.round(Math.abs(pixels) / 120));
      else turned += pixels / 50;
      const slices = Math.trunc(turned);
      turned -= slices;
      if (slices) step(name, -slices); // towards the feet, the back, the left
    }, { passive: false });
    listen(canvas, "contextmenu", (event) => event.preventDefault());
    listen(canvas, "pointerdown", (event) => {
      play(false);
      here.active = name;
      canvas.focus({ preventScroll: true });
      canvas.setPointerCapture(event.pointerId);
      const windowing = event.button === 2 || event.shiftKey;
      const shifting = event.button === 1 || event.ctrlKey;
      const under = voxelUnder(event, name);
      const plain = !windowing && !shifting && event.button === 0;
      const measures = plain && measuring.down(name, under.point);
      drag = { windowing, shifting, measures, x: event.clientX, y: event.clientY, window: model.get("window"), level: model.get("level") };
      if (plain && !measures) moveTo(under.voxel);
      redraw();
    });
    listen(canvas, "pointermove", (event) => {
      const under = voxelUnder(event, name);
      if (drag && drag.measures) measuring.move(under.point);
      else if (drag && drag.shifting) {
        actions.shift(name, event.clientX - drag.x, event.clientY - drag.y);
        Object.assign(drag, { x: event.clientX, y: event.clientY });
      } else if (drag && drag.windowing) {
        const pace = Math.max(0.5, drag.window / 300); // HU per screen pixel
        setWindow(drag.window + (event.clientX - drag.x) * pace, drag.level + (event.clientY - drag.y) * pace);
      } else if (drag && event.buttons & 1) moveTo(under.voxel);
      pointed = { name, clientX: event.clientX, clientY: event.clientY };
      redraw();
    });
    const release = () => {
      if (drag?.measures) measuring.up();
      drag = null;
      redraw();
    };
    listen(canvas, "pointerup", release);
    listen(canvas, "pointercancel", release);
    listen(canvas, "pointerleave", () => { pointed = null; redraw(); });
    listen(canvas, "dblclick", () => !measuring.tool && actions.nextView(name));
    listen(canvas, "focus", () => { here.active = name; redraw(); });
    listen(scroll, "input", () => {
      const index = [...model.get("index")];
      index[PLANES[name].through] = Number(scroll.value);
      here.active = name;
      moveTo(index);
    });
  }
  function use(kind) {
    measuring.use(kind);
    ui.plane[here.active].canvas.focus({ preventScroll: true }); // where the arrows go
    redraw();
  }
  function nextMeasure() {
    const name = measuring.next();
    if (!name) return;
    if (!shown().includes(name)) set({ view: "three" });
    ui.plane[name].canvas.focus({ preventScroll: true });
    redraw();
  }
  const help = () => (ui.keys.hidden = !ui.keys.hidden);
  const does = {
    lung: () => preset("lung"),
    mediastinal: () => preset("mediastinal"),
    side: () => set({ radiological: !model.get("radiological") }),
    play: () => play(!actions.playing),
    fade: () => set({ blending: "fade" }),
    cut: () => set({ blending: "cut" }),
    ruler: () => use("ruler"),
    region: () => use("region"),
    remove: () => { measuring.remove(); redraw(); },
    save,
    help,
  };
  const keys = {
    1: does.lung,
    2: does.mediastinal,
    c: actions.nextOverlay,
    o: actions.toggleOverlay,
    f: actions.toggleFade,
    g: () => ui.colors.style.display || actions.nextOf("colormap", Object.keys(COLORMAPS)),
    b: () => actions.nextOf("slab", Object.keys(SLABS)),
    v: () => actions.nextView(),
    x: () => set({ crosshair: !model.get("crosshair") }),
    r: does.side,
    m: does.ruler,
    e: does.region,
    n: nextMeasure,
    s: save,
    "+": () => zoomTo(1.25 * model.get("zoom")),
    "-": () => zoomTo(model.get("zoom") / 1.25),
    0: () => zoomTo(1),
    "?": help,
    " ": does.play,
  };
  // A letter for more, with Shift for less.
  const more = {
    a: (sign) => change("opacity", 0.05 * sign),
    t: (sign) => ui.threshold.disabled || change("threshold", 0.05 * sign),
    d: (sign) => change("slab_mm", 5 * sign),
    p: (sign) => change("speed", 2 * sign),
    w: (sign) => setWindow(model.get("window") + 50 * sign, model.get("level")),
    l: (sign) => setWindow(model.get("window"), model.get("level") + 10 * sign),
  };
  function handleKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") ui.keys.hidden = true;
    if (/^(INPUT|SELECT|BUTTON)$/.test(event.target.tagName)) return; // their own keys
    const last = here.scan.shape[PLANES[here.active].through];
    const steps = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10, Home: -last, End: last };
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (measuring.press(event, here.active)) redraw();
    else if (key in steps) {
      play(false);
      step(here.active, steps[key]);
    } else if (key in keys) keys[key]();
    else if (key in more) more[key](event.shiftKey ? -1 : 1);
    else return;
    event.preventDefault();
    pointed = null;
  }

  // --- life ------------------------------------------------------------------------------
  function fillOverlays() {
    const option = (value, textContent) => tag("option", { value, textContent });
    ui.overlay.replaceChildren(...[...here.scan.overlays.keys()].map((n) => option(n, n)), option("", "none"));
  }
  function reload() {
    if (model.get("volume") !== here.scan.source) measuring.leave();
    here.scan = readScan(model);
    here.stale = false;
    pointed = null;
    fillOverlays();
    redraw();
  }
  function reloadSoon() { // once, however many parts of a scan arrive together
    if (!here.stale) queueMicrotask(reload);
    here.stale = true;
  }
  VIEWS.three.forEach(handlePane);
  listen(ui.root, "keydown", handleKey);
  listen(ui.root, "click", (event) => does[event.target.dataset?.do]?.());
  listen(ui.overlay, "change", () => set({ overlay: ui.overlay.value }));
  listen(ui.opacity, "input", () => set({ opacity: ui.opacity.value / 100 }));
  listen(ui.threshold, "input", () => set({ threshold: ui.threshold.value / 100 }));
  listen(ui.colormap, "change", () => set({ colormap: ui.colormap.value }));
  listen(ui.view, "change", () => set({ view: ui.view.value }));
  listen(ui.slab, "change", () => set({ slab: ui.slab.value }));
  for (const name of ["window", "level", "slab_mm", "speed"]) {
    const take = (value) => value === null || actions.put(name, value);
    takeNumber(ui[name], { take, show: redraw, signal: cleanup.signal, whole: !(name in DECIMALS) });
  }
  const stateEvents = [...STATE, "title"].map((name) => `change:${name}`).join(" ");
  const scanEvents = SCAN.map((name) => `change:${name}`).join(" ");
  model.on(stateEvents, redraw);
  model.on(scanEvents, reloadSoon);
  const leavePage = joinPage(model, ui.root);
  const watcher = new ResizeObserver(redraw);
  watcher.observe(ui.panes);
  fillOverlays();
  redraw();
  return () => {
    cleanup.abort();
    watcher.disconnect();
    actions.stop();
    cancelAnimationFrame(frame);
    model.off(stateEvents, redraw);
    model.off(scanEvents, reloadSoon);
    leavePage();
    ui.root.remove();
  };
}
