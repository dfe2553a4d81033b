// The controls above the points: which axes, and what a loop does.

const MODES = [
  ["new", "New", "A loop, a click or a level chooses anew"],
  ["add", "Add", "... adds to the group (or hold Shift)"],
  ["subtract", "Subtract", "... takes away from the group (or hold Alt)"],
];
const SCATTER_KEYS = [
  ["← →", "scan before or after"],
  ["Ctrl ← →", "point at a scan"],
  ["Enter", "choose it"],
  ["Space", "put it in the group, or take it out"],
  ["Ctrl A", "group of all shown"],
  ["I", "the others instead"],
  ["Esc", "no group"],
];

function axisChooser(model, place, name) {
  const chooser = tag("select", { "aria-label": `Axis ${name}` });
  let listed = null;
  const refresh = () => {
    const labels = model.get("axis_labels");
    if (labels !== listed) chooser.replaceChildren(...labels.map((words, k) => tag("option", { value: k, textContent: words })));
    listed = labels;
    chooser.value = model.get("axes")[place];
  };
  chooser.addEventListener("change", () => {
    const axes = [...model.get("axes")];
    const chosen = Number(chooser.value);
    if (axes[1 - place] === chosen) axes[1 - place] = axes[place]; // the two change places
    axes[place] = chosen;
    model.set("axes", axes);
    model.save_changes();
  });
  return { chooser, refresh };
}

function scatterBar(model, { clear, invert }) {
  let standing = "new";
  const modes = MODES.map(([mode, words, title]) => {
    const button = tag("button", { type: "button", textContent: words, title, "data-mode": mode });
    button.addEventListener("click", () => { standing = mode; refresh(); });
    return button;
  });
  const action = (words, title, act) => {
    const button = tag("button", { type: "button", textContent: words, title });
    button.addEventListener("click", act);
    return button;
  };
  const emptied = action("Clear", "No group (Esc)", clear);
  const inverted = action("Invert", "All other shown scans instead (I)", invert);
  const axes = [axisChooser(model, 0, "across"), axisChooser(model, 1, "up")];
  const axesGroup = tag("div", { className: "clam-group clam-axes" }, axes[0].chooser, "×", axes[1].chooser);
  const faint = tag("input", { type: "checkbox" });
  faint.addEventListener("change", () => { model.set("faint", faint.checked); model.save_changes(); });
  const faintLabel = tag("label", {}, faint, "show filtered-out scans faintly");
  const keys = tag("div", { className: "clam-keys", hidden: true },
    ...SCATTER_KEYS.flatMap(([key, words]) => [tag("b", { textContent: key }), tag("span", { textContent: words })]));
  const help = tag("button", { type: "button", textContent: "?", title: "Keys", "aria-expanded": "false" });
  help.addEventListener("click", () => {
    keys.hidden = !keys.hidden;
    help.setAttribute("aria-expanded", String(!keys.hidden));
  });
  const root = tag("div", { className: "clam-bar" },
    axesGroup, tag("div", { className: "clam-group", role: "group", "aria-label": "Group" }, ...modes, emptied, inverted, help));

  function refresh() {
    for (const button of modes) {
      const on = button.dataset.mode === standing;
      button.classList.toggle("clam-on", on);
      button.setAttribute("aria-pressed", String(on));
    }
    axesGroup.hidden = model.get("axis_labels").length < 3;
    axes.forEach((axis) => axis.refresh());
    faint.checked = model.get("faint");
    emptied.disabled = !model.get("group").length;
  }
  refresh();
  return { root, keys, faintLabel, refresh, mode: (event) => modeOf(event, standing) };
}
