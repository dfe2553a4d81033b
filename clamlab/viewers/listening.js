// Words where there is no Python any more, under controls that cannot say so themselves.
function render({ model, el }) {
  const root = tag("div", { className: "clam-listening", role: "status" });
  el.append(root);
  model.send({ opened: true });
  return tellWhenLost(model, root);
}
export default { render };
