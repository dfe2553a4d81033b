// Maps over a scan: importance from 0 to 1, or differences with a sign and, perhaps, evidence.

// From less over nothing to more. The middle is the grey of tissue and both ends are bright, so that
// a small difference makes no bright rim; blue and orange are told apart by the colour-blind.
const DIVERGING = "4fc3ff2f8fe04c6fa86b6b70a8744ae08a1effc247";
const UNKNOWN = -32768; // as in packing.py: no value was measured there

function readOverlays(model, voxels) {
  const bytes = bytesOf(model.get("overlay_volumes"));
  const kinds = model.get("overlay_kinds");
  let at = 0;
  const take = () => bytes.subarray(at, (at += voxels));
  return new Map(model.get("overlay_names").map((name, k) => [name, readMap(kinds[k], take)]));
}

// One map: `values` times `step` is what a person reads, `limit` has the strongest colour.
function readMap(kind, take) {
  if (!kind.limit) return { values: take(), step: 1 / 255, limit: 1, digits: 2, signed: false };
  const [low, high] = [take(), take()];
  const values = new Int16Array(low.length);
  for (let i = 0; i < values.length; i++) values[i] = low[i] | (high[i] << 8);
  const finest = Math.max(0, Math.ceil(-Math.log10(kind.step))); // no digit that was not measured
  const digits = Math.min(6, finest, Math.max(0, 2 - Math.floor(Math.log10(kind.limit))));
  return { ...kind, values, digits, signed: true, evidence: kind.evidence ? take() : null };
}

// Whether the opacity grows with what a map says, or is cut off at a threshold.
const fades = (map, look) => look.blending === "fade" || (look.blending === "auto" && Boolean(map?.evidence));

const tableOf = (map, look) => interpolate(map?.signed ? DIVERGING : COLORMAPS[look.colormap]);

function withSign(value, digits) {
  const words = signed(value, digits);
  return value > 0 && Number(value.toFixed(digits)) ? `+${words}` : words.replace(/^−(?=0(\.0*)?$)/, "");
}

// What a map says at a voxel, in words.
function valueWords(map, value) {
  if (!map.signed) return `importance ${value.toFixed(2)}`;
  if (Number.isNaN(value)) return "not measured";
  const beyond = Math.abs(value) >= 32766.5 * map.step ? " or beyond" : "";
  return `${withSign(value, map.digits)} ${map.units}${beyond}`;
}

function voxelWords(map, at) {
  const value = map.signed && map.values[at] === UNKNOWN ? NaN : map.values[at] * map.step;
  const sure = map.evidence && !Number.isNaN(value);
  return (map.signed ? "map " : "") + valueWords(map, value) + (sure ? `   evidence ${(map.evidence[at] / 255).toFixed(2)}` : "");
}

// What the threshold is held against: the evidence where there is some, else the size of the effect.
function thresholdWords(map, look) {
  if (map?.signed && !map.evidence) return `± ${(look.threshold * map.limit).toFixed(map.digits)}`;
  return look.threshold.toFixed(2);
}

// The colours over the grey of tissue, as opaque as the picture has them: strongest effect at the
// ends, strongest evidence at the right. What a threshold leaves out is dimmed.
function drawColors(context, look, map, box) {
  const image = new ImageData(box.width, 256);
  const fading = fades(map, look);
  for (let row = 0, pixel = 0; row < 256; row++) {
    const share = 1 - row / 255;
    const effect = map.signed ? Math.abs(2 * share - 1) : share;
    const color = 3 * Math.round(255 * share);
    for (let column = 0; column < box.width; column++, pixel += 4) {
      const weight = map.evidence ? column / (box.width - 1) : effect;
      const shown = fading ? weight : weight >= look.threshold ? 1 : 0.22;
      for (let c = 0; c < 3; c++) image.data[pixel + c] = 48 + shown * (look.table[color + c] - 48);
      image.data[pixel + 3] = 255;
    }
  }
  scratch.width = box.width;
  scratch.height = 256;
  scratch.getContext("2d").putImageData(image, 0, 0);
  context.drawImage(scratch, box.left, box.top, box.width, box.height);
}

function drawColorBar(context, look, map, size) {
  context.clearRect(0, 0, size.width, size.height);
  const box = { left: 6, top: 26, width: map.evidence ? 28 : 14 };
  box.height = size.height - box.top - (map.evidence ? 34 : 14);
  const small = { font: "500 11px system-ui, sans-serif" };
  const right = box.left + box.width + 7;
  const heightOf = (value) => box.top + (1 - (map.signed ? value / map.limit + 1 : 2 * value) / 2) * (box.height - 1);
  drawColors(context, look, map, box);
  text(context, map.signed ? map.units : "importance", 2, 10, small);
  const cut = fades(map, look) || map.evidence ? null : look.threshold * map.limit;
  const lines = cut === null ? [] : map.signed && cut ? [cut, -cut] : [cut];
  for (const [value, words] of ticksOf(map)) {
    const free = lines.every((line) => Math.abs(heightOf(line) - heightOf(value)) > 14);
    if (free) text(context, words, right, heightOf(value), small);
  }
  context.strokeStyle = "#e6e9ee";
  context.lineWidth = 1;
  context.beginPath();
  for (const value of lines) {
    const words = map.signed ? `${value > 0 ? "≥" : "≤"} ${withSign(value, map.digits)}` : `≥ ${value.toFixed(2)}`;
    text(context, words, right, heightOf(value), small);
    context.moveTo(box.left - 3, heightOf(value));
    context.lineTo(box.left + box.width + 3, heightOf(value));
  }
  if (map.evidence) drawEvidenceScale(context, look, map, box, small);
  context.strokeStyle = "#e6e9ee";
  context.lineWidth = 1;
  context.stroke();
}

function ticksOf(map) {
  if (!map.signed) return [[0, "0"], [0.5, "0.5"], [1, "1"]];
  const words = (value) => withSign(value, map.limit < 10 ? map.digits : 0);
  const { limit, beyond } = map;
  return [
    [limit, `${beyond ? "≥ " : ""}${words(limit)}`], [limit / 2, words(limit / 2)], [0, "0"],
    [-limit / 2, words(-limit / 2)], [-limit, `${beyond ? "≤ " : ""}${words(-limit)}`],
  ];
}

function drawEvidenceScale(context, look, map, box, small) {
  const under = box.top + box.height;
  text(context, "0", box.left, under + 10, { ...small, align: "center" });
  text(context, "1", box.left + box.width, under + 10, { ...small, align: "center" });
  const cut = fades(map, look) ? "" : ` ≥ ${look.threshold.toFixed(2)}`;
  text(context, `evidence${cut}`, 2, under + 24, small);
  if (!cut) return;
  const x = box.left + look.threshold * box.width;
  context.moveTo(x, box.top - 3);
  context.lineTo(x, under + 3);
}
