// A page of several scans: a slider goes from one to the next, with its own maps.

const OF_A_SCAN = ["volume", "overlay_volumes", "overlay_names", "overlay_kinds"];

// What `model` shows of the scan at a place of the list; the chosen kind of map stays chosen.
class Choice {
  constructor(model, scans) {
    this.model = model;
    this.scans = scans;
    this.title = model.get("title");
    this.wanted = model.get("overlay");
    model.on("change:overlay", () => { if (!this.turning) this.wanted = model.get("overlay"); });
  }
  show(place) {
    const scan = this.scans[place];
    const names = scan.overlay_names;
    const kept = !this.wanted || names.includes(this.wanted);
    const changes = Object.fromEntries(OF_A_SCAN.map((name) => [name, scan[name]]));
    this.turning = true;
    this.model.update({
      ...changes,
      overlay: kept ? this.wanted : names[0] || "",
      title: [this.title, scan.name].filter(Boolean).join(" · "),
    });
    this.turning = false;
  }
}

function chooser(choice) {
  const last = choice.scans.length - 1;
  const slide = tag("input", { type: "range", min: 0, max: last, step: 1, value: 0, "aria-label": "Show" });
  const names = choice.scans.map((scan, place) =>
    tag("button", { type: "button", textContent: scan.name, "data-place": place }));
  const show = (place) => {
    slide.value = place;
    slide.setAttribute("aria-valuetext", choice.scans[place].name);
    names.forEach((name, i) => name.setAttribute("aria-pressed", String(i === place)));
    choice.show(place);
  };
  slide.addEventListener("input", () => show(Number(slide.value)));
  names.forEach((name, place) => name.addEventListener("click", () => show(place)));
  show(0);
  return tag("div", { className: "clam-choice" }, slide, ...names);
}
