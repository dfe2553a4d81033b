function render({ model, el }) {
  el.className = 'clam-following';
  model.send({ opened: true });
}
export default { render };
