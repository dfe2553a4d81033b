// A small table edited by hand. Nothing counts as saved before Python has said so.

const SILENCE = 4000; // ms until a silent Python is told of

function editorField(value, options, label) {
  if (!options) return tag("input", { type: "text", value, "aria-label": label, spellcheck: false });
  // What stands there stays to be chosen, even if the list does not hold it.
  const listed = options.includes(value) ? options : [value, ...options];
  const field = tag("select", { "aria-label": label },
    ...listed.map((option) => tag("option", { value: option, textContent: option || "–" })));
  field.value = value;
  return field;
}

function mountEditor(model, element) {
  const columns = model.get("columns");
  const fixed = new Set(model.get("fixed"));
  const choices = model.get("choices");
  let saved = model.get("rows");
  const fields = []; // by row: what is read from each cell
  const notes = new Map(); // name of a row -> where what is wrong with it stands
  const body = tag("tbody");
  saved.forEach((row) => {
    const own = row.map((value, j) => {
      if (fixed.has(columns[j])) return null;
      return editorField(value, choices[columns[j]], `${row[0]}: ${columns[j].replaceAll("_", " ")}`);
    });
    const cells = row.map((value, j) => (own[j]
      ? tag("td", {}, own[j])
      : tag("td", { className: j ? "clam-long" : "", textContent: value })));
    const note = tag("div", { className: "clam-wrong", role: "alert" });
    cells[0].append(note);
    notes.set(row[0], note);
    fields.push(own);
    body.append(tag("tr", {}, ...cells));
  });
  const heads = columns.map((name) => tag("th", { scope: "col", textContent: name.replaceAll("_", " ") }));
  const button = tag("button", { type: "button", textContent: "Save" });
  const told = tag("span", { role: "status", className: "clam-told" });
  const whole = tag("div", { className: "clam-wrong", role: "alert" });
  notes.set("", whole);
  const root = tag("div", { className: "clam-viewer clam-editor" },
    tag("table", {}, tag("thead", {}, tag("tr", {}, ...heads)), body), whole,
    tag("div", { className: "clam-bar" }, button, told));
  element.append(root);

  const edited = () => saved.map((row, i) => row.map((value, j) => fields[i][j]?.value ?? value));
  const mark = () => {
    let changed = 0;
    fields.forEach((own, i) => own.forEach((field, j) => {
      const differs = Boolean(field) && field.value !== saved[i][j];
      field?.classList.toggle("clam-changed", differs);
      changed += differs;
    }));
    button.disabled = !changed;
    return changed;
  };
  let silence = 0;
  let sent = null;
  const cleanup = new AbortController();
  body.addEventListener("input", () => {
    const changed = mark();
    told.textContent = changed ? `${changed} change${changed > 1 ? "s" : ""} not saved` : "";
  }, { signal: cleanup.signal });
  button.addEventListener("click", () => {
    sent = edited();
    told.textContent = "Saving…";
    const unheard = () => { told.textContent = "Not saved: Python does not answer. Run the notebook again."; };
    silence = setTimeout(unheard, SILENCE);
    try {
      model.send({ rows: sent });
    } catch {
      unheard(); // its kernel is gone
    }
  }, { signal: cleanup.signal });
  const hear = ({ wrong }) => {
    clearTimeout(silence);
    notes.forEach((note, name) => { note.textContent = wrong[name] ?? ""; });
    const faults = Object.keys(wrong);
    whole.textContent = [wrong[""], ...faults.filter((name) => !notes.has(name)).map((name) => `${name}: ${wrong[name]}`)]
      .filter(Boolean).join("; ");
    if (!faults.length) saved = sent;
    mark();
    told.textContent = faults.length
      ? `Not saved: see ${faults.filter(Boolean).join(", ") || "below the table"}`
      : "Saved. Run the cells below.";
  };
  model.on("msg:custom", hear);
  mark();
  const leavePage = joinPage(model, root);
  return () => {
    clearTimeout(silence);
    cleanup.abort();
    model.off("msg:custom", hear);
    leavePage();
  };
}

export default { render: ({ model, el }) => mountEditor(model, el) };
