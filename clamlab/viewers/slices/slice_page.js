// What a slice viewer holds: the scan as it came, the elements on the page, and what they say.

const VIEWS = { three: ["axial", "coronal", "sagittal"], axial: ["axial"], coronal: ["coronal"], sagittal: ["sagittal"] };
const HELP = [
  ["Wheel, ↑ ↓ ← →", "previous or next slice"],
  ["Page Up, Page Down", "ten slices"],
  ["Home, End", "first or last slice"],
  ["Click or drag", "move the crosshair"],
  ["Right or Shift drag", "window (↔) and level (↕)"],
  ["Ctrl wheel, +, −, 0", "closer, farther, whole"],
  ["Middle or Ctrl drag", "shift what is close"],
  ["Double click, V", "one plane or all three"],
  ["1, 2", "lung or mediastinal window"],
  ["W, L", "window wider, level higher *"],
  ["C, O", "next map; map on or off"],
  ["F", "fade or cut"],
  ["A, T", "more opacity, threshold *"],
  ["G", "next colours"],
  ["B", "slice, mean, MIP, MinIP"],
  ["D", "thicker slab *"],
  ["M, E", "ruler, region (ellipse)"],
  ["Enter", "begin it at the crosshair"],
  ["Arrows, Shift arrows", "move or size it"],
  ["N, Delete", "next measure; remove it"],
  ["Escape", "leave the measures"],
  ["X", "crosshair on or off"],
  ["R", "radiological or neurological side"],
  ["Space, P", "play, faster *"],
  ["S", "save the picture (PNG)"],
  ["?", "this help"],
  ["* with Shift", "the other way"],
];

function readScan(model) {
  const shape = model.get("shape");
  const affine = model.get("affine");
  const voxels = shape[0] * shape[1] * shape[2];
  const source = model.get("volume");
  const raw = bytesOf(source);
  const aligned = raw.byteOffset % 2 ? raw.slice() : raw; // int16 must start at an even byte
  return {
    source,
    shape,
    affine,
    units: model.get("units"),
    spacing: [0, 1, 2].map((i) => Math.hypot(affine[i], affine[4 + i], affine[8 + i])),
    hu: new Int16Array(aligned.buffer, aligned.byteOffset, voxels),
    overlays: readOverlays(model, voxels),
    projected: {}, // by plane: what was last projected
  };
}

const signed = (value, digits = 0) => value.toFixed(digits).replace("-", "−");

function place(scan, voxel) {
  if (scan.units !== "mm") {
    // A 2-D image is read as its array: row 0 at the top, column 0 at the left.
    return `row ${scan.shape[1] - 1 - voxel[1]}   column ${scan.shape[0] - 1 - voxel[0]}`;
  }
  const mm = millimetres(scan, voxel).map((v, i) => `${ENDS[i][v < 0 ? 0 : 1]} ${Math.abs(v).toFixed(1)}`);
  return `${mm.join("   ")} mm`;
}

function control(words, input, output) {
  return tag("label", {}, tag("span", { textContent: words }), input, ...(output ? [output] : []));
}

function group(...parts) {
  return tag("div", { className: "clam-group" }, ...parts);
}

function slider(name, properties) {
  return tag("input", { type: "range", "aria-label": name, ...properties });
}

function numberBox(name, trait, step) {
  const [min, max] = LIMITS[trait];
  return tag("input", { type: "number", min, max, step, "aria-label": name });
}

function button(words, title, name) {
  return tag("button", { type: "button", textContent: words, title, "data-do": name });
}

// All elements of one viewer.
function buildPage() {
  const ui = {
    title: tag("div", { className: "clam-title" }),
    overlay: tag("select", { "aria-label": "Map" }),
    opacity: slider("Opacity", { min: 0, max: 100, step: 1 }),
    opacityShown: tag("output", {}),
    threshold: slider("Threshold", { min: 0, max: 100, step: 1 }),
    thresholdShown: tag("output", {}),
    colormap: tag("select", { "aria-label": "Colours" },
      ...Object.keys(COLORMAPS).map((name) => tag("option", { value: name, textContent: name }))),
    window: numberBox("Window width (HU)", "window", 50),
    level: numberBox("Window level (HU)", "level", 10),
    view: tag("select", { "aria-label": "View" },
      tag("option", { value: "three", textContent: "Three planes" }),
      ...VIEWS.three.map((name) => tag("option", { value: name, textContent: PLANES[name].title }))),
    lung: button("Lung", "Lung window (1)", "lung"),
    mediastinal: button("Mediastinal", "Mediastinal window (2)", "mediastinal"),
    side: button("", "Switch the side convention (R)", "side"),
    fade: button("Fade", "Opacity grows with what the map says (F)", "fade"),
    cut: button("Cut", "Colour from the threshold on, none below (F)", "cut"),
    slab: tag("select", { "aria-label": "Slab" },
      ...Object.entries(SLABS).map(([value, textContent]) => tag("option", { value, textContent }))),
    slab_mm: numberBox("Slab thickness (mm)", "slab_mm", 5),
    ruler: button("Ruler", "Measure a length in mm (M)", "ruler"),
    region: button("Region", "Measure HU in an ellipse (E)", "region"),
    remove: button("Delete", "Remove the chosen measure (Delete)", "remove"),
    hint: tag("div", { className: "clam-hint", role: "status" }),
    speed: numberBox("Slices per second", "speed", 1),
    play: button("Play", "Play through the slices (space)", "play"),
    save: button("Save PNG", "Save the picture (S)", "save"),
    help: button("?", "Keys (?)", "help"),
    panes: tag("div", { className: "clam-panes" }),
    bar: tag("canvas", { className: "clam-colorbar" }),
    readout: tag("div", { className: "clam-readout", "aria-live": "off" }),
    keys: tag("div", { className: "clam-keys", hidden: true },
      ...HELP.flatMap(([key, what]) => [tag("b", { textContent: key }), tag("span", { textContent: what })])),
    plane: {},
  };
  for (const name of VIEWS.three) {
    const canvas = tag("canvas", { tabIndex: 0, "data-plane": name, "aria-label": `${PLANES[name].title} slice` });
    const scroll = slider(`${PLANES[name].title} slice`, { min: 0, step: 1 });
    const count = tag("output", {});
    const box = tag("div", { className: "clam-pane" },
      tag("div", { className: "clam-pane-head" }, tag("b", { textContent: PLANES[name].title }), count), canvas, scroll);
    ui.plane[name] = { box, canvas, scroll, count };
    ui.panes.append(box);
  }
  ui.panes.append(ui.bar);
  ui.colors = control("Colours", ui.colormap);
  ui.mapControls = tag("div", { className: "clam-group clam-maps" },
    control("Map", ui.overlay), ui.colors, control("Opacity", ui.opacity, ui.opacityShown),
    group(ui.fade, ui.cut), control("Threshold", ui.threshold, ui.thresholdShown));
  ui.cine = group(ui.play, control("per second", ui.speed));
  ui.slabControls = group(control("Slab", ui.slab), ui.millimetres = control("mm", ui.slab_mm));
  ui.root = tag("div", { className: "clam-viewer" },
    tag("div", { className: "clam-bar" }, ui.title, group(ui.view, ui.side, ui.cine, ui.save, ui.help)),
    tag("div", { className: "clam-bar" }, ui.mapControls,
      group(ui.lung, ui.mediastinal, control("W", ui.window), control("L", ui.level))),
    tag("div", { className: "clam-bar clam-tools" }, group(ui.slabControls, ui.ruler, ui.region, ui.remove), ui.hint),
    ui.panes, ui.readout, ui.keys);
  return ui;
}

