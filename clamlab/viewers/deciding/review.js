// Scans to decide about: one picture, what was found, and a key for each decision.
// Nothing counts as decided before Python has said that it is in the file.

const REVIEW_KEYS = [
  ["A", "accept: it stays, as it is"], ["R", "reject: it is excluded"],
  ["S", "take another series: arrows, then Enter"], ["N", "write a note; Enter ends it"],
  ["↑ ↓", "the scan before, the next"], ["Home End", "first, last scan"],
  ["U", "undo the last decision"], ["F", "full screen"], ["?", "these keys"],
  ["lines", "red: right lung, blue: left, yellow: the template's lungs"],
];
const WORDS = { accept: "accepted", reject: "rejected", series: "series" };
const KEPT = 8; // pictures that the browser holds
const PATIENCE = 2500; // ms until a silent Python is told of

function buildReview() {
  const act = (name, words, title) => tag("button", { type: "button", textContent: words, title, "data-do": name });
  const ui = {
    progress: tag("output", { className: "clam-progress" }),
    title: tag("div", { className: "clam-title" }),
    status: tag("span", { className: "clam-status" }),
    decided: tag("span", { className: "clam-decided" }),
    reasons: tag("ul", { className: "clam-reasons" }),
    picture: tag("img", { alt: "" }),
    empty: tag("div", { className: "clam-empty" }),
    accept: act("accept", "Accept", "It stays, as it is (A)"),
    reject: act("reject", "Reject", "It is excluded (R)"),
    series: tag("select", { "aria-label": "Another series" }),
    note: tag("input", { type: "text", "aria-label": "Note", placeholder: "note (N)", maxLength: 500 }),
    undo: act("undo", "Undo", "Take the last decision back (U)"),
    help: act("help", "?", "Keys (?)"),
    told: tag("div", { className: "clam-told", role: "status" }),
    again: tag("div", { className: "clam-again" }),
    list: tag("div", { className: "clam-list", role: "listbox", "aria-label": "Scans" }),
    keys: tag("div", { className: "clam-keys", hidden: true },
      ...REVIEW_KEYS.flatMap(([key, what]) => [tag("b", { textContent: key }), tag("span", { textContent: what })])),
  };
  const head = tag("div", { className: "clam-bar" },
    tag("div", { className: "clam-title-row" }, ui.title, ui.status, ui.decided), ui.progress, ui.help);
  const hand = tag("div", { className: "clam-bar clam-hand" },
    ui.accept, ui.reject, ui.series, ui.note, ui.undo);
  ui.root = tag("div", { className: "clam-viewer clam-review", tabIndex: 0 },
    head, ui.reasons, tag("div", { className: "clam-picture" }, ui.picture, ui.empty), hand, ui.told, ui.again,
    ui.list, ui.keys);
  return ui;
}

