// Planes, colours and pixels: what a scan looks like, without any control.
// Loaded in front of the viewers' own files, as one module.

// 33 colours of matplotlib's tables, evenly spaced; those between are interpolated.
const COLORMAPS = {
  inferno:
    "0000040403120b0724150b37210c4a2f0a5b3d09654a0c6b57106e64156e71196e7d1e6d8a226a972766a32c61b0315b" +
    "bc3754c63d4dd04545da4e3ce35933eb6429f1711ff67e14f98c0afb9b06fcaa0ffbba1ff9c932f5d949f2e865f3f586" +
    "fcffa4",
  viridis:
    "440154470d6048186a482374472d7b4537814240863e49893b528b375b8d33638d2f6b8e2c728e297a8e26828e23898e" +
    "21918c1f978b1f9f8821a68527ad8131b57b3dbc744cc26c5cc8636ece5881d34d95d840aadc32c0df25d5e21aeae51a" +
    "fde725",
  cividis:
    "00224e00285b002e6a0533711a386f273e6e32436d3b496c434e6c4b546c535a6d5a5f6e61656f686a716f7073767676" +
    "7d7c788381798b8778928d789a9376a29975aaa073b3a670bbad6dc3b369ccba64d4c15fddc858e6d051efd748f8df3c" +
    "fee838",
};

function colorTable(name) {
  const hex = COLORMAPS[name];
  const anchors = Array.from({ length: hex.length / 2 }, (_, i) => parseInt(hex.substr(2 * i, 2), 16));
  const last = anchors.length / 3 - 1;
  const table = new Uint8ClampedArray(256 * 3);
  for (let value = 0; value < 256; value++) {
    const place = (value / 255) * last;
    const below = Math.min(Math.floor(place), last - 1);
    for (let channel = 0; channel < 3; channel++) {
      const low = anchors[3 * below + channel];
      const high = anchors[3 * below + 3 + channel];
      table[3 * value + channel] = low + (place - below) * (high - low);
    }
  }
  return table;
}

// Voxels are [x, y, z], growing to the patient's Right, Anterior and Superior.
const ENDS = [["L", "R"], ["P", "A"], ["I", "S"]];
const PLANES = {
  axial: { title: "Axial", through: 2, across: 0, down: 1 },
  coronal: { title: "Coronal", through: 1, across: 0, down: 2 },
  sagittal: { title: "Sagittal", through: 0, across: 1, down: 2 },
};

// How one plane of a scan lies on the screen.
function planeOf(scan, name, radiological) {
  const plane = PLANES[name];
  // The viewer stands before the patient (patient's right on the left of the picture), or behind.
  // Sagittal pictures have the front of the patient on the left either way.
  const flipped = plane.across === 1 || radiological;
  const [low, high] = ENDS[plane.across];
  const [bottom, top] = ENDS[plane.down];
  return {
    ...plane,
    name,
    flipped,
    columns: scan.shape[plane.across],
    rows: scan.shape[plane.down],
    width: scan.shape[plane.across] * scan.spacing[plane.across],
    height: scan.shape[plane.down] * scan.spacing[plane.down],
    labels: { left: flipped ? high : low, right: flipped ? low : high, top, bottom },
  };
}

// Column and row of a voxel in the picture, and back. Both are their own inverse along an axis.
const columnOf = (plane, voxel) => (plane.flipped ? plane.columns - 1 - voxel : voxel);
const rowOf = (plane, voxel) => plane.rows - 1 - voxel;

function voxelAt(plane, index, column, row) {
  const voxel = [...index];
  voxel[plane.across] = columnOf(plane, column);
  voxel[plane.down] = rowOf(plane, row);
  return voxel;
}

const offsetOf = (scan, [x, y, z]) => (x * scan.shape[1] + y) * scan.shape[2] + z;

function millimetres(scan, voxel) {
  return [0, 1, 2].map((i) => {
    const row = scan.affine.slice(4 * i, 4 * i + 4);
    return row[0] * voxel[0] + row[1] * voxel[1] + row[2] * voxel[2] + row[3];
  });
}

// The pixels of one plane: grey CT inside the window, colour where the map reaches the threshold.
function planePixels(scan, plane, look) {
  const strides = [scan.shape[1] * scan.shape[2], scan.shape[2], 1];
  const image = new ImageData(plane.columns, plane.rows);
  const pixels = image.data;
  const map = scan.overlays.get(look.overlay);
  const least = Math.max(1, Math.ceil(look.threshold * 255 - 1e-9)); // 0 is never coloured
  const darkest = look.level - look.window / 2;
  const gain = 255 / look.window;
  const start = look.index[plane.through] * strides[plane.through];
  let pixel = 0;
  for (let row = 0; row < plane.rows; row++) {
    const line = start + rowOf(plane, row) * strides[plane.down];
    for (let column = 0; column < plane.columns; column++, pixel += 4) {
      const at = line + columnOf(plane, column) * strides[plane.across];
      const grey = Math.min(255, Math.max(0, (scan.hu[at] - darkest) * gain));
      const value = map ? map[at] : 0;
      const share = value >= least ? look.opacity : 0;
      for (let channel = 0; channel < 3; channel++) {
        const color = share ? look.table[3 * value + channel] : 0;
        pixels[pixel + channel] = grey + share * (color - grey);
      }
      pixels[pixel + 3] = 255;
    }
  }
  return image;
}

