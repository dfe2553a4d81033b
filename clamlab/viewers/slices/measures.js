// Rulers and regions: how long, how dense, and how they look. A measure is
// { kind, plane, ends }: two voxels of one slice, which may lie between the voxels' middles.

const KINDS = { ruler: "Ruler", region: "Region" };
const sliceOf = (measure) => measure.ends[0][PLANES[measure.plane].through];

function lengthOf(scan, { ends: [from, to] }) {
  const [start, end] = [millimetres(scan, from), millimetres(scan, to)];
  return Math.hypot(...start.map((v, i) => end[i] - v));
}

// The true HU in an ellipse: of the voxels of its slice whose middle lies within.
function regionOf(scan, { plane, ends: [from, to] }) {
  const { across, down } = PLANES[plane];
  const middle = from.map((v, i) => (v + to[i]) / 2);
  const radius = from.map((v, i) => Math.abs(to[i] - v) / 2);
  const firstOf = (i) => Math.max(0, Math.ceil(middle[i] - radius[i]));
  const lastOf = (i) => Math.min(scan.shape[i] - 1, Math.floor(middle[i] + radius[i]));
  const found = [];
  const voxel = from.map(Math.round);
  for (voxel[across] = firstOf(across); voxel[across] <= lastOf(across); voxel[across]++) {
    for (voxel[down] = firstOf(down); voxel[down] <= lastOf(down); voxel[down]++) {
      const away = (i) => (radius[i] ? (voxel[i] - middle[i]) / radius[i] : 0);
      if (Math.hypot(away(across), away(down)) <= 1 + 1e-9) found.push(scan.hu[offsetOf(scan, voxel)]);
    }
  }
  const n = found.length;
  const mean = found.reduce((sum, hu) => sum + hu, 0) / n;
  const spread = found.reduce((sum, hu) => sum + (hu - mean) ** 2, 0);
  const sd = n > 1 ? Math.sqrt(spread / (n - 1)) : NaN;
  return { n, mean, sd, min: Math.min(...found), max: Math.max(...found), area: n * pixelArea(scan, across, down) };
}

function pixelArea(scan, across, down) {
  const column = (i) => [scan.affine[i], scan.affine[4 + i], scan.affine[8 + i]];
  const [a, b] = [column(across), column(down)];
  return Math.hypot(a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]);
}

function measureWords(scan, measure) {
  if (measure.kind === "ruler") return [`${lengthOf(scan, measure).toFixed(1)} ${scan.units}`];
  const { n, mean, sd, min, max, area } = regionOf(scan, measure);
  if (!n) return ["no voxel inside"];
  return [
    `mean ${signed(mean, 1)} HU   SD ${n > 1 ? sd.toFixed(1) : "–"}`,
    `min ${signed(min)}   max ${signed(max)} HU`,
    `${n} voxel${n > 1 ? "s" : ""}   ${area.toFixed(area < 100 ? 1 : 0)} ${scan.units}²`,
  ];
}

// The measures of a slice that is shown, each with its number among all.
function measuresOn(measures, name, index) {
  return measures
    .map((measure, number) => ({ measure, number }))
    .filter(({ measure }) => measure.plane === name && sliceOf(measure) === index[PLANES[name].through]);
}

// What a person can take hold of: the ends of a ruler, the corners around a region. Each corner is
// written as the end that gives its place across, and the end that gives its place down.
const CORNERS = { ruler: [[0, 0], [1, 1]], region: [[0, 0], [0, 1], [1, 0], [1, 1]] };

function cornerVoxel(plane, { ends }, [across, down]) {
  const voxel = [...ends[0]];
  voxel[plane.across] = ends[across][plane.across];
  voxel[plane.down] = ends[down][plane.down];
  return voxel;
}

// What lies under the pointer: a corner, the whole of a measure, or nothing.
function measureAt(measures, plane, box, index, { x, y }) {
  const near = 8; // screen pixels
  for (const { measure, number } of measuresOn(measures, plane.name, index).reverse()) {
    for (const corner of CORNERS[measure.kind]) {
      const [cx, cy] = screenOf(plane, box, cornerVoxel(plane, measure, corner));
      if (Math.hypot(x - cx, y - cy) <= near) return { number, corner };
    }
    const [[ax, ay], [bx, by]] = measure.ends.map((end) => screenOf(plane, box, end));
    if (measure.kind === "ruler") {
      const along = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2 || 1);
      const t = Math.min(1, Math.max(0, along));
      if (Math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay)) <= near) return { number };
    } else {
      const away = (v, a, b) => (2 * v - a - b) / (Math.abs(b - a) || 1);
      if (Math.hypot(away(x, ax, bx), away(y, ay, by)) <= 1) return { number };
    }
  }
  return null;
}

