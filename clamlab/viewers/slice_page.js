// What a slice viewer holds: the scan as it came, and the elements on the page.

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
  ["C", "next map"],
  ["O", "map on or off"],
  ["X", "crosshair on or off"],
  ["R", "radiological or neurological side"],
  ["Space", "play"],
  ["S", "save the picture (PNG)"],
  ["?", "this help"],
];

function readScan(model) {
  const shape = model.get("shape");
  const affine = model.get("affine");
  const voxels = shape[0] * shape[1] * shape[2];
  const raw = bytesOf(model.get("volume"));
  const aligned = raw.byteOffset % 2 ? raw.slice() : raw; // int16 must start at an even byte
  const maps = bytesOf(model.get("overlay_volumes"));
  return {
    shape,
    affine,
    units: model.get("units"),
    spacing: [0, 1, 2].map((i) => Math.hypot(affine[i], affine[4 + i], affine[8 + i])),
    hu: new Int16Array(aligned.buffer, aligned.byteOffset, voxels),
    overlays: new Map(
      model.get("overlay_names").map((name, k) => [name, maps.subarray(k * voxels, (k + 1) * voxels)]),
    ),
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

function slider(name, properties) {
  return tag("input", { type: "range", "aria-label": name, ...properties });
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
    window: tag("input", { type: "number", min: 10, max: 4000, step: 50, "aria-label": "Window width (HU)" }),
    level: tag("input", { type: "number", min: -1500, max: 3000, step: 10, "aria-label": "Window level (HU)" }),
    view: tag("select", { "aria-label": "View" },
      tag("option", { value: "three", textContent: "Three planes" }),
      ...VIEWS.three.map((name) => tag("option", { value: name, textContent: PLANES[name].title }))),
    lung: button("Lung", "Lung window (1)", "lung"),
    mediastinal: button("Mediastinal", "Mediastinal window (2)", "mediastinal"),
    side: button("", "Switch the side convention (R)", "side"),
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
  ui.mapControls = tag("div", { className: "clam-group clam-maps" },
    control("Map", ui.overlay), control("Colours", ui.colormap),
    control("Opacity", ui.opacity, ui.opacityShown), control("Threshold", ui.threshold, ui.thresholdShown));
  ui.root = tag("div", { className: "clam-viewer", "data-lm-suppress-shortcuts": "true" },
    tag("div", { className: "clam-bar" }, ui.title,
      tag("div", { className: "clam-group" }, ui.view, ui.side, ui.play, ui.save, ui.help)),
    tag("div", { className: "clam-bar" }, ui.mapControls,
      tag("div", { className: "clam-group" }, ui.lung, ui.mediastinal, control("W", ui.window), control("L", ui.level))),
    ui.panes, ui.readout, ui.keys);
  return ui;
}
