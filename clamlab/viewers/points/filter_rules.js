// Which scans meet the conditions of a filter: filters.py says the same in Python.

const unpacked = new WeakMap(); // the bytes as they came -> numbers

function columnValues(model, k) {
  const packed = model.get("values");
  if (!unpacked.has(packed)) unpacked.set(packed, new Float64Array(bytesOf(packed).slice().buffer));
  const n = model.get("length");
  return unpacked.get(packed).subarray(k * n, (k + 1) * n);
}

// One byte a scan: 1 where the value meets the condition.
function keptBy(column, values, condition) {
  const kept = new Uint8Array(values.length);
  const missing = condition.missing ?? true ? 1 : 0;
  if (column.kind === "number") {
    const low = condition.low ?? -Infinity;
    const high = condition.high ?? Infinity;
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      kept[i] = value !== value ? missing : value >= low && value <= high;
    }
    return kept;
  }
  const word = (condition.text ?? "").toLowerCase();
  const wanted = condition.levels && new Set(condition.levels);
  const good = column.levels.map((level) => level.toLowerCase().includes(word) && (!wanted || wanted.has(level)));
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    kept[i] = value !== value ? missing : good[value];
  }
  return kept;
}

// By column with a condition, the scans it keeps; and those that all of them keep.
function filtered(model) {
  const conditions = model.get("conditions");
  const shown = new Uint8Array(model.get("length")).fill(1);
  const each = new Map();
  model.get("columns").forEach((column, k) => {
    const condition = conditions[column.name];
    if (!condition) return;
    const kept = keptBy(column, columnValues(model, k), condition);
    for (let i = 0; i < kept.length; i++) shown[i] &= kept[i];
    each.set(column.name, kept);
  });
  return { shown, each };
}

// Round steps for a slider: about two hundred between the least and the greatest value.
function sliderSteps({ low, high, whole }) {
  const rough = (high - low) / 200 || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const nice = [1, 2, 5, 10].find((k) => k * power >= rough * 0.999) * power;
  const step = whole ? Math.max(1, nice) : nice;
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const first = Math.floor(low / step);
  const last = Math.max(first + 1, Math.ceil(high / step));
  return { count: last - first, valueAt: (k) => Number(((first + k) * step).toFixed(digits)),
    placeOf: (value) => Math.min(last - first, Math.max(0, value / step - first)) };
}
