// What can be done to a viewer's state, by mouse, key or button alike. Nothing here draws.

const PRESETS = { lung: [1500, -600], mediastinal: [400, 40] }; // as in slice_state.py
const MAX_ZOOM = 8; // as in slice_state.py
const LIMITS = { // as in slice_state.py
  opacity: [0, 1], threshold: [0, 1], window: [10, 4000], level: [-1500, 3000], slab_mm: [1, 300], speed: [1, 40],
};
const DECIMALS = { opacity: 2, threshold: 2, slab_mm: 2 }; // the others are whole
const presetOf = (window, level) =>
  Object.keys(PRESETS).find((name) => PRESETS[name][0] === window && PRESETS[name][1] === level);

// `here` holds the scan, the plane that keys and play move through, and the screen pixels per mm; `stopped`
// is called where playing is to end by itself.
function makeActions(model, here, stopped) {
  let saving = 0;
  let playing = 0;
  let lastOverlay = "";
  const shape = () => here.scan.shape;
  const flat = () => shape()[2] === 1;
  const plane = (name) => planeOf(here.scan, name, model.get("radiological"));
  const among = (low, value, high) => Math.min(high, Math.max(low, value));

  function set(changes) {
    for (const [name, value] of Object.entries(changes)) model.set(name, value);
    clearTimeout(saving);
    saving = setTimeout(send, 150); // one message when the hand rests
  }
  function send() {
    clearTimeout(saving);
    saving = 0;
    model.save_changes();
  }
  function moveTo(voxel) {
    set({ index: voxel.map((v, i) => Math.min(shape()[i] - 1, Math.max(0, Math.round(v)))) });
  }
  function step(name, slices) {
    const index = [...model.get("index")];
    index[PLANES[name].through] += slices;
    moveTo(index);
  }
  function preset(name) {
    const [window, level] = PRESETS[name];
    set({ window, level });
  }
  function within(name, value) {
    const [least, most] = LIMITS[name];
    return among(least, Number(value.toFixed(DECIMALS[name] ?? 0)), most);
  }
  const put = (name, value) => set({ [name]: within(name, value) });
  const change = (name, by) => put(name, model.get(name) + by);
  function setWindow(window, level) {
    set({ window: within("window", window), level: within("level", level) });
  }
  const nextOf = (name, choices) =>
    set({ [name]: choices[(choices.indexOf(model.get(name)) + 1) % choices.length] });
  function toggleFade() {
    const map = here.scan.overlays.get(model.get("overlay"));
    set({ blending: fades(map, { blending: model.get("blending") }) ? "cut" : "fade" });
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
    const next = among(1, zoom, MAX_ZOOM);
    const middle = shape().map((n) => (n - 1) / 2);
    const center = model.get("center").map((c, i) => held[i] + ((c - held[i]) * old) / next);
    set({ zoom: next, center: next > 1 ? center : middle });
  }
  function shift(name, across, down) {
    const where = plane(name);
    const center = [...model.get("center")];
    const reach = here.scale * model.get("zoom");
    center[where.across] -= ((where.flipped ? -1 : 1) * across) / (reach * here.scan.spacing[where.across]);
    center[where.down] += down / (reach * here.scan.spacing[where.down]);
    set({ center: center.map((c, i) => Math.min(shape()[i] - 1, Math.max(0, c))) });
  }
  function play(on) {
    clearInterval(playing);
    playing = 0;
    if (!on || flat()) return;
    let at = ""; // where this one has moved; the first beat takes over from another that plays
    playing = setInterval(() => {
      const index = [...model.get("index")];
      if (at && index.join() !== at) { // of linked scans another plays, or a hand is there
        stopped();
        return;
      }
      const through = PLANES[here.active].through;
      index[through] = (index[through] + 1) % shape()[through];
      moveTo(index);
      at = index.join();
    }, 1000 / model.get("speed"));
  }
  const keepPace = () => playing && play(true); // the speed changed while it ran
  model.on("change:speed", keepPace);
  function stop() {
    play(false);
    model.off("change:speed", keepPace);
    if (saving) send();
  }
  return {
    set, send, moveTo, step, preset, setWindow, put, change, nextOf, toggleFade, toggleOverlay,
    nextOverlay, nextView, zoomTo, shift, play, stop, flat, plane,
    get playing() { return Boolean(playing); },
  };
}
