// Take the keyboard to a question that has just been asked: to its line of text, or to the answer
// that leaves all as it is. Enter in the line answers, Escape leaves all as it is.
function render({ model, el }) {
  let frame = 0;
  const go = (tries) => {
    const parts = [...el.parentElement.querySelectorAll("input, button")].filter((one) => one.offsetParent);
    const first = parts.find((one) => one.tagName === "INPUT") ?? parts.at(-1);
    // It is shown by other messages than the one that is heard here.
    if (first && tries < 58) first.focus();
    else if (tries) frame = requestAnimationFrame(() => go(tries - 1));
  };
  // On the way down, as a field of Lab's lets no key up; Lab would take Escape to its own cell.
  const answer = (event) => {
    const { key, target, isComposing } = event;
    const isEnter = key === "Enter" && target.tagName === "INPUT" && !isComposing;
    if (key !== "Escape" && !isEnter) return;
    event.preventDefault();
    event.stopPropagation();
    const [yes, no] = el.parentElement.querySelectorAll("button");
    target.blur(); // what was typed is sent first
    (isEnter ? yes : no).click();
  };
  const asked = () => {
    cancelAnimationFrame(frame);
    el.parentElement.addEventListener("keydown", answer, true); // once, however often
    go(60);
  };
  model.on("change:asked", asked);
  return () => {
    cancelAnimationFrame(frame);
    el.parentElement?.removeEventListener("keydown", answer, true);
    model.off("change:asked", asked);
  };
}
export default { render };
