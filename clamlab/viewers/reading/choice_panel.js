// The question above two pictures. Keys 1 and 2 answer it wherever the focus is among them.

const CHOICE_PATIENCE = 2500; // ms until a silent Python is told of

function mountChoice(model, element) {
  const ui = {
    number: tag("div", { className: "clam-title", role: "status" }),
    reader: tag("span", { className: "clam-progress" }),
    question: tag("div", { className: "clam-question" }),
    told: tag("div", { className: "clam-told", role: "status" }),
  };
  const root = tag("div", { className: "clam-viewer clam-reading clam-choice-panel", tabIndex: 0 },
    tag("div", { className: "clam-bar" }, ui.number, ui.reader), ui.question, ui.told);
  element.append(root);
  const cleanup = new AbortController();
  let waiting = false; // until the next trial is shown: no key may answer it unseen
  let silence = 0;

  function tell(words, trouble = false) {
    ui.told.textContent = words;
    ui.told.classList.toggle("clam-trouble", trouble);
  }
  function draw() {
    const [done, all, result] = [model.get("position"), model.get("n_trials"), model.get("result")];
    ui.number.textContent = result.length ? `All ${all} are answered` : `Trial ${done + 1} of ${all}`;
    ui.reader.textContent = `Reader ${model.get("reader")}`;
    const lines = [...(result.length ? result : [model.get("question")]), model.get("left_out")].filter(Boolean);
    ui.question.replaceChildren(...lines.map((textContent) => tag("div", { textContent })));
    root.dataset.waiting = waiting;
  }
  function choose(side) {
    if (waiting || model.get("result").length) return;
    waiting = true;
    root.focus({ preventScroll: true }); // the next trial may close the picture that has the focus
    try {
      model.send({ position: model.get("position"), side });
    } catch { /* its silence is told */ }
    silence = setTimeout(() => {
      waiting = false;
      tell("Python does not answer. If a cell is running, wait for it; else run the notebook again. " +
        "The answer is not saved.", true);
      draw();
    }, CHOICE_PATIENCE);
    draw();
  }
  function hear(message) {
    clearTimeout(silence);
    waiting = false;
    tell(message.refused ?? (model.get("result").length ? "" : "Saved. 1 or 2?"), "refused" in message);
    draw();
  }
  // In front of the viewers' own keys, in which 1 and 2 are windows.
  function onKey(event) {
    const here = element.closest(".clam-choice") ?? element;
    if (!here.contains(event.target) || event.target.matches("select, input[type=number]")) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (["1", "2"].includes(event.key)) {
      event.preventDefault();
      event.stopPropagation();
      if (!event.repeat) choose(Number(event.key));
    } else if (event.target === root && /^(Arrow|Page|Home|End)|^[+-]$/.test(event.key)) {
      event.preventDefault();
      const canvas = [...here.querySelectorAll("canvas[data-plane]")].find((c) => c.offsetParent);
      canvas?.focus({ preventScroll: true });
      canvas?.dispatchEvent(new KeyboardEvent("keydown", { key: event.key, bubbles: true }));
    }
  }
  document.addEventListener("keydown", onKey, { capture: true, signal: cleanup.signal });
  const events = "change:position change:n_trials change:question change:result change:left_out";
  model.on(events, draw);
  model.on("msg:custom", hear);
  const leavePage = joinPage(model, root);
  tell("Press 1 or 2. The wheel and the arrows go through the slices of both.");
  draw();
  takeKeys(root);
  return () => {
    cleanup.abort();
    clearTimeout(silence);
    model.off(events, draw);
    model.off("msg:custom", hear);
    leavePage();
    root.remove();
  };
}

export default { render: ({ model, el }) => mountChoice(model, el) };
