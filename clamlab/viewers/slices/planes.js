// How the planes of a scan lie on the screen, and what is drawn there.

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

// Where the middle of a voxel lies on the screen, and back; `box` is the picture's place in the pane.
function screenOf(plane, box, voxel) {
  return [
    box.left + ((columnOf(plane, voxel[plane.across]) + 0.5) / plane.columns) * box.width,
    box.top + ((rowOf(plane, voxel[plane.down]) + 0.5) / plane.rows) * box.height,
  ];
}
function voxelOn(plane, box, index, x, y) {
  const column = ((x - box.left) / box.width) * plane.columns - 0.5;
  return voxelAt(plane, index, column, ((y - box.top) / box.height) * plane.rows - 0.5);
}

const offsetOf = (scan, [x, y, z]) => (x * scan.shape[1] + y) * scan.shape[2] + z;

function millimetres(scan, voxel) {
  return [0, 1, 2].map((i) => {
    const row = scan.affine.slice(4 * i, 4 * i + 4);
    return row[0] * voxel[0] + row[1] * voxel[1] + row[2] * voxel[2] + row[3];
  });
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

const scratch = document.createElement("canvas");

// Where words stand at the border of a pane, in screen pixels: what is written later leaves them free.
function bordersOf(scan, plane, look, { width, height }) {
  const letter = (x, y) => ({ left: x - 9, top: y - 9, width: 18, height: 18 });
  return [
    letter(17, height / 2), letter(width - 17, height / 2), letter(width / 2, 14), letter(width / 2, height - 13),
    ...(scan.units === "mm" ? [{ left: width - 60, top: height - 30, width: 52, height: 24 }] : []),
    ...(slabWords(scan, plane, look).length ? [{ left: 8, top: height - 38, width: 104, height: 36 }] : []),
  ];
}

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
  slabWords(scan, plane, look).forEach((words, line) =>
    text(context, words, 12, size.height - 28 + 16 * line, { color: "#f6d79a", font: "600 12px system-ui, sans-serif" }));
  if (scan.units === "mm") drawScaleBar(context, size, scale * look.zoom);
}

function drawCrosshair(context, plane, index, box) {
  const [x, y] = screenOf(plane, box, index);
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
