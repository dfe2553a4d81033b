"""Widgets on a plain page: the browser's side of each, with a small stand-in for the kernel's."""

import base64
import json

MODEL = """
class Model {
  constructor(state) { this.state = state; this.heard = {}; this.saved = []; this.changed = {}; }
  get(name) { return this.state[name]; }
  set(name, value) {
    if (this.state[name] === value) return;
    this.state[name] = value;
    this.changed[name] = value;
    for (const act of this.heard[`change:${name}`] ?? []) act();
  }
  save_changes() { this.saved.push(this.changed); this.changed = {}; }
  on(names, act) { for (const name of names.split(" ")) (this.heard[name] ??= []).push(act); }
  off(names, act) {
    for (const name of names.split(" ")) {
      this.heard[name] = (this.heard[name] ?? []).filter((each) => each !== act);
    }
  }
  send() {}
}
window.models = {};
window.sources = {};
async function open_widget(name, esm, css, state, buffers) {
  for (const [key, text] of Object.entries(buffers)) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    state[key] = new DataView(bytes.buffer);
  }
  const address = URL.createObjectURL(new Blob([esm], {type: "text/javascript"}));
  const widget = (await import(address)).default;
  document.head.append(Object.assign(document.createElement("style"), {textContent: css}));
  const element = document.createElement("div");
  document.getElementById("widgets").append(element);
  const model = window.models[name] = new Model(state);
  await widget.initialize?.({model});
  await widget.render({model, el: element});
}
// As ipywidgets.jsdlink does it.
window.link = (from, source, to, target) => {
  const pass = () => {
    models[to].set(target, models[from].get(source));
    models[to].save_changes();
  };
  models[from].on(`change:${source}`, pass);
};
"""
PAGE = f"""<!doctype html><meta charset="utf-8"><style>body {{ margin: 8px; }}</style>
<div id="widgets" style="width: WIDTHpx"></div>
<script>{MODEL}</script>"""


def show_widgets(page, width=520, **widgets):
    """Show widgets by name, one below the other; `models[name]` in the page is what they hold."""
    address = "http://127.0.0.1/widgets"  # answered here; a page that browsers trust with digests
    body = PAGE.replace("WIDTH", str(width))
    page.route(address, lambda route: route.fulfill(body=body, content_type="text/html"))
    page.goto(address)
    for name, widget in widgets.items():
        state = {key: getattr(widget, key) for key in widget.traits(sync=True)}
        buffers = {
            key: base64.b64encode(value).decode()
            for key, value in state.items()
            if isinstance(value, bytes)
        }
        plain = {
            key: value
            for key, value in state.items()
            if not key.startswith("_") and key not in buffers and is_json(value)
        }
        page.evaluate(
            "([name, esm, css, state, buffers]) => open_widget(name, esm, css, state, buffers)",
            [name, str(widget._esm), str(widget._css), plain, buffers],
        )


def is_json(value):
    """Say whether a value travels as JSON: layouts and the like do not."""
    try:
        json.dumps(value)
    except TypeError:
        return False
    return True


def held(page, name, trait):
    """Return what a widget holds in the browser."""
    return page.evaluate(f"() => models[{name!r}].get({trait!r})")


def settle(page):
    """Wait until what was asked for is drawn."""
    page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )
