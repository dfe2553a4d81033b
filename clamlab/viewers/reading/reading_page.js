// What a reading shows beside the scan: its number, the scores, and the keys.

const READING_KEYS = [
  ["0 to 9", "score the framed item"], ["Tab, → ←", "next item, the one before"],
  ["Enter", "next open item; none open: next scan"], ["Backspace", "the scan before"],
  ["U", "this item cannot be read"], ["Shift U", "nothing that is open can be read"],
  ["Wheel, ↑ ↓", "previous or next slice"], ["Page Up, Page Down", "ten slices"],
  ["W", "lung or mediastinal window"], ["+, −, Z", "closer, farther, whole"],
  ["V", "one plane or all three"], ["Click or drag", "move the crosshair"],
  ["Esc", "leave the keys of this reading"], ["?", "these keys"],
];
const UNREADABLE = "unreadable"; // as in stats/readers/scores.py

function buildItem(item, i) {
  const chip = (key, name, value) =>
    tag("button", { type: "button", tabIndex: -1, "data-value": value, "aria-pressed": "false" },
      tag("kbd", { textContent: key }), ...(name === key ? [] : [tag("span", { textContent: name })]));
  const ui = {
    value: tag("output", { className: "clam-value" }),
    typed: tag("output", { className: "clam-typed", hidden: Boolean(item.levels.length) }),
    levels: tag("div", { className: "clam-levels", role: "group", "aria-label": item.title },
      ...item.levels.map(({ key, name }) => chip(key, name, name)), chip("U", UNREADABLE, UNREADABLE)),
  };
  const about = [item.about, item.range].filter(Boolean).join(" · "); // what it is, and what may be typed
  ui.box = tag("div", { className: "clam-item", "data-item": i },
    tag("div", { className: "clam-item-head" }, tag("b", { textContent: item.title }), ui.value),
    tag("div", { className: "clam-row" }, ui.typed, ui.levels),
    tag("div", { className: "clam-about", textContent: about }));
  return ui;
}

function buildReading(items) {
  const ui = {
    number: tag("div", { className: "clam-title", role: "status" }),
    progress: tag("output", { className: "clam-progress" }),
    reader: tag("span", { className: "clam-progress" }),
    help: tag("button", { type: "button", textContent: "Keys ?", title: "Keys (?)", "data-keys": "" }),
    items: items.map(buildItem),
    told: tag("div", { className: "clam-told", role: "status" }),
    place: tag("div", { className: "clam-scan" }),
    keys: tag("div", { className: "clam-keys", hidden: true },
      ...READING_KEYS.flatMap(([key, what]) => [tag("b", { textContent: key }), tag("span", { textContent: what })])),
  };
  ui.root = tag("div", { className: "clam-viewer clam-reading", tabIndex: 0 },
    tag("div", { className: "clam-bar" }, ui.number, ui.progress, ui.reader, ui.help),
    tag("div", { className: "clam-items" }, ...ui.items.map((item) => item.box)),
    ui.told, ui.place, ui.keys);
  return ui;
}

// What stands on an item: the saved value, or the one that is on its way and not yet saved.
function drawItem(ui, { value, coming, draft, active }) {
  const shown = coming ?? value;
  ui.box.classList.toggle("clam-current", active);
  ui.box.classList.toggle("clam-open", !value);
  ui.value.textContent = coming === undefined ? (value ? "saved" : "open") : "…";
  ui.typed.textContent = draft || (shown === UNREADABLE ? "" : shown) || (active ? "type" : "–");
  ui.typed.classList.toggle("clam-draft", Boolean(draft));
  for (const chip of ui.levels.children) {
    const on = !draft && chip.dataset.value === shown;
    chip.setAttribute("aria-pressed", String(on));
    chip.classList.toggle("clam-on", on && coming === undefined);
    chip.classList.toggle("clam-coming", on && coming !== undefined);
  }
}
