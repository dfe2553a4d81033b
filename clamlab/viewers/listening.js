// Words where Python does not hear, under controls that cannot say so themselves.

const PATIENCE = 3000; // ms until a silent Python is told of

// A list whose choice was taken back goes on, at an arrow, from what was chosen last: from the last
// row there is no next one, and nothing would happen. So an arrow begins at an end.
function enterList(event) {
  const { target, key } = event;
  const rows = target.size > 1 && target.selectedIndex < 0 ? target.options.length : 0;
  if (!rows || !["ArrowDown", "ArrowUp"].includes(key)) return;
  event.preventDefault();
  target.selectedIndex = key === "ArrowDown" ? 0 : rows - 1;
  target.dispatchEvent(new Event("change", { bubbles: true }));
}

function render({ model, el }) {
  const root = tag("div", { className: "clam-listening", role: "status" });
  el.append(root);
  const silence = setTimeout(() => root.classList.add("clam-unheard"), PATIENCE);
  const hear = () => {
    clearTimeout(silence);
    root.classList.remove("clam-unheard");
  };
  model.on("msg:custom", hear);
  try {
    model.send({ opened: true });
  } catch { /* its silence is told */ }
  const listen = (event) => {
    const { target } = event;
    const isOurs = root.closest(".jp-OutputArea-output")?.contains(target);
    if (!isOurs || !target.matches("select, button, input")) return;
    keepKey(event);
    enterList(event);
  };
  document.addEventListener("keydown", listen, true);
  const leavePage = joinPage(model, root);
  return () => {
    clearTimeout(silence);
    document.removeEventListener("keydown", listen, true);
    model.off("msg:custom", hear);
    leavePage();
  };
}
export default { render };