function drawMeasures(context, scan, plane, look, { size, scale, chosen }) {
  const box = placement(plane, size, scale, look);
  const here = measuresOn(look.measures, plane.name, look.index);
  for (const { measure, number } of here) {
    const color = number === chosen ? "#ffffff" : "#fff3b0";
    const [a, b] = measure.ends.map((end) => screenOf(plane, box, end));
    for (const [stroke, thickness] of [["rgba(0,0,0,0.75)", 4], [color, 1.6]]) {
      context.strokeStyle = stroke;
      context.lineWidth = thickness;
      context.stroke(measure.kind === "ruler" ? rulerPath(a, b) : ellipsePath(a, b));
    }
    if (number === chosen) {
      context.fillStyle = color;
      for (const corner of CORNERS[measure.kind]) {
        const [x, y] = screenOf(plane, box, cornerVoxel(plane, measure, corner));
        context.fillRect(x - 3, y - 3, 6, 6);
      }
    }
  }
  // Words last, where no other words and, if there is room, no measures are.
  const drawn = here.map(({ measure }) => boxAround(measure.ends.map((end) => screenOf(plane, box, end))));
  const written = bordersOf(scan, plane, look, size);
  for (const [i, { measure, number }] of here.entries()) {
    const ofSlice = measure.kind === "region" && slabWords(scan, plane, look).length > 0;
    const lines = [...measureWords(scan, measure), ...(ofSlice ? ["of this slice, not of the slab"] : [])];
    const color = number === chosen ? "#ffffff" : "#fff3b0";
    written.push(drawMeasureWords(context, lines, drawn[i], { size, drawn, written, color }));
  }
}

function boxAround(points) {
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [left, top] = [Math.min(...xs) - 4, Math.min(...ys) - 4];
  return { left, top, width: Math.max(...xs) + 4 - left, height: Math.max(...ys) + 4 - top };
}

// The area that a box has in common with others.
function shared(a, others) {
  const along = (from, length) => (b) => Math.max(0, Math.min(a[from] + a[length], b[from] + b[length]) - Math.max(a[from], b[from]));
  const [across, down] = [along("left", "width"), along("top", "height")];
  return others.reduce((sum, b) => sum + across(b) * down(b), 0);
}

function rulerPath([ax, ay], [bx, by]) {
  const path = new Path2D();
  const length = Math.hypot(bx - ax, by - ay) || 1;
  const [sideX, sideY] = [(5 * (by - ay)) / length, (-5 * (bx - ax)) / length];
  path.moveTo(ax, ay);
  path.lineTo(bx, by);
  for (const [x, y] of [[ax, ay], [bx, by]]) {
    path.moveTo(x - sideX, y - sideY);
    path.lineTo(x + sideX, y + sideY);
  }
  return path;
}

function ellipsePath([ax, ay], [bx, by]) {
  const path = new Path2D();
  path.ellipse((ax + bx) / 2, (ay + by) / 2, Math.abs(bx - ax) / 2, Math.abs(by - ay) / 2, 0, 0, 2 * Math.PI);
  return path;
}

// Under, over or beside what was measured, never outside the pane: the first place that covers least.
function drawMeasureWords(context, lines, around, { size, drawn, written, color }) {
  const font = "600 12px system-ui, sans-serif";
  context.font = font;
  const width = Math.max(...lines.map((words) => context.measureText(words).width)) + 10;
  const height = 16 * lines.length + 4;
  const middle = around.left + (around.width - width) / 2;
  const places = [
    [middle, around.top + around.height + 4], [middle, around.top - height - 4],
    [around.left + around.width + 6, around.top], [around.left - width - 6, around.top],
  ].map(([x, y]) => ({
    left: Math.max(4, Math.min(size.width - width - 4, x)),
    top: Math.max(4, Math.min(size.height - height - 4, y)),
    width,
    height,
  }));
  const covers = places.map((place) => 100 * shared(place, written) + shared(place, drawn)); // words must be read
  const place = places[covers.indexOf(Math.min(...covers))];
  context.fillStyle = "rgba(10,13,18,0.72)";
  context.fillRect(place.left, place.top, width, height);
  lines.forEach((words, i) => text(context, words, place.left + 5, place.top + 10 + 16 * i, { color, font }));
  return place;
}
