// Each cluster's average beneath its own map: one after the other, held against another, or all.

function optionsAgainst({ scans, limits, extras }) {
  const words = { [THE_REST]: "the rest of the scans", [ALL_SCANS]: "the average of all scans" };
  const options = [THE_REST, ALL_SCANS, ...scans.map((scan) => scan.name)].filter((other) => other in limits);
  return [["", "nothing"], ...options.map((other) => [other, words[other] ?? other])];
}

// What the colours of the chosen map are, in a line.
function colorWords({ overlay, against, name, lacking, hasSpread }) {
  if (overlay === "") return "Grey: average HU.";
  if (overlay !== lessWords(against)) {
    return "Dark to yellow: on which parts of the lung the assignment to this cluster depends, from 0 to 1. Importance is not abnormality.";
  }
  if (against === name) return `${name} cannot be held against itself: choose another cluster.`;
  const whom = { [THE_REST]: "all scans in other clusters, each counted alike", [ALL_SCANS]: "all scans, its own among them" };
  const unknown = lacking.length ? ` Of ${lacking.join(", ")} that is not known: no difference.` : "";
  const faint = hasSpread ? " Full colour where that is one SD between scans of a cluster or more, fainter below." : "";
  return `Orange: denser than ${whom[against] ?? against}; blue: less dense, in HU.${faint}${unknown}`;
}

function averagesControls(data) {
  const last = data.scans.length - 1;
  const ui = {
    slide: tag("input", { type: "range", min: 0, max: last, step: 1, value: 0, "aria-label": "Cluster" }),
    names: data.scans.map(({ name, of }) => tag("button", { type: "button", title: `average of ${of}`, textContent: name })),
    against: tag("select", { "aria-label": "against" }, ...optionsAgainst(data).map(([value, textContent]) => tag("option", { value, textContent }))),
    all: tag("button", { type: "button", textContent: "Side by side", title: "All clusters; scroll one and all move", "aria-pressed": "false" }),
    words: tag("p", { className: "clam-words", role: "status" }),
  };
  const one = tag("div", { className: "clam-row", role: "group", "aria-label": "Cluster" }, ui.slide, ...ui.names);
  const other = tag("div", { className: "clam-row" }, tag("label", {}, "against", ui.against), ui.all);
  ui.root = tag("div", { className: "clam-choice" }, ...(last ? [one, other] : []));
  return ui;
}

function mountAverages(data, place) {
  const ui = averagesControls(data);
  const model = new PageModel({ ...data.state, ...viewOfCluster(data, 0, "") });
  const lead = tag("div");
  const grid = tag("div", { className: "clam-grid", hidden: true });
  const frame = tag("div", {}, lead, grid);
  place.append(ui.root, ui.words, frame);
  let [chosen, against, wanted] = [0, "", model.get("overlay")];
  let turning = false;
  let pictures = [];
  let viewBefore = model.get("view");

  const together = () => !grid.hidden;
  function turn(one, at) {
    const view = viewOfCluster(data, at, against);
    const kept = wanted === "" || view.overlay_names.includes(wanted);
    one.update({ ...view, overlay: kept ? wanted : view.overlay_names[0] ?? "" });
  }
  function show() {
    turning = true;
    turn(model, chosen);
    pictures.forEach((picture, at) => turn(picture, at));
    turning = false;
    say();
  }
  function say() {
    const name = together() ? null : data.scans[chosen].name;
    const lacking = data.scans.map((scan) => scan.name).filter((each) => against && !referenceOf(data, each, against));
    const hasSpread = data.extras.has("spread");
    ui.words.textContent = colorWords({ overlay: model.get("overlay"), against, name, lacking, hasSpread });
    ui.slide.value = chosen;
    ui.slide.setAttribute("aria-valuetext", data.scans[chosen].name);
    ui.slide.disabled = together();
    ui.names.forEach((name, at) => {
      name.setAttribute("aria-pressed", String(at === chosen && !together()));
      name.disabled = together();
    });
    ui.all.setAttribute("aria-pressed", String(together()));
  }
  function choose(at) {
    chosen = at;
    show();
  }
  function follow(one) {
    one.on("change:overlay", () => {
      if (turning) return;
      wanted = one.get("overlay");
      putOverlay([model, ...pictures], wanted);
      say();
    });
  }
  function openPictures() {
    const now = Object.fromEntries(LINKED.map((name) => [name, model.get(name)]));
    pictures = data.scans.map((_, at) => new PageModel({ ...data.state, ...now, ...viewOfCluster(data, at, against) }));
    pictures.forEach((picture) => {
      follow(picture);
      const box = tag("div", { className: "clam-picture" });
      grid.append(box);
      mountViewer(picture, box);
    });
    linkModels([model, ...pictures]);
  }
  function arrange() {
    if (!pictures.length) openPictures();
    grid.hidden = !grid.hidden;
    frame.classList.toggle("clam-together", together());
    if (together()) {
      viewBefore = model.get("view");
      if (viewBefore === "three") model.set("view", "axial"); // three of each would be a long page
    } else model.set("view", viewBefore);
    show();
  }

  ui.slide.addEventListener("input", () => choose(Number(ui.slide.value)));
  ui.names.forEach((name, at) => name.addEventListener("click", () => choose(at)));
  ui.against.addEventListener("change", () => {
    against = ui.against.value;
    wanted = against ? lessWords(against) : data.scans[0].overlay_names[0] ?? "";
    show();
  });
  ui.all.addEventListener("click", arrange);
  follow(model);
  mountViewer(model, lead);
  show();
}
