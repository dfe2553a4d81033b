// Several viewers under one row of controls: what is done to one is done to all.

const NOT_LINKED = ["overlay", "measures"]; // measures belong to the scan they were drawn on
const LINKED = STATE.filter((name) => !NOT_LINKED.includes(name));

function linkModels(models) {
  for (const model of models) {
    for (const name of LINKED) {
      model.on(`change:${name}`, () => models.forEach((other) => other.set(name, model.get(name))));
    }
  }
}

// A kind of map wherever there is one; a viewer without it stays as it is.
function putOverlay(models, overlay) {
  for (const model of models) {
    if (overlay === "" || model.get("overlay_names").includes(overlay)) model.set("overlay", overlay);
  }
}
