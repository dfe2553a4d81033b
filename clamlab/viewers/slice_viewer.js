// Controls and events of the slice viewer. Every trait of the model is state that Python may
// also read or write; nothing is asked from the kernel while a person scrolls.

const PRESETS = { lung: [1500, -600], mediastinal: [400, 40] }; // as in slice_viewer.py
const STATE = ["index", "overlay", "opacity", "threshold", "colormap", "window", "level", "preset",
  "radiological", "view", "crosshair", "zoom", "center"];
const MAX_ZOOM = 8; // as in slice_state.py
const SCAN = ["volume", "overlay_volumes", "overlay_names", "shape", "affine", "units"];
const FRAMES_PER_SECOND = 10;

function mountViewer(model, element) {
  const ui = buildPage();
  element.append(ui.root);
  const cleanup = new AbortController();
  const listen = (target, kind, handler, options = {}) =>
    target.addEventListener(kind, handler, { signal: cleanup.signal, ...options });
  let scan = readScan(model);
  let active = "axial"; // the plane that keys and play move through
  let pointed = null; // the voxel under the pointer
  let sizes = {};
  let scale = 1;
  let frame = 0;
  let saving = 0;
  let playing = 0;
  let lastOverlay = "";

  const look = () => {
    const state = Object.fromEntries(STATE.map((name) => [name, model.get(name)]));
    return { ...state, table: colorTable(state.colormap) };
  };
  const flat = () => scan.shape[2] === 1;
  const shown = () => (flat() ? VIEWS.axial : VIEWS[model.get("view")]);
  const plane = (name) => planeOf(scan, name, model.get("radiological"));

  // --- state -----------------------------------------------------------------------------
  function set(changes) {
    for (const [name, value] of Object.entries(changes)) model.set(name, value);
    clearTimeout(saving);
    saving = setTimeout(sendNow, 150); // one message when the hand rests
  }
  function sendNow() {
    clearTimeout(saving);
    saving = 0;
    model.save_changes();
  }
  function moveTo(voxel) {
    set({ index: voxel.map((v, i) => Math.min(scan.shape[i] - 1, Math.max(0, Math.round(v)))) });
  }
  function step(name, slices) {
    const index = [...model.get("index")];
    index[PLANES[name].through] += slices;
    moveTo(index);
  }
  function preset(name) {
    const [window, level] = PRESETS[name];
    set({ window, level, preset: name });
  }
  function setWindow(window, level) {
    const width = Math.min(4000, Math.max(10, Math.round(window)));
    const centre = Math.min(3000, Math.max(-1500, Math.round(level)));
    const named = Object.keys(PRESETS).find((n) => PRESETS[n][0] === width && PRESETS[n][1] === centre);
    set({ window: width, level: centre, preset: named || "custom" });
  }
  function toggleOverlay() {
    const current = model.get("overlay");
    if (current) lastOverlay = current;
    set({ overlay: current ? "" : lastOverlay || model.get("overlay_names")[0] || "" });
  }
  function nextOverlay() {
    const names = model.get("overlay_names");
    if (names.length) set({ overlay: names[(names.indexOf(model.get("overlay")) + 1) % names.length] });
  }
  function nextView(single) {
    if (flat()) return;
    const order = Object.keys(VIEWS);
    const now = model.get("view");
    if (single) set({ view: now === "three" ? single : "three" });
    else set({ view: order[(order.indexOf(now) + 1) % order.length] });
  }
  // Come closer or go back; the voxel that is held stays where it is on the screen.
  function zoomTo(zoom, held = model.get("index")) {
    const old = model.get("zoom");
    const next = Math.min(MAX_ZOOM, Math.max(1, zoom));
    const middle = scan.shape.map((n) => (n - 1) / 2);
    const center = model.get("center").map((c, i) => held[i] + ((c - held[i]) * old) / next);
    set({ zoom: next, center: next > 1 ? center : middle });
  }
  function shift(name, across, down) {
    const where = plane(name);
    const center = [...model.get("center")];
    const reach = scale * model.get("zoom");
    center[where.across] -= ((where.flipped ? -1 : 1) * across) / (reach * scan.spacing[where.across]);
    center[where.down] += down / (reach * scan.spacing[where.down]);
    set({ center: center.map((c, i) => Math.min(scan.shape[i] - 1, Math.max(0, c))) });
  }
  function play(on) {
    clearInterval(playing);
    playing = 0;
    if (on) {
      playing = setInterval(() => {
        const index = [...model.get("index")];
        const through = PLANES[active].through;
        index[through] = (index[through] + 1) % scan.shape[through];
        moveTo(index);
      }, 1000 / FRAMES_PER_SECOND);
    }
    ui.play.textContent = playing ? "Pause" : "Play";
  }

  // --- picture ---------------------------------------------------------------------------
  function layout() {
    const names = shown();
    const barWidth = scan.overlays.size ? 92 : 0;
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
    scale = Math.min((width - margin) / widest, (height - margin) / tallest); // the same in all planes
    sizes = { width, height, barWidth };
    for (const name of VIEWS.three) ui.plane[name].box.style.display = names.includes(name) ? "" : "none";
    for (const { box } of Object.values(ui.plane)) box.style.gridColumn = inRow > 1 ? "" : "1";
    Object.assign(ui.bar.style, { display: barWidth ? "" : "none", gridColumn: inRow + 1, gridRow: 1 });
    ui.panes.style.gridTemplateColumns = `repeat(${inRow}, ${width}px)${barWidth ? ` ${barWidth}px` : ""}`;
    return true;
  }
  function draw() {
    frame = 0;
    const focused = document.activeElement === ui.plane[active].canvas;
    if (!layout()) return;
    const now = look();
    if (!shown().includes(active)) {
      active = shown()[0]; // its plane was hidden: the keys go on in the one that is seen
      if (focused) ui.plane[active].canvas.focus({ preventScroll: true });
    }
    for (const name of shown()) {
      const { canvas, scroll, count, box } = ui.plane[name];
      const at = now.index[PLANES[name].through];
      const last = scan.shape[PLANES[name].through] - 1;
      drawPlane(sharpen(canvas, sizes), scan, plane(name), now, sizes, scale);
      scroll.max = last;
      scroll.value = at;
      scroll.style.visibility = last ? "" : "hidden";
      count.textContent = last ? `${at + 1} / ${last + 1}` : "";
      box.classList.toggle("clam-active", name === active && shown().length > 1);
    }
    if (sizes.barWidth) {
      const size = { width: sizes.barWidth, height: sizes.height };
      const context = sharpen(ui.bar, size);
      if (now.overlay) drawColorBar(context, now, size);
      else context.clearRect(0, 0, size.width, size.height);
    }
    showControls(now);
    showReadout(now);
    ui.root.dataset.ready = "true";
  }
  function redraw() {
    if (!frame) frame = requestAnimationFrame(draw);
  }
  function showControls(now) {
    const put = (input, value) => {
      if (document.activeElement !== input || input.type !== "number") input.value = value;
    };
    ui.title.textContent = model.get("title");
    put(ui.overlay, now.overlay);
    put(ui.opacity, Math.round(100 * now.opacity));
    put(ui.threshold, Math.round(100 * now.threshold));
    ui.opacityShown.textContent = `${Math.round(100 * now.opacity)} %`;
    ui.thresholdShown.textContent = now.threshold.toFixed(2);
    put(ui.colormap, now.colormap);
    put(ui.window, now.window);
    put(ui.level, now.level);
    put(ui.view, now.view);
    ui.lung.classList.toggle("clam-on", now.preset === "lung");
    ui.mediastinal.classList.toggle("clam-on", now.preset === "mediastinal");
    ui.side.classList.toggle("clam-caution", !now.radiological); // left and right are swapped
    ui.side.textContent = now.radiological ? "Radiological" : "Neurological";
    ui.mapControls.style.display = scan.overlays.size ? "" : "none";
    ui.view.style.display = flat() ? "none" : "";
    ui.play.style.display = flat() ? "none" : "";
  }
  function showReadout(now) {
    const voxel = pointed || now.index;
    const at = offsetOf(scan, voxel);
    const map = scan.overlays.get(now.overlay);
    const cells = [
      ["where", pointed ? "Pointer" : "Crosshair"],
      ["hu", `${signed(scan.hu[at])} HU`],
      ...(map ? [["importance", `importance ${(map[at] / 255).toFixed(2)}`]] : []),
      ["place", place(scan, voxel)],
      ...(flat() ? [] : [["voxel", `voxel ${voxel.join(", ")}`]]),
    ];
    ui.readout.replaceChildren(...cells.map(([name, words]) => tag("span", { "data-read": name, textContent: words })));
  }
  function save() {
    const names = shown();
    const now = look();
    const head = 34;
    const foot = 30;
    const gap = 8;
    const width = names.length * (sizes.width + gap) + sizes.barWidth;
    const canvas = tag("canvas");
    const context = sharpen(canvas, { width, height: sizes.height + head + foot });
    context.fillStyle = "#000";
    context.fillRect(0, 0, width, sizes.height + head + foot);
    names.forEach((name, i) =>
      context.drawImage(ui.plane[name].canvas, i * (sizes.width + gap), head, sizes.width, sizes.height));
    if (sizes.barWidth) {
      context.drawImage(ui.bar, names.length * (sizes.width + gap), head, sizes.barWidth, sizes.height);
    }
    const title = [model.get("title"), now.overlay].filter(Boolean).join(" · ");
    text(context, title, 10, head / 2);
    const side = now.radiological ? "patient right on image left" : "patient right on image right";
    const caption = [place(scan, now.index), `W ${now.window} L ${signed(now.level)}`, side];
    text(context, caption.join(" · "), 10, head + sizes.height + foot / 2, { font: "500 12px system-ui, sans-serif" });
    const stem = title.replace(/[^\p{L}\p{N}]+/gu, "_").replace(/^_|_$/g, "") || "slices";
    tag("a", { href: canvas.toDataURL("image/png"), download: `${stem}.png` }).click();
  }

  // --- hands -----------------------------------------------------------------------------
  function voxelUnder(event, name) {
    const box = ui.plane[name].canvas.getBoundingClientRect();
    const where = plane(name);
    const picture = placement(where, sizes, scale, look());
    const column = Math.floor(((event.clientX - box.left - picture.left) / picture.width) * where.columns);
    const row = Math.floor(((event.clientY - box.top - picture.top) / picture.height) * where.rows);
    const inside = column >= 0 && row >= 0 && column < where.columns && row < where.rows;
    return { inside, voxel: voxelAt(where, model.get("index"), column, row) };
  }
  function handlePane(name) {
    const { canvas, scroll } = ui.plane[name];
    let drag = null;
    let turned = 0; // a touch pad sends many small turns, a mouse wheel one large
    listen(canvas, "wheel", (event) => {
      event.preventDefault();
      play(false);
      active = name;
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
      active = name;
      canvas.focus({ preventScroll: true });
      canvas.setPointerCapture(event.pointerId);
      const windowing = event.button === 2 || event.shiftKey;
      const shifting = event.button === 1 || event.ctrlKey;
      drag = { windowing, shifting, x: event.clientX, y: event.clientY, window: model.get("window"), level: model.get("level") };
      if (!windowing && !shifting && event.button === 0) moveTo(voxelUnder(event, name).voxel);
      redraw();
    });
    listen(canvas, "pointermove", (event) => {
      const under = voxelUnder(event, name);
      if (drag && drag.shifting) {
        shift(name, event.clientX - drag.x, event.clientY - drag.y);
        Object.assign(drag, { x: event.clientX, y: event.clientY });
      } else if (drag && drag.windowing) {
        const pace = Math.max(0.5, drag.window / 300); // HU per screen pixel
        setWindow(drag.window + (event.clientX - drag.x) * pace, drag.level + (event.clientY - drag.y) * pace);
      } else if (drag && event.buttons & 1) moveTo(under.voxel);
      pointed = under.inside ? under.voxel : null;
      redraw();
    });
    const release = () => (drag = null);
    listen(canvas, "pointerup", release);
    listen(canvas, "pointercancel", release);
    listen(canvas, "pointerleave", () => { pointed = null; redraw(); });
    listen(canvas, "dblclick", () => nextView(name));
    listen(canvas, "focus", () => { active = name; redraw(); });
    listen(scroll, "input", () => {
      const index = [...model.get("index")];
      index[PLANES[name].through] = Number(scroll.value);
      active = name;
      moveTo(index);
    });
  }
  function handleKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") ui.keys.hidden = true;
    if (/^(INPUT|SELECT|BUTTON)$/.test(event.target.tagName)) return; // their own keys
    const last = scan.shape[PLANES[active].through];
    const steps = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10, Home: -last, End: last };
    const actions = {
      1: () => preset("lung"),
      2: () => preset("mediastinal"),
      c: nextOverlay,
      o: toggleOverlay,
      v: () => nextView(),
      x: () => set({ crosshair: !model.get("crosshair") }),
      r: () => set({ radiological: !model.get("radiological") }),
      s: save,
      "+": () => zoomTo(1.25 * model.get("zoom")),
      "-": () => zoomTo(model.get("zoom") / 1.25),
      0: () => zoomTo(1),
      "?": () => (ui.keys.hidden = !ui.keys.hidden),
      " ": () => play(!playing),
    };
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (key in steps) {
      play(false);
      step(active, steps[key]);
    } else if (key in actions) actions[key]();
    else return;
    event.preventDefault();
    pointed = null;
  }
  const presses = {
    lung: () => preset("lung"),
    mediastinal: () => preset("mediastinal"),
    side: () => set({ radiological: !model.get("radiological") }),
    play: () => play(!playing),
    save,
    help: () => (ui.keys.hidden = !ui.keys.hidden),
  };

  // --- life ------------------------------------------------------------------------------
  function fillOverlays() {
    const option = (value, textContent) => tag("option", { value, textContent });
    ui.overlay.replaceChildren(...[...scan.overlays.keys()].map((n) => option(n, n)), option("", "none"));
  }
  function reload() {
    scan = readScan(model);
    pointed = null;
    fillOverlays();
    redraw();
  }
  VIEWS.three.forEach(handlePane);
  listen(ui.root, "keydown", handleKey);
  listen(ui.root, "click", (event) => presses[event.target.dataset?.do]?.());
  listen(ui.overlay, "change", () => set({ overlay: ui.overlay.value }));
  listen(ui.opacity, "input", () => set({ opacity: ui.opacity.value / 100 }));
  listen(ui.threshold, "input", () => set({ threshold: ui.threshold.value / 100 }));
  listen(ui.colormap, "change", () => set({ colormap: ui.colormap.value }));
  listen(ui.view, "change", () => set({ view: ui.view.value }));
  for (const input of [ui.window, ui.level]) {
    listen(input, "change", () => setWindow(Number(ui.window.value), Number(ui.level.value)));
  }
  const stateEvents = [...STATE, "title"].map((name) => `change:${name}`).join(" ");
  const scanEvents = SCAN.map((name) => `change:${name}`).join(" ");
  model.on(stateEvents, redraw);
  model.on(scanEvents, reload);
  const listenNoMore = tellWhenLost(model, ui.root);
  const watcher = new ResizeObserver(redraw);
  watcher.observe(ui.panes);
  fillOverlays();
  redraw();
  return () => {
    cleanup.abort();
    watcher.disconnect();
    play(false);
    cancelAnimationFrame(frame);
    if (saving) sendNow();
    model.off(stateEvents, redraw);
    model.off(scanEvents, reload);
    listenNoMore();
    ui.root.remove();
  };
}

export default { render: ({ model, el }) => mountViewer(model, el) };