// Put into the controls what is set.
function showControls(ui, now, scan, title) {
  const put = (input, value) => {
    if (!input.typing) input.value = value;
  };
  const map = scan.overlays.get(now.overlay);
  const fading = fades(map, now);
  const flat = scan.shape[2] === 1;
  ui.title.textContent = title;
  put(ui.overlay, now.overlay);
  put(ui.opacity, Math.round(100 * now.opacity));
  put(ui.threshold, Math.round(100 * now.threshold));
  ui.opacityShown.textContent = `${Math.round(100 * now.opacity)} %`;
  ui.thresholdShown.textContent = fading ? "none" : thresholdWords(map, now);
  ui.threshold.disabled = fading;
  ui.fade.classList.toggle("clam-on", fading);
  ui.cut.classList.toggle("clam-on", !fading);
  put(ui.colormap, now.colormap);
  ui.colors.style.display = map?.signed ? "none" : ""; // two signs have their own two colours
  put(ui.window, now.window);
  put(ui.level, now.level);
  put(ui.view, now.view);
  put(ui.slab, now.slab);
  put(ui.slab_mm, Number(now.slab_mm.toFixed(2)));
  put(ui.speed, now.speed);
  ui.millimetres.style.display = now.slab === "off" ? "none" : "";
  const preset = presetOf(now.window, now.level);
  ui.lung.classList.toggle("clam-on", preset === "lung");
  ui.mediastinal.classList.toggle("clam-on", preset === "mediastinal");
  ui.side.classList.toggle("clam-caution", !now.radiological); // left and right are swapped
  ui.side.textContent = now.radiological ? "Radiological" : "Neurological";
  ui.mapControls.style.display = scan.overlays.size ? "" : "none";
  for (const part of [ui.view, ui.cine, ui.slabControls]) part.style.display = flat ? "none" : "";
}

function showMeasuring(ui, measuring) {
  ui.ruler.classList.toggle("clam-on", measuring.tool === "ruler");
  ui.region.classList.toggle("clam-on", measuring.tool === "region");
  ui.remove.style.display = measuring.chosen < 0 ? "none" : "";
  const words = measuring.hint();
  if (ui.hint.textContent !== words) ui.hint.textContent = ui.hint.title = words;
}

// What lies under the pointer, else under the crosshair: of the slice, and of the slab if there is one.
function showReadout(ui, now, scan, { pointed, plane }) {
  const voxel = pointed || now.index;
  const at = offsetOf(scan, voxel);
  const map = scan.overlays.get(now.overlay);
  const cells = [
    ["where", pointed ? "Pointer" : "Crosshair"],
    ["hu", `${signed(scan.hu[at])} HU`],
    ...(map ? [[map.signed ? "effect" : "importance", voxelWords(map, at)]] : []),
    ["place", place(scan, voxel)],
    ...(scan.shape[2] === 1 ? [] : [["voxel", `voxel ${voxel.join(", ")}`]]),
  ];
  const [slab] = slabWords(scan, plane, now);
  if (slab) {
    const { hu, value } = project(scan, plane, now);
    const pixel = rowOf(plane, voxel[plane.down]) * plane.columns + columnOf(plane, voxel[plane.across]);
    const words = map ? `   ${map.signed ? "map " : ""}${valueWords(map, value[pixel])}` : "";
    cells.push(["slab", `${plane.title} ${slab}: ${signed(Math.round(hu[pixel]))} HU${words}`]);
  }
  ui.readout.replaceChildren(...cells.map(([name, words]) => tag("span", { "data-read": name, textContent: words })));
}