// Where the picture of a plane lies in its pane; `scale` is screen pixels per mm of the whole scan.
function placement(plane, size, scale, { zoom, center }) {
  const width = plane.width * scale * zoom;
  const height = plane.height * scale * zoom;
  const across = ((columnOf(plane, center[plane.across]) + 0.5) / plane.columns) * width;
  const down = ((rowOf(plane, center[plane.down]) + 0.5) / plane.rows) * height;
  return { left: begin(size.width, width, across), top: begin(size.height, height, down), width, height };
}

// A picture that fits stands in the middle; a larger one is shifted, but leaves no edge of the pane bare.
function begin(room, length, center) {
  if (length <= room) return (room - length) / 2;
  return Math.min(0, Math.max(room - length, room / 2 - center));
}

function text(context, words, x, y, { color = "#e6e9ee", align = "left", base = "middle", font } = {}) {
  context.font = font || "600 13px system-ui, sans-serif";
  context.textAlign = align;
  context.textBaseline = base;
  context.lineWidth = 3;
  context.strokeStyle = "rgba(0,0,0,0.75)"; // a dark rim keeps the letters legible on bright tissue
  context.strokeText(words, x, y);
  context.fillStyle = color;
  context.fillText(words, x, y);
}

const scratch = document.createElement("canvas");

// One pane: picture, crosshair, letters and scale bar, in `size` screen pixels.
function drawPlane(context, scan, plane, look, size, scale) {
  const box = placement(plane, size, scale, look);
  scratch.width = plane.columns;
  scratch.height = plane.rows;
  scratch.getContext("2d").putImageData(planePixels(scan, plane, look), 0, 0);
  context.fillStyle = "#000";
  context.fillRect(0, 0, size.width, size.height);
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  context.drawImage(scratch, box.left, box.top, box.width, box.height);
  if (look.crosshair) drawCrosshair(context, plane, look.index, box);
  const middle = size.height / 2;
  text(context, plane.labels.left, 12, middle);
  text(context, plane.labels.right, size.width - 12, middle, { align: "right" });
  text(context, plane.labels.top, size.width / 2, 14, { align: "center" });
  text(context, plane.labels.bottom, size.width / 2, size.height - 13, { align: "center" });
  if (scan.units === "mm") drawScaleBar(context, size, scale * look.zoom);
}

function drawCrosshair(context, plane, index, box) {
  const x = box.left + ((columnOf(plane, index[plane.across]) + 0.5) / plane.columns) * box.width;
  const y = box.top + ((rowOf(plane, index[plane.down]) + 0.5) / plane.rows) * box.height;
  const gap = 9; // the voxel itself stays in sight
  context.strokeStyle = "rgba(120,200,235,0.75)";
  context.lineWidth = 1;
  context.beginPath();
  for (const [fromX, fromY, toX, toY] of [
    [box.left, y, x - gap, y],
    [x + gap, y, box.left + box.width, y],
    [x, box.top, x, y - gap],
    [x, y + gap, x, box.top + box.height],
  ]) {
    if (toX < fromX || toY < fromY) continue; // the gap reaches over the border
    context.moveTo(fromX, fromY);
    context.lineTo(toX, toY);
  }
  context.stroke();
}

function drawScaleBar(context, size, scale) {
  const length = [100, 50, 20, 10, 5, 2].find((mm) => mm * scale < size.width / 3) || 1;
  const right = size.width - 12;
  const y = size.height - 12;
  for (const [color, thickness] of [["rgba(0,0,0,0.75)", 4], ["#e6e9ee", 1.5]]) {
    context.strokeStyle = color;
    context.lineWidth = thickness;
    context.beginPath();
    context.moveTo(right - length * scale, y);
    context.lineTo(right, y);
    context.stroke();
  }
  const words = length >= 10 ? `${length / 10} cm` : `${length} mm`;
  text(context, words, right, y - 10, { align: "right", font: "500 11px system-ui, sans-serif" });
}

// The colour bar; the part below the threshold, which the picture leaves out, is dimmed.
function drawColorBar(context, look, size) {
  context.clearRect(0, 0, size.width, size.height);
  const top = 26;
  const height = size.height - top - 14;
  const small = { font: "500 11px system-ui, sans-serif" };
  for (let y = 0; y < height; y++) {
    const share = 1 - y / (height - 1);
    const at = 3 * Math.round(255 * share);
    context.globalAlpha = share < look.threshold ? 0.22 : 1;
    context.fillStyle = `rgb(${look.table[at]},${look.table[at + 1]},${look.table[at + 2]})`;
    context.fillRect(6, top + y, 14, 1);
  }
  context.globalAlpha = 1;
  text(context, "importance", 2, 10, small);
  for (const value of [0, 0.5, 1]) {
    const y = top + (1 - value) * (height - 1);
    if (Math.abs(value - look.threshold) * height > 14) text(context, String(value), 27, y, small);
  }
  const y = top + (1 - look.threshold) * (height - 1);
  context.strokeStyle = "#e6e9ee";
  context.beginPath();
  context.moveTo(3, y);
  context.lineTo(23, y);
  context.stroke();
  text(context, `≥ ${look.threshold.toFixed(2)}`, 27, y, small);
}

// Small tools of the page.
function bytesOf(view) {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function tag(name, properties = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in node && !key.includes("-")) node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}

// Say so when Python no longer hears: what is on the screen still scrolls, but nothing new comes.
function tellWhenLost(model, root) {
  const tell = () => root.classList.add("clam-lost");
  model.on("comm_live_update", tell);
  return () => model.off("comm_live_update", tell);
}

// A canvas as large on the screen as asked, sharp on every screen.
function sharpen(canvas, { width, height }) {
  const ratio = window.devicePixelRatio || 1;
  const pixels = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== pixels[0]) canvas.width = pixels[0];
  if (canvas.height !== pixels[1]) canvas.height = pixels[1];
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}
