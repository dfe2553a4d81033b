// Scans as points, without a notebook: colours by choice, and what a loop holds is counted.

const numberWords = (value) => Number(value.toPrecision(4)).toString();
const titled = ({ title, units }) => (units ? `${title} (${units})` : title);

function valueIn({ levels, values }, i) {
  if (values[i] === null) return "no value";
  return levels.length ? levels[values[i]] : numberWords(values[i]);
}

// Of a group, how many have each level; of numbers the middle and the ends.
function countedWords(column, group) {
  const values = group.map((i) => column.values[i]).filter((value) => value !== null);
  const without = group.length - values.length ? `, no value: ${group.length - values.length}` : "";
  if (!values.length) return without.slice(2);
  if (column.levels.length) {
    const counts = column.levels.map((level, k) => [level, values.filter((value) => value === k).length]);
    return counts.map(([level, n]) => `${level}: ${n}`).join(", ") + without;
  }
  const sorted = values.sort((a, b) => a - b);
  const half = sorted.length / 2;
  const middle = (sorted[Math.ceil(half) - 1] + sorted[Math.floor(half)]) / 2;
  return `median ${numberWords(middle)}, from ${numberWords(sorted[0])} to ${numberWords(sorted.at(-1))}${without}`;
}

function mountPoints(points, places, place) {
  const { names, axis_labels, columns } = points;
  const colored = ({ levels, values, ...column }) => ({ levels, column: values, color_label: titled(column) });
  const model = new PageModel({
    components: asView(places), names, axis_labels, axes: [0, 1], ...colored(columns[0]),
    selected: 0, group: [], shown: new DataView(new ArrayBuffer(0)), faint: true, ghosted: false,
    hint: "Click a point; draw a loop to count",
  });
  const color = tag("select", { "aria-label": "Colour of the points" }, ...columns.map((column, k) => tag("option", { value: k, textContent: titled(column) })));
  color.addEventListener("change", () => model.update(colored(columns[Number(color.value)])));
  const picture = tag("div");
  const rows = tag("tbody");
  const head = tag("caption", { role: "status" });
  const beside = tag("div", { className: "clam-told" }, tag("table", { className: "clam-table" }, head, rows));
  const tell = () => {
    const group = model.get("group");
    const one = model.get("selected");
    head.textContent = group.length ? `${group.length} scan${group.length > 1 ? "s" : ""} chosen` : names[one];
    rows.replaceChildren(...columns.map((column) => tag("tr", {}, tag("th", { scope: "row", textContent: titled(column) }),
      tag("td", { textContent: group.length ? countedWords(column, group) : valueIn(column, one) }))));
  };
  model.on("change:group change:selected", tell);
  place.append(tag("div", { className: "clam-choice" }, tag("label", {}, "colour", color)),
    tag("div", { className: "clam-beside" }, picture, beside));
  mountScatter(model, picture);
  tell();
}
