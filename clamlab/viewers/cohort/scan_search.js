// A field for a scan's name: a list of what fits, and nothing chosen before Enter or a click.

const MOST_LISTED = 50;
let searches = 0; // each list has an id of its own on the page

// Rows whose name holds what is typed: equal first, then those that begin so, then the others.
function fitting(lowered, typed) {
  const word = typed.trim().toLowerCase();
  const found = [[], [], []];
  lowered.forEach((name, i) => {
    const at = name.indexOf(word);
    if (at >= 0) found[at > 0 ? 2 : name.trim().length === word.length ? 0 : 1].push(i);
  });
  return found.flat();
}

function mountSearch(model, element) {
  const listId = `clam-scans-${(searches += 1)}`;
  const label = tag("span", { textContent: model.get("label") });
  const field = tag("input", {
    type: "text", role: "combobox", autocomplete: "off", spellcheck: false, "aria-label": `${model.get("label")}: part of its name`,
    "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": listId,
  });
  const list = tag("div", { id: listId, role: "listbox", className: "clam-found", hidden: true, popover: "manual" });
  const told = tag("span", { className: "clam-told", role: "status" });
  const root = tag("div", { className: "clam-viewer clam-search" },
    tag("label", {}, label, field), told, list);
  element.append(root);
  const cleanup = new AbortController();
  const listen = (node, kind, handler) =>
    node.addEventListener(kind, handler, { signal: cleanup.signal, capture: node === window }); // of any box
  let lowered = [];
  let twice = new Set();
  let found = [];
  let active = -1;

  function readNames() {
    const names = model.get("names");
    lowered = names.map((name) => name.toLowerCase());
    const seen = new Set();
    twice = new Set(names.filter((name) => seen.size === seen.add(name).size));
    rest();
  }
  // Back to what is chosen: a half-typed name must not stand beside another scan's picture.
  function rest() {
    field.value = model.get("names")[model.get("value")] ?? "";
    told.textContent = "";
    close();
  }
  function close() {
    show(false);
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  }
  // On top of the page: the boxes in which widgets stand would cut the list off.
  function show(open) {
    if (open) follow();
    list.hidden = !open;
    if (list.matches(":popover-open") !== open) list[open ? "showPopover" : "hidePopover"]();
  }
  function follow() {
    const box = root.getBoundingClientRect();
    list.style.left = `${box.left}px`;
    list.style.top = `${box.bottom}px`;
    list.style.width = `${box.width}px`;
  }
  function open(typed) {
    found = fitting(lowered, typed);
    active = found.length ? 0 : -1;
    const names = model.get("names");
    const options = found.slice(0, MOST_LISTED).map((i, k) => {
      const option = tag("div", { role: "option", id: `${listId}-${k}`, className: "clam-option", textContent: names[i] });
      if (twice.has(names[i])) option.append(tag("small", { textContent: `row ${i + 1}` }));
      option.addEventListener("pointerdown", (event) => { event.preventDefault(); take(i); });
      return option;
    });
    if (found.length > MOST_LISTED) {
      options.push(tag("div", { className: "clam-more", textContent: `and ${found.length - MOST_LISTED} more: type on` }));
    }
    list.replaceChildren(...options);
    told.textContent = found.length ? `${found.length} of ${names.length}` : "no scan has this in its name";
    show(found.length > 0);
    field.setAttribute("aria-expanded", String(!list.hidden));
    mark();
  }
  function mark() {
    [...list.querySelectorAll("[role=option]")].forEach((option, k) => {
      option.setAttribute("aria-selected", String(k === active));
      if (k === active) option.scrollIntoView({ block: "nearest" });
    });
    if (active >= 0) field.setAttribute("aria-activedescendant", `${listId}-${active}`);
    else field.removeAttribute("aria-activedescendant");
  }
  function take(row) {
    model.set("value", row);
    model.save_changes();
    rest();
    field.select();
  }
  listen(window, "scroll", () => list.hidden || follow());
  listen(field, "focus", () => field.select());
  listen(field, "input", () => open(field.value));
  listen(field, "blur", rest);
  listen(field, "keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[event.key];
    if (step) {
      event.preventDefault();
      if (list.hidden) open("");
      else active = Math.min(Math.min(found.length, MOST_LISTED) - 1, Math.max(0, active + step));
      mark();
    } else if (event.key === "Enter") {
      if (!list.hidden && active >= 0) take(found[active]);
    } else if (event.key === "Escape") {
      rest();
      field.select();
    } else return;
    event.stopPropagation();
  });
  model.on("change:names", readNames);
  model.on("change:value", rest);
  const leavePage = joinPage(model, root);
  readNames();
  root.dataset.ready = "true";
  return () => {
    cleanup.abort();
    model.off("change:names", readNames);
    model.off("change:value", rest);
    leavePage();
    root.remove();
  };
}

export default { render: ({ model, el }) => mountSearch(model, el) };