function mountReview(model, element) {
  const ui = buildReview();
  element.append(ui.root);
  const subjects = model.get("subjects");
  const cleanup = new AbortController();
  const listen = (target, kind, handler) => target.addEventListener(kind, handler, { signal: cleanup.signal });
  const pictures = new Map(); // row -> address of its picture; "" where there is none
  const drafts = new Map(); // row -> a note that is not saved yet
  let row = Math.min(model.get("row"), subjects.length - 1);
  let asked = null; // the row whose picture is on its way
  let saving = false;
  let silence = 0;
  let unanswered = false;

  const lines = subjects.map((subject, i) => {
    const line = tag("div", { className: "clam-line", role: "option", "data-row": i, "data-status": subject.status },
      tag("b", { textContent: subject.id }), tag("i", {}), tag("span", { textContent: subject.reason }));
    ui.list.append(line);
    return line;
  });

  // --- pictures: one on its way at a time, so that a key held down does not pile them up ---
  function keep(i, bytes) {
    pictures.set(i, bytes.byteLength ? URL.createObjectURL(new Blob([bytes], { type: "image/png" })) : "");
    for (const old of pictures.keys()) {
      if (pictures.size <= KEPT) break;
      if (old === row) continue;
      URL.revokeObjectURL(pictures.get(old));
      pictures.delete(old);
    }
  }
  function fetchPictures() {
    const next = Math.min(row + 1, subjects.length - 1);
    const wanted = [row, next].find((i) => !pictures.has(i));
    if (asked !== null || wanted === undefined) return;
    asked = wanted;
    send({ do: "picture", row: wanted });
  }
  function showPicture() {
    const address = pictures.get(row);
    if (address) {
      if (ui.picture.src !== address) ui.picture.src = address;
    } else ui.picture.removeAttribute("src"); // never the picture of another scan
    ui.picture.hidden = !address;
    ui.picture.alt = address ? `lungs of ${subjects[row].id}` : "";
    ui.empty.textContent = address ? "" : address === "" ? "There is no picture of this scan." : "…";
    ui.root.dataset.shown = address === undefined ? "" : row;
    if (address === undefined) expectAnswer();
  }

  // --- Python ------------------------------------------------------------------------------
  function send(message) {
    try {
      model.send(message);
    } catch { /* without a kernel there is nobody to send to: its silence is told */ }
  }
  function expectAnswer() {
    clearTimeout(silence);
    silence = setTimeout(() => {
      saving = false;
      asked = null;
      unanswered = true;
      tell("Python does not answer. If a cell is running, wait for it; else run the notebook again. " +
        "What is not shown as decided is not saved.", true);
    }, PATIENCE);
  }
  function hear(message, buffers) {
    clearTimeout(silence);
    if (unanswered) tell("");
    unanswered = false;
    if ("picture" in message) {
      asked = null;
      keep(message.picture, buffers[0]);
      showPicture();
      fetchPictures();
      return;
    }
    saving = false;
    tell(message.refused ?? (message.saved === null ? "There is nothing to undo." : ""), "refused" in message);
    if (Number.isInteger(message.saved)) {
      if (message.note) drafts.set(message.saved, message.note); // undone: the words are still hers
      else drafts.delete(message.saved);
      go(message.next);
    }
  }

  // --- picture and words -------------------------------------------------------------------
  function tell(words, trouble = false) {
    ui.told.textContent = words;
    ui.told.classList.toggle("clam-trouble", trouble);
  }
  function words(known) {
    if (!known) return "";
    return known.decision === "series" ? `series ${known.series_number}` : WORDS[known.decision] ?? known.decision;
  }
  function drawDecisions() {
    const decisions = model.get("decisions");
    const waiting = new Set(model.get("to_decide"));
    const all = subjects.filter((subject, i) => subject.status === "review" || decisions[i]).length;
    ui.progress.textContent = all ? `${all - waiting.size} of ${all} decided` : "nothing to decide";
    lines.forEach((line, i) => {
      line.children[1].textContent = words(decisions[i]);
      line.classList.toggle("clam-done", Boolean(decisions[i]) && !waiting.has(i));
    });
    const changed = model.get("changed");
    ui.again.textContent = changed
      ? `${changed} decision${changed > 1 ? "s" : ""} saved, not in effect yet: run this notebook again` : "";
    drawSubject();
  }
  function drawSubject() {
    const subject = subjects[row];
    const known = model.get("decisions")[row];
    ui.title.textContent = subject.id;
    ui.status.textContent = subject.status;
    ui.status.dataset.status = subject.status;
    ui.decided.textContent = words(known);
    ui.reasons.replaceChildren(...subject.reason.split("; ").filter(Boolean).map((reason) => tag("li", { textContent: reason })));
    ui.accept.disabled = subject.failed;
    ui.accept.classList.toggle("clam-on", known?.decision === "accept");
    ui.reject.classList.toggle("clam-on", known?.decision === "reject");
    const others = subject.others.map((name) => tag("option", { value: name.match(/-?\d+/)?.[0] ?? "", textContent: name }));
    const head = others.length ? "take another series (S)" : "no other series";
    ui.series.replaceChildren(tag("option", { value: "", textContent: head }), ...others);
    ui.series.disabled = !others.length;
    ui.note.value = drafts.get(row) ?? known?.note ?? "";
    ui.list.querySelector(".clam-current")?.classList.remove("clam-current");
    const line = lines[row];
    line.classList.add("clam-current");
    if (line.offsetTop < ui.list.scrollTop) ui.list.scrollTop = line.offsetTop;
    const below = line.offsetTop + line.offsetHeight - ui.list.clientHeight;
    if (below > ui.list.scrollTop) ui.list.scrollTop = below;
  }
  function go(to) {
    row = Math.min(subjects.length - 1, Math.max(0, to));
    drawSubject();
    showPicture();
    fetchPictures();
    model.set("row", row);
    model.save_changes();
  }

  // --- hands -------------------------------------------------------------------------------
  function decide(decision, extra = {}) {
    if (!pictures.has(row)) tell("The picture is not here yet.", true);
    else if (decision === "accept" && subjects[row].failed) tell("It could not be used: there is nothing to accept.", true);
    else change({ do: decision, row, note: ui.note.value, ...extra });
  }
  function change(message) {
    if (saving) return;
    saving = true;
    send(message);
    expectAnswer();
  }
  const undo = () => change({ do: "undo" });
  function full() {
    if (document.fullscreenElement) document.exitFullscreen();
    else ui.root.requestFullscreen?.();
  }
  const presses = {
    accept: () => decide("accept"),
    reject: () => decide("reject"),
    undo,
    help: () => (ui.keys.hidden = !ui.keys.hidden),
  };
  const keys = {
    a: presses.accept,
    r: presses.reject,
    s: () => (ui.series.disabled ? tell("Ingestion found no other series.") : ui.series.focus()),
    n: () => ui.note.focus(),
    u: undo,
    f: full,
    "?": presses.help,
    Escape: () => (ui.keys.hidden = true),
    ArrowDown: () => go(row + 1),
    ArrowRight: () => go(row + 1),
    ArrowUp: () => go(row - 1),
    ArrowLeft: () => go(row - 1),
    Home: () => go(0),
    End: () => go(subjects.length - 1),
  };
  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target === ui.note || event.target === ui.series) {
      if (event.target === ui.series) choosing = true;
      if (event.key === "Enter") (event.target === ui.note ? saveNote : takeSeries)();
      if (event.key === "Escape" && event.target === ui.series) leaveSeries();
      if (["Enter", "Escape"].includes(event.key)) ui.root.focus({ preventScroll: true });
      return;
    }
    const press = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!press) return;
    event.preventDefault();
    if (event.repeat && !event.key.startsWith("Arrow")) return; // a key held down decides once
    press();
  }
  // By keys a list changes at every arrow, also on the way to the series that is meant.
  let choosing = false;
  function takeSeries() {
    choosing = false;
    if (ui.series.value) decide("series", { series_number: ui.series.value });
  }
  function leaveSeries() {
    ui.series.value = "";
    tell("");
  }
  // A note alone changes a decision that stands; else it waits for the decision.
  function saveNote() {
    const known = model.get("decisions")[row];
    if (!known) tell("The note is saved with the decision: A, R or S.");
    else decide(known.decision, { series_number: known.series_number, stay: true });
  }
  listen(ui.root, "keydown", onKey);
  listen(ui.root, "click", (event) => {
    const line = event.target.closest("[data-row]");
    if (line) go(Number(line.dataset.row));
    presses[event.target.dataset?.do]?.();
    if (![ui.note, ui.series].includes(event.target)) ui.root.focus({ preventScroll: true });
  });
  listen(ui.picture, "dblclick", full);
  listen(ui.note, "input", () => drafts.set(row, ui.note.value));
  listen(ui.series, "pointerdown", () => (choosing = false));
  listen(ui.series, "change", () => {
    if (choosing) tell(ui.series.value && `Enter takes series ${ui.series.value}; Esc leaves it.`);
    else {
      takeSeries();
      ui.root.focus({ preventScroll: true });
    }
  });
  const events = "change:decisions change:to_decide change:changed";
  model.on(events, drawDecisions);
  model.on("msg:custom", hear);
  const leavePage = joinPage(model, ui.root);
  if (model.get("picture_row") >= 0) keep(model.get("picture_row"), bytesOf(model.get("picture")));
  if (subjects.length) {
    drawDecisions();
    showPicture();
    fetchPictures();
  }
  return () => {
    cleanup.abort();
    clearTimeout(silence);
    model.off(events, drawDecisions);
    model.off("msg:custom", hear);
    leavePage();
    for (const address of pictures.values()) URL.revokeObjectURL(address);
    ui.root.remove();
  };
}

export default { render: ({ model, el }) => mountReview(model, el) };
