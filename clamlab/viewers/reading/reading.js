// A reading by keys: the scan in the slice viewer, the scores above it.
// Nothing counts as saved before Python has said that it is in the file.

const READING_PATIENCE = 2500; // ms until a silent Python is told of

function mountReading(model, element) {
  const items = model.get("items");
  const ui = buildReading(items);
  element.append(ui.root);
  const leaveViewer = mountViewer(model, ui.place);
  const cleanup = new AbortController();
  const listen = (target, kind, handler, capture = false) =>
    target.addEventListener(kind, handler, { signal: cleanup.signal, capture });
  const coming = new Map(); // item -> what was sent and not yet answered: {n, value}
  let active = 0;
  let draft = ""; // a number that is being typed
  let moving = false; // another scan is on its way: no key may score it unseen
  let wish = null; // what to do when all is saved
  let warned = false;
  let sent = 0;
  let silence = 0;

  const scored = () => model.get("scored");
  const firstOpen = () => {
    const from = scored().findIndex((value, i) => i >= active && !value);
    return from < 0 ? scored().findIndex((value) => !value) : from;
  };

  // --- Python ------------------------------------------------------------------------------
  function send(message) {
    try {
      model.send(message);
    } catch { /* without a kernel there is nobody to send to: its silence is told */ }
    clearTimeout(silence);
    silence = setTimeout(() => {
      coming.clear();
      moving = false;
      wish = null;
      tell("Python does not answer. If a cell is running, wait for it; else run the notebook again. " +
        "What is not shown as saved is not saved.", true);
      draw();
    }, READING_PATIENCE);
  }
  function hear(message) {
    if (!coming.size || coming.size === 1) clearTimeout(silence);
    for (const [item, { n }] of coming) if (n === message.n) coming.delete(item);
    if ("refused" in message) {
      moving = false;
      wish = null;
      tell(message.refused, true);
    } else if (message.done === "score") tell("");
    else arrive();
    if (!coming.size && wish) {
      const wished = wish;
      wish = null;
      wished();
    }
    draw();
  }
  function arrive() {
    moving = false;
    active = 0;
    draft = "";
    warned = false;
    tell(model.get("n_read") === model.get("n_showings") ? "All scans are read. Thank you." : "");
  }

  // --- scores --------------------------------------------------------------------------------
  function put(item, value) {
    sent += 1;
    coming.set(item, { n: sent, value });
    draft = "";
    warned = false;
    send({ do: "score", position: model.get("position"), item, value, n: sent });
  }
  function keepDraft() {
    if (draft) put(active, draft);
  }
  function turnTo(item) {
    keepDraft();
    active = (item + items.length) % items.length;
    warned = false;
  }
  function digit(key) {
    const { levels } = items[active];
    const level = levels.find((known) => known.key === key);
    if (level) put(active, level.name);
    else if (levels.length) tell(`${items[active].title}: no level has the key ${key}.`, true);
    else if (draft.length < 8) draft += key;
  }
  function point() {
    if (!items[active].levels.length && !draft.includes(".")) draft = `${draft || "0"}.`;
  }
  const unreadable = () => put(active, UNREADABLE);
  function allUnreadable() {
    draft = "";
    scored().forEach((value, i) => {
      if (!value && !coming.has(i)) put(i, UNREADABLE);
    });
  }

  // --- from scan to scan ---------------------------------------------------------------------
  function whenSaved(action) {
    keepDraft();
    if (coming.size) wish = action;
    else action();
  }
  function next() {
    const open = firstOpen();
    if (open >= 0 && !warned) {
      active = open;
      warned = true;
      tell(`${items[open].title} is open: score it, or U. Enter again leaves it open.`);
      return;
    }
    const last = model.get("n_showings") - 1;
    if (model.get("position") < last) move({ do: "go", to: model.get("position") + 1 });
    else if (model.get("n_read") > last) tell("All scans are read. Thank you.");
    else move({ do: "open" }); // back to what was left open
  }
  function previous() {
    const position = model.get("position");
    if (position) move({ do: "go", to: position - 1 });
    else tell("This is the first scan.");
  }
  function move(message) {
    moving = true;
    sent += 1;
    tell("The scan is on its way.");
    model.save_changes(); // a ruler that was just moved is told while its scan is still the one shown
    send({ ...message, n: sent });
  }

  // --- page ----------------------------------------------------------------------------------
  function tell(words, trouble = false) {
    ui.told.textContent = words;
    ui.told.classList.toggle("clam-trouble", trouble);
  }
  function draw() {
    const all = model.get("n_showings");
    ui.number.textContent = `Scan ${model.get("position") + 1} of ${all}`;
    ui.progress.textContent = `${model.get("n_read")} read`;
    ui.reader.textContent = `Reader ${model.get("reader")}`;
    ui.root.dataset.moving = moving;
    ui.items.forEach((item, i) => drawItem(item, {
      value: scored()[i], coming: coming.get(i)?.value, active: i === active, draft: i === active ? draft : "",
    }));
  }

  // --- hands ---------------------------------------------------------------------------------
  let passing = false; // a key that is meant for the viewer, under the name that it has there
  function pass(key) {
    const canvas = [...ui.place.querySelectorAll("canvas[data-plane]")].find((c) => c.offsetParent);
    passing = true;
    canvas?.focus({ preventScroll: true });
    canvas?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    passing = false;
  }
  const steady = { // once, however long the key is held
    Enter: () => whenSaved(next),
    Backspace: () => (draft ? (draft = draft.slice(0, -1)) : whenSaved(previous)),
    u: unreadable,
    U: allUnreadable,
    w: () => pass(presetOf(model.get("window"), model.get("level")) === "lung" ? "2" : "1"),
    z: () => pass("0"),
    "?": () => (ui.keys.hidden = !ui.keys.hidden),
    Escape: () => {
      if (!ui.keys.hidden) ui.keys.hidden = true;
      else document.activeElement.blur();
    },
    ".": point,
    ",": point,
  };
  const turns = { Tab: 1, ArrowRight: 1, ArrowLeft: -1 };
  function onKey(event) {
    if (passing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("select, input[type=number]")) { // their own keys, until Enter
      if (["Enter", "Escape"].includes(event.key)) setTimeout(() => ui.root.focus({ preventScroll: true }));
      return;
    }
    const key = event.key.length === 1 && event.key !== "U" ? event.key.toLowerCase() : event.key;
    const isDigit = /^[0-9]$/.test(key);
    if (isDigit || key in steady || key in turns) {
      event.preventDefault();
      event.stopPropagation();
      if (event.repeat && !(key in turns)) return;
      if (moving && key !== "?" && key !== "Escape") return;
      if (isDigit) digit(key);
      else if (key in turns) turnTo(active + (key === "Tab" && event.shiftKey ? -1 : turns[key]));
      else steady[key]();
      draw();
    } else if (!ui.place.contains(event.target)) { // the slices' keys, wherever the focus is
      event.preventDefault();
      pass(event.key);
    }
  }
  function onClick(event) {
    const box = event.target.closest("[data-item]");
    const chip = event.target.closest("[data-value]");
    if ("keys" in event.target.dataset) steady["?"]();
    if (box && !moving) {
      turnTo(Number(box.dataset.item));
      if (chip) put(active, chip.dataset.value);
    }
    // A button that keeps the focus would take Enter for itself.
    if (event.target.closest("button") || box) ui.root.focus({ preventScroll: true });
    draw();
  }
  listen(ui.root, "keydown", onKey, true);
  listen(ui.root, "click", onClick);
  listen(ui.root, "change", (event) => {
    if (event.target.matches("select")) ui.root.focus({ preventScroll: true });
  });
  for (const [name, key] of [["lung", "W"], ["mediastinal", "W"]]) {
    const press = ui.place.querySelector(`[data-do=${name}]`);
    press.title = press.title.replace(/\(.*\)/, `(${key})`);
  }

  // --- life ----------------------------------------------------------------------------------
  const events = "change:scored change:position change:n_read";
  model.on(events, draw);
  model.on("msg:custom", hear);
  const leavePage = joinPage(model, ui.root);
  active = Math.max(0, firstOpen());
  draw();
  takeKeys(ui.root);
  return () => {
    cleanup.abort();
    clearTimeout(silence);
    model.off(events, draw);
    model.off("msg:custom", hear);
    leavePage();
    leaveViewer();
    ui.root.remove();
  };
}

export default { render: ({ model, el }) => mountReading(model, el) };
