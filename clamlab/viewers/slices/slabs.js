// What a plane shows: one slice, or several of them projected along the plane's own axis.

const SLABS = { off: "one slice", mean: "mean", MIP: "MIP", MinIP: "MinIP" }; // as in slice_state.py

// The slices of a slab: the number nearest to its thickness with as many before as behind the slice
// that is shown; fewer at the border of the scan.
function slabOf(scan, plane, look) {
  const at = look.index[plane.through];
  const spacing = scan.spacing[plane.through];
  const beside = look.slab === "off" ? 0 : Math.max(0, Math.round((look.slab_mm / spacing - 1) / 2));
  const first = Math.max(0, at - beside);
  const last = Math.min(scan.shape[plane.through] - 1, at + beside);
  return { first, last, slices: last - first + 1, mm: (last - first + 1) * spacing };
}

// HU, map and weight of each pixel of a plane, row by row; kept until another slice is shown.
function project(scan, plane, look) {
  const slab = slabOf(scan, plane, look);
  const key = [slab.first, slab.last, look.slab, look.overlay, look.radiological].join();
  const kept = scan.projected[plane.name];
  if (kept?.key === key) return kept;
  const strides = [scan.shape[1] * scan.shape[2], scan.shape[2], 1];
  const offsets = new Int32Array(plane.rows * plane.columns);
  for (let row = 0, pixel = 0; row < plane.rows; row++) {
    for (let column = 0; column < plane.columns; column++, pixel++) {
      offsets[pixel] = rowOf(plane, row) * strides[plane.down] + columnOf(plane, column) * strides[plane.across];
    }
  }
  const starts = Array.from({ length: slab.slices }, (_, i) => (slab.first + i) * strides[plane.through]);
  const map = scan.overlays.get(look.overlay);
  const average = look.slab === "mean" || slab.slices === 1;
  const values = map && (average ? meanOfMap : largestOfMap)(map, offsets, starts);
  const projection = { key, slab, hu: projectHu(scan.hu, offsets, starts, look.slab), ...values };
  scan.projected[plane.name] = projection;
  return projection;
}

function projectHu(hu, offsets, starts, slab) {
  const result = new Float32Array(offsets.length).fill(slab === "MIP" ? -Infinity : slab === "MinIP" ? Infinity : 0);
  for (const start of starts) {
    if (slab === "MIP") {
      for (let p = 0; p < result.length; p++) result[p] = Math.max(result[p], hu[start + offsets[p]]);
    } else if (slab === "MinIP") {
      for (let p = 0; p < result.length; p++) result[p] = Math.min(result[p], hu[start + offsets[p]]);
    } else {
      for (let p = 0; p < result.length; p++) result[p] += hu[start + offsets[p]];
    }
  }
  if (slab === "mean") for (let p = 0; p < result.length; p++) result[p] /= starts.length;
  return result;
}

// A map's mean along the slab, and the mean of its evidence, where it was measured.
function meanOfMap({ values, evidence, step, limit, signed }, offsets, starts) {
  const value = new Float32Array(offsets.length);
  const weight = new Float32Array(offsets.length);
  for (let p = 0; p < offsets.length; p++) {
    let sum = 0;
    let sure = 0;
    let measured = 0;
    for (let i = 0; i < starts.length; i++) {
      const at = starts[i] + offsets[p];
      if (signed && values[at] === UNKNOWN) continue;
      measured += 1;
      sum += values[at];
      if (evidence) sure += evidence[at];
    }
    value[p] = (step * sum) / measured; // NaN where nothing was measured
    weight[p] = !measured ? 0 : evidence ? sure / measured / 255 : Math.min(1, Math.abs(value[p]) / limit);
  }
  return { value, weight };
}

// A map's value furthest from zero along the slab, with the evidence of just that voxel.
function largestOfMap({ values, evidence, step, limit, signed }, offsets, starts) {
  const value = new Float32Array(offsets.length);
  const weight = new Float32Array(offsets.length);
  for (let p = 0; p < offsets.length; p++) {
    let best = -1;
    for (let i = 0; i < starts.length; i++) {
      const at = starts[i] + offsets[p];
      if (signed && values[at] === UNKNOWN) continue;
      if (best < 0 || Math.abs(values[at]) > Math.abs(values[best])) best = at;
    }
    value[p] = best < 0 ? NaN : step * values[best];
    weight[p] = best < 0 ? 0 : evidence ? evidence[best] / 255 : Math.min(1, Math.abs(value[p]) / limit);
  }
  return { value, weight };
}

// The pixels of one plane: grey CT inside the window, colour where the map has a weight.
function planePixels(scan, plane, look) {
  const { hu, value, weight } = project(scan, plane, look);
  const map = scan.overlays.get(look.overlay);
  const fading = fades(map, look);
  const least = look.threshold - 1e-6; // weights are stored in single precision
  const darkest = look.level - look.window / 2;
  const gain = 255 / look.window;
  const image = new ImageData(plane.columns, plane.rows);
  const pixels = image.data;
  for (let p = 0, pixel = 0; p < hu.length; p++, pixel += 4) {
    const grey = Math.min(255, Math.max(0, (hu[p] - darkest) * gain));
    const strength = map ? weight[p] : 0;
    const share = fading ? look.opacity * strength : strength > 0 && strength >= least ? look.opacity : 0;
    const color = share ? 3 * colorOf(map, value[p]) : 0;
    for (let c = 0; c < 3; c++) pixels[pixel + c] = share ? grey + share * (look.table[color + c] - grey) : grey;
    pixels[pixel + 3] = 255;
  }
  return image;
}

// The place of a value among the 256 colours; 0 of a signed map is in the middle.
function colorOf({ signed, limit }, value) {
  if (!signed) return Math.round(255 * value);
  return Math.round(127.5 + 127.5 * Math.min(1, Math.max(-1, value / limit)));
}

// Said on the picture: a projection must not be taken for a slice.
function slabWords(scan, plane, look) {
  if (look.slab === "off" || scan.shape[plane.through] === 1) return [];
  const { slices, mm } = slabOf(scan, plane, look);
  return [`${SLABS[look.slab]} ${Number(mm.toFixed(1))} mm`, slices === 1 ? "1 slice" : `${slices} slices`];
}
