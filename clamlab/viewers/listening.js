// Words where Python does not hear, under controls that cannot say so themselves.

const PATIENCE = 3000; // ms until a silent Python is told of

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
  // Lab would take arrows for its own cells, also those pressed in a list of ours.
  let claim = requestAnimationFrame(function keepKeys() {
    const output = root.closest(".jp-OutputArea-output");
    if (output) output.dataset.lmSuppressShortcuts = "true";
    else claim = requestAnimationFrame(keepKeys);
  });
  const listenNoMore = tellWhenLost(model, root);
  return () => {
    clearTimeout(silence);
    cancelAnimationFrame(claim);
    model.off("msg:custom", hear);
    listenNoMore();
  };
}
export default { render };
