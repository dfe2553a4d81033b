// A button that opens and closes what stands below it; the browser does it, with Python or without.
function render({ model, el }) {
  const button = tag("button", { type: "button" });
  el.classList.add("clam-door");
  el.append(button);
  const show = () => {
    const open = model.get("value");
    button.textContent = `${open ? "▾" : "▸"} ${model.get("words")}`;
    button.setAttribute("aria-expanded", String(open));
    el.dataset.open = open; // the style hides the neighbour of a closed door
  };
  button.addEventListener("click", () => {
    model.set("value", !model.get("value"));
    model.save_changes();
  });
  model.on("change:value change:words", show);
  show();
  return () => model.off("change:value change:words", show);
}
export default { render };
