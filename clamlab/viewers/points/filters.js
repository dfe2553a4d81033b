// Filters over the columns of a table. The browser works them out; Python only hears of it.

function countAll(model, shown) {
  const n = model.get("length");
  const left = shown.reduce((sum, one) => sum + one, 0);
  return left === n ? `All ${n} scans shown` : `${left} of ${n} scans shown, ${n - left} hidden`;
}

function mountFilters(model, element) {
  const add = tag("select", { "aria-label": "Add a filter" });
  const reset = tag("button", { type: "button", textContent: "No filters" });
  const total = tag("span", { className: "clam-total", role: "status" });
  const told = tag("div", { className: "clam-wrong", role: "alert" });
  const list = tag("div");
  const root = tag("div", { className: "clam-viewer clam-filters" },
    tag("div", { className: "clam-bar" }, total, tag("div", { className: "clam-group" }, add, reset)), list, told);
  element.append(root);
  let rows = new Map();
  let described = null; // the columns for which rows and choices were made

  function set(conditions) {
    model.set("conditions", conditions);
    model.set("told", "");
    model.save_changes();
  }
  const without = (name) => {
    const rest = { ...model.get("conditions") };
    delete rest[name];
    return rest;
  };
  function rowOf(name) {
    const columns = model.get("columns");
    const k = columns.findIndex((column) => column.name === name);
    const condition = () => model.get("conditions")[name] ?? {};
    const change = (part) => {
      const conditions = model.get("conditions");
      // A field that goes while it is being written in tells of a change as its last word.
      if (name in conditions) set({ ...conditions, [name]: { ...condition(), ...part } });
    };
    const remove = () => { set(without(name)); add.focus(); };
    return filterRow(columns[k], columnValues(model, k), { condition, change, remove });
  }
  function rebuild(columns, names) {
    if (columns !== described) rows = new Map();
    described = columns;
    rows = new Map(names.map((name) => [name, rows.get(name) ?? rowOf(name)]));
    list.replaceChildren(...[...rows.values()].map((row) => row.root));
    const left = columns.filter((column) => !rows.has(column.name));
    add.replaceChildren(tag("option", { value: "", textContent: "Add a filter …" }),
      ...left.map(({ name, title }) => tag("option", { value: name, textContent: title })));
    reset.hidden = !names.length;
  }
  function refresh() {
    const columns = model.get("columns");
    const names = Object.keys(model.get("conditions"));
    const same = names.length === rows.size && names.every((name) => rows.has(name));
    if (columns !== described || !same) rebuild(columns, names);
    const { shown, each } = filtered(model);
    each.forEach((kept, name) => rows.get(name).refresh(kept));
    total.textContent = countAll(model, shown);
    told.textContent = model.get("told");
    root.dataset.ready = "true";
  }
  add.addEventListener("change", () => {
    const name = add.value;
    if (!name) return;
    set({ ...model.get("conditions"), [name]: { missing: true } });
    rows.get(name)?.root.querySelector("input")?.focus();
  });
  reset.addEventListener("click", () => { set({}); add.focus(); });
  const events = "change:conditions change:columns change:values change:told";
  model.on(events, refresh);
  const leavePage = joinPage(model, root);
  refresh();
  return () => {
    model.off(events, refresh);
    leavePage();
    root.remove();
  };
}

// Once a model, not once a view: other widgets follow the mask whether or not this one is seen.
function keepMask(model) {
  const work = () => {
    const { shown, each } = filtered(model);
    model.set("mask", new DataView(each.size ? shown.buffer : new ArrayBuffer(0)));
    model.save_changes();
  };
  const events = "change:conditions change:columns change:values";
  model.on(events, work);
  if (Object.keys(model.get("conditions")).length) work();
  return () => model.off(events, work);
}

export default {
  initialize: ({ model }) => keepMask(model),
  render: ({ model, el }) => mountFilters(model, el),
};
