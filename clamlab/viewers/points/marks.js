// The marks of levels: each has a shape and a colour of its own, so that neither is needed alone.

// The first twelve are told apart in normal and red-green-blind sight on black (least CIEDE2000
// distance of two: 13); the first six have the hues of the figures (Okabe and Ito).
const MARK_COLORS = [
  "#ca592c", "#517cf1", "#199b6d", "#d673a3", "#f38f05", "#88e4e6",
  "#ffffaa", "#aa3344", "#aaff11", "#2255cc", "#88cc99", "#55bbff",
];
const NO_VALUE = "#6b7482"; // in the table
const FILTERED_OUT = "#454c57";
const cross = (arm, reach) => [
  [-reach, -arm], [-arm, -arm], [-arm, -reach], [arm, -reach], [arm, -arm], [reach, -arm],
  [reach, arm], [arm, arm], [arm, reach], [-arm, reach], [-arm, arm], [-reach, arm],
];
const turned = (points) => points.map(([x, y]) => [(x - y) * Math.SQRT1_2, (x + y) * Math.SQRT1_2]);
const star = Array.from({ length: 10 }, (_, i) => {
  const reach = i % 2 ? 0.55 : 1.45;
  return [reach * Math.sin((i * Math.PI) / 5), -reach * Math.cos((i * Math.PI) / 5)];
});
// Corners around a mark's middle, for a mark of radius 1. The first is a disc.
const OUTLINES = [
  null,
  [[-1, -1], [1, -1], [1, 1], [-1, 1]],
  [[0, -1.25], [1.2, 0.95], [-1.2, 0.95]],
  [[0, -1.4], [1.4, 0], [0, 1.4], [-1.4, 0]],
  [[0, 1.25], [1.2, -0.95], [-1.2, -0.95]],
  cross(0.4, 1.35),
  turned(cross(0.36, 1.45)),
  star,
  [[-1.15, -1.3], [1.15, -1.3], [-1.15, 1.3], [1.15, 1.3]],
  [[-0.5, -1.5], [0.5, -1.5], [0.5, 1.5], [-0.5, 1.5]],
  [[-0.95, -1.3], [1.3, 0], [-0.95, 1.3]],
  [[-1.3, -1.15], [1.3, 1.15], [1.3, -1.15], [-1.3, 1.15]],
];
const DASH = [[-1.2, -0.4], [1.2, -0.4], [1.2, 0.4], [-1.2, 0.4]];
const OWN_MARKS = 2 * OUTLINES.length; // full ones, then hollow ones; further levels share one
const OTHER_LEVELS = OWN_MARKS;

const markColor = (k) => (k >= OWN_MARKS ? "#9aa4b2" : MARK_COLORS[(k < 12 ? k : k + 5) % 12]);

function tracePoints(context, outline, x, y, r) {
  context.beginPath();
  if (!outline) context.arc(x, y, r, 0, 2 * Math.PI);
  else outline.forEach(([dx, dy], i) => context[i ? "lineTo" : "moveTo"](x + dx * r, y + dy * r));
  context.closePath();
}

// The mark of level `k`; null is a value that is missing.
function drawMark(context, k, x, y, r) {
  if (k === null) {
    tracePoints(context, DASH, x, y, r);
    context.fillStyle = NO_VALUE;
    context.fill();
    return;
  }
  const hollow = k >= OUTLINES.length && k < OWN_MARKS;
  tracePoints(context, OUTLINES[k < OWN_MARKS ? k % OUTLINES.length : 0], x, y, k < OWN_MARKS ? r : 0.45 * r);
  context.fillStyle = hollow ? "#000" : markColor(k);
  context.fill();
  if (!hollow) return;
  context.strokeStyle = markColor(k);
  context.lineWidth = 1.5;
  context.stroke();
}

function swatch(draw) {
  const mark = tag("canvas", { "aria-hidden": "true" });
  draw(sharpen(mark, { width: 14, height: 14 }), 7, 7);
  return mark;
}
