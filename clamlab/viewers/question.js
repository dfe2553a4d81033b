// Take the keyboard to a question that has just been asked: to its line of text, or to the answer
// that leaves all as it is.
function render({ model, el }) {
  let frame = 0;
  const go = (tries) => {
    const parts = [...el.parentElement.querySelectorAll("input, button")].filter((one) => one.offsetParent);
    const first = parts.find((one) => one.tagName === "INPUT") ?? parts.at(-1);
    // It is shown by other messages than the one that is heard here.
    if (first && tries < 58) first.focus();
    else if (tries) frame = requestAnimationFrame(() => go(tries - 1));
  };
  const asked = () => {
    cancelAnimationFrame(frame);
    go(60);
  };
  model.on("change:asked", asked);
  return () => {
    cancelAnimationFrame(frame);
    model.off("change:asked", asked);
  };
}
export default { render };
