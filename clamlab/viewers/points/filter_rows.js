// The controls of one filter. Each gives its condition, as far as it goes, to `change`.

const asWords = (value) => Number(value.toPrecision(5)).toString();

// A slider with two ends and two fields: an end at its stop is no bound at all.
function numberControls(column, { change, condition }) {
  const { count, valueAt, placeOf } = sliderSteps(column);
  const ends = ["low", "high"].map((end) => {
    const words = `${column.title} ${end === "low" ? "from" : "to"}`;
    const slider = tag("input", { type: "range", min: 0, max: count, step: 1, "aria-label": words });
    const field = tag("input", { type: "number", step: "any", placeholder: asWords(column[end]), "aria-label": `${words}, as a number` });
    return { end, slider, field };
  });
  const [from, to] = ends;
  from.slider.addEventListener("input", () => {
    const place = Math.min(Number(from.slider.value), Number(to.slider.value));
    from.slider.value = place;
    change({ low: place === 0 ? null : valueAt(place) });
  });
  to.slider.addEventListener("input", () => {
    const place = Math.max(Number(from.slider.value), Number(to.slider.value));
    to.slider.value = place;
    change({ high: place === count ? null : valueAt(place) });
  });
  for (const { end, field } of ends) {
    takeNumber(field, { take: (value) => change({ [end]: value }), show: () => refresh() });
  }
  const refresh = () => {
    for (const { end, slider, field } of ends) {
      const bound = condition()[end] ?? null;
      slider.value = bound === null ? (end === "low" ? 0 : count) : placeOf(bound);
      slider.setAttribute("aria-valuetext", bound === null ? "no bound" : asWords(bound));
      if (!field.typing) field.value = bound === null ? "" : bound;
    }
  };
  const track = tag("span", { className: "clam-range" }, from.slider, to.slider);
  return { parts: [from.field, track, to.field], refresh };
}

function levelControls(column, { change, condition, counts }) {
  const boxes = column.levels.map((level, k) => {
    const box = tag("input", { type: "checkbox", value: level });
    box.addEventListener("change", () =>
      change({ levels: boxes.filter((each) => each.box.checked).map((each) => each.level) }));
    return { level, box, label: tag("label", {}, box, `${level} (n = ${counts[k]})`) };
  });
  const every = (words, levels) => {
    const button = tag("button", { type: "button", textContent: words, "aria-label": `${column.title}: ${words}` });
    button.addEventListener("click", () => change({ levels }));
    return button;
  };
  const refresh = () => {
    const kept = condition().levels;
    for (const { level, box } of boxes) box.checked = !kept || kept.includes(level);
  };
  const list = tag("span", { className: "clam-boxes" }, ...boxes.map(({ label }) => label));
  const all = boxes.length > 2 ? [every("all", column.levels), every("none", [])] : [];
  return { parts: [list, ...all], refresh };
}

function textControls(column, { change, condition }) {
  const field = tag("input", { type: "text", placeholder: "holds …", spellcheck: false, "aria-label": `${column.title} holds` });
  field.addEventListener("input", () => change({ text: field.value }));
  return { parts: [field], refresh: () => {
    if (document.activeElement !== field) field.value = condition().text ?? "";
  } };
}

// One row: name, controls, the box for scans without a value, what it hides, and its end.
function filterRow(column, values, { change, condition, remove }) {
  const counts = column.levels.map(() => 0);
  let without = 0;
  for (const value of values) {
    if (value !== value) without += 1;
    else if (column.levels.length) counts[value] += 1;
  }
  const make = { number: numberControls, levels: levelControls, text: textControls }[column.kind];
  const { parts, refresh } = make(column, { change, condition, counts });
  const missing = tag("input", { type: "checkbox" });
  missing.addEventListener("change", () => change({ missing: missing.checked }));
  const told = tag("output");
  const close = tag("button", { type: "button", textContent: "×", "aria-label": `Take off the filter on ${column.title}` });
  close.addEventListener("click", remove);
  const units = column.units ? ` (${column.units})` : "";
  const head = tag("div", { className: "clam-filter-head" }, tag("b", { textContent: column.title + units }), told, close);
  const body = tag("div", { className: "clam-group" }, ...parts);
  if (without) body.append(tag("label", {}, missing, `no value (n = ${without})`));
  const root = tag("div", { className: "clam-filter", role: "group", "aria-label": `Filter on ${column.title}` }, head, body);
  return { root, refresh: (kept) => {
    refresh();
    missing.checked = condition().missing ?? true;
    const hidden = kept.reduce((n, one) => n + (one === 0), 0);
    told.textContent = `hides ${hidden}`;
  } };
}
