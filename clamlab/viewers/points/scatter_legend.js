// What the colours of the points mean, and how many points each has.

const SHADES = 64;

function rampColor(share) {
  const table = rampColor.table ?? (rampColor.table = colorTable("viridis"));
  const at = 3 * Math.round(255 * (0.15 + 0.85 * share)); // the darkest would drown in the ground
  return `rgb(${table[at]},${table[at + 1]},${table[at + 2]})`;
}

// How the column that colours the points is drawn: `kind[i]` is the place of point i in `drawers`.
function coloring(model, radius) {
  const values = model.get("column");
  const levels = model.get("levels");
  const look = levels.length ? levelColoring(values, levels, radius) : rampColoring(values, radius);
  look.say = (i) => {
    if (values[i] === null || values[i] === undefined) return "no value";
    return levels.length ? levels[values[i]] : inWords(values[i]);
  };
  return look;
}

function levelColoring(values, levels, radius) {
  const own = Math.min(levels.length, OWN_MARKS);
  const drawers = Array.from({ length: own }, (_, k) => (context, x, y) => drawMark(context, k, x, y, radius));
  drawers.push((context, x, y) => drawMark(context, OTHER_LEVELS, x, y, radius));
  drawers.push((context, x, y) => drawMark(context, null, x, y, radius));
  const kind = new Uint16Array(values.length);
  const members = Array.from({ length: own + 2 }, () => []);
  values.forEach((value, i) => {
    kind[i] = value === null ? own + 1 : Math.min(value, own);
    members[kind[i]].push(i);
  });
  const entries = levels.slice(0, own).map((name, k) => ({ name, place: k }));
  const more = levels.length - own;
  if (more) entries.push({ name: `${more} more level${more > 1 ? "s" : ""}, drawn alike`, place: own });
  if (members[own + 1].length) entries.push({ name: "no value", place: own + 1 });
  return { kind, drawers, entries: entries.map((entry) => ({ ...entry, members: members[entry.place] })) };
}

function rampColoring(values, radius) {
  let low = Infinity;
  let high = -Infinity;
  const missing = [];
  values.forEach((value, i) => {
    if (value === null) { missing.push(i); return; }
    low = Math.min(low, value);
    high = Math.max(high, value);
  });
  const share = (value) => (high > low ? (value - low) / (high - low) : 0.5);
  const kind = Uint16Array.from(values, (value) => (value === null ? SHADES : Math.round(share(value) * (SHADES - 1))));
  const drawers = Array.from({ length: SHADES }, (_, k) => (context, x, y) => {
    tracePoints(context, null, x, y, radius);
    context.fillStyle = rampColor(k / (SHADES - 1));
    context.fill();
  });
  drawers.push((context, x, y) => drawMark(context, null, x, y, radius));
  const entries = missing.length ? [{ name: "no value", place: SHADES, members: missing }] : [];
  return { kind, drawers, entries, low, high };
}

const inWords = (value) => Number(value.toPrecision(4)).toString();

// Draw the legend, and return what counts anew; pressing a level gives its points to `take`.
function makeLegend(legend, look, { label, take }) {
  const parts = [tag("b", { textContent: label })];
  if (look.low !== undefined && look.low <= look.high) {
    const steps = [0, 0.25, 0.5, 0.75, 1].map(rampColor).join(", ");
    const bar = tag("i", { style: `background: linear-gradient(90deg, ${steps})` });
    parts.push(tag("span", {}, inWords(look.low), bar, inWords(look.high)));
  }
  const levels = look.entries.map(({ place, members }) => {
    const words = tag("span");
    const level = tag("button", { type: "button", title: "Choose these scans (Shift adds, Alt takes away)" },
      swatch((context, x, y) => look.drawers[place](context, x, y)), words);
    level.addEventListener("click", (event) => take(members, event));
    parts.push(level);
    return words;
  });
  legend.replaceChildren(...parts);
  return (shown) => look.entries.forEach(({ name, members }, k) => {
    const left = shown && members.reduce((n, i) => n + (shown[i] === 1), 0);
    levels[k].textContent = `${name} (${shown ? `${left} of ${members.length} shown` : `n = ${members.length}`})`;
  });
}
