// What another number of clusters would have given: sizes, and how surely they come back.

function numberRow({ name, scans, share, comes_back: back }) {
  const bar = tag("i", { style: `width: ${share === null ? 0 : 100 * share}%` });
  return tag("tr", {}, tag("th", { scope: "row", textContent: name }), tag("td", { textContent: scans }),
    tag("td", { className: "clam-bar-cell" }, bar), tag("td", { textContent: back || "–" }));
}

function mountNumbers(numbers, place) {
  const own = numbers.findIndex((told) => told.is_own);
  const slide = tag("input", { type: "range", min: 0, max: numbers.length - 1, step: 1, value: own, "aria-label": "Number of clusters" });
  const shown = tag("output");
  const words = tag("p", { className: "clam-words", role: "status" });
  const rows = tag("tbody");
  const head = ["", "Scans", "", "Comes back"].map((textContent) => tag("th", { scope: "col", textContent }));
  const table = tag("table", { className: "clam-table" }, tag("thead", {}, tag("tr", {}, ...head)), rows);
  const show = () => {
    const told = numbers[Number(slide.value)];
    slide.setAttribute("aria-valuetext", `${told.k} clusters`);
    shown.textContent = `${told.k}`;
    words.textContent = told.words;
    rows.replaceChildren(...told.clusters.map(numberRow));
  };
  slide.addEventListener("input", show);
  place.append(tag("div", { className: "clam-choice" }, tag("label", {}, "Number of clusters", slide, shown)), words, table);
  show();
}
