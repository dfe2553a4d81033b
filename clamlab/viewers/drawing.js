// Colours, letters and the small tools of a page, for every viewer.
// Loaded in front of the viewers' own files, as one module.

// 33 colours of matplotlib's tables, evenly spaced; those between are interpolated.
const COLORMAPS = {
  inferno:
    "0000040403120b0724150b37210c4a2f0a5b3d09654a0c6b57106e64156e71196e7d1e6d8a226a972766a32c61b0315b" +
    "bc3754c63d4dd04545da4e3ce35933eb6429f1711ff67e14f98c0afb9b06fcaa0ffbba1ff9c932f5d949f2e865f3f586" +
    "fcffa4",
  viridis:
    "440154470d6048186a482374472d7b4537814240863e49893b528b375b8d33638d2f6b8e2c728e297a8e26828e23898e" +
    "21918c1f978b1f9f8821a68527ad8131b57b3dbc744cc26c5cc8636ece5881d34d95d840aadc32c0df25d5e21aeae51a" +
    "fde725",
  cividis:
    "00224e00285b002e6a0533711a386f273e6e32436d3b496c434e6c4b546c535a6d5a5f6e61656f686a716f7073767676" +
    "7d7c788381798b8778928d789a9376a29975aaa073b3a670bbad6dc3b369ccba64d4c15fddc858e6d051efd748f8df3c" +
    "fee838",
};

const colorTable = (name) => interpolate(COLORMAPS[name]);

// 256 colours between evenly spaced ones.
function interpolate(hex) {
  const anchors = Array.from({ length: hex.length / 2 }, (_, i) => parseInt(hex.substr(2 * i, 2), 16));
  const last = anchors.length / 3 - 1;
  const table = new Uint8ClampedArray(256 * 3);
  for (let value = 0; value < 256; value++) {
    const place = (value / 255) * last;
    const below = Math.min(Math.floor(place), last - 1);
    for (let channel = 0; channel < 3; channel++) {
      const low = anchors[3 * below + channel];
      const high = anchors[3 * below + 3 + channel];
      table[3 * value + channel] = low + (place - below) * (high - low);
    }
  }
  return table;
}

function text(context, words, x, y, { color = "#e6e9ee", align = "left", base = "middle", font } = {}) {
  context.font = font || "600 13px system-ui, sans-serif";
  context.textAlign = align;
  context.textBaseline = base;
  context.lineWidth = 3;
  context.strokeStyle = "rgba(0,0,0,0.75)"; // a dark rim keeps the letters legible on bright tissue
  context.strokeText(words, x, y);
  context.fillStyle = color;
  context.fillText(words, x, y);
}

// Small tools of the page.
function bytesOf(view) {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function tag(name, properties = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in node && !key.includes("-")) node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}

// What every viewer does in a notebook's page: it keeps plain keys for itself, and says so when Python
// no longer hears. What is on the screen still scrolls then, but nothing new comes. The
// function it returns ends both.
function joinPage(model, root) {
  const tell = () => root.classList.add("clam-lost");
  const manager = model.widget_manager;
  const kernel = manager?.kernel;
  // JupyterLab lets widgets go when a person restarts the kernel, and not when it dies or is shut
  // down: plain controls around this one would be pressed in silence.
  const letGo = () => {
    if (root.classList.contains("clam-lost")) return; // another one has told them all
    manager.disconnect?.();
    tell();
  };
  const listen = (_, status) => /^(autorestarting|dead|terminating)$/.test(status) && letGo();
  model.on("comm_live_update", tell);
  kernel?.statusChanged?.connect(listen);
  kernel?.disposed?.connect(letGo);
  root.addEventListener("keydown", keepKey, true);
  root.addEventListener("beforeinput", keepEnter, true);
  return () => {
    model.off("comm_live_update", tell);
    kernel?.statusChanged?.disconnect(listen);
    kernel?.disposed?.disconnect(letGo);
  };
}

// Lab would take plain keys for its own cells: arrows from a list, and "dd" on a button. It looks at
// the control that has the focus, and at none above it.
function keepKey({ target, ctrlKey, metaKey }) {
  target.toggleAttribute("data-lm-suppress-shortcuts", !ctrlKey && !metaKey);
}

// Lab holds Enter in a field for a line break in one of its cells, and prevents it at the field itself: the
// browser then tells of no change, and what was typed waits for the field to be left.
function keepEnter(event) {
  if (event.inputType === "insertLineBreak") event.stopPropagation();
}

// A browser in English swallows the comma in a box for a number: "7,5" would be 75.
function pointForComma(event) {
  if (!event.data?.includes(",")) return;
  event.preventDefault();
  document.execCommand("insertText", false, event.data.replaceAll(",", "."));
}

// What is typed into a box for a number counts once it is confirmed, by Enter or on leaving: `take` is given
// it, null for an empty box, and nothing that could not be read. Then `show` puts into the box what holds,
// also where nothing came of it; it leaves a box alone only while a person is typing there. In a box for
// whole numbers a comma stands between thousands.
function takeNumber(input, { take, show, signal, whole = false }) {
  const rest = () => { input.typing = false; show(); };
  const confirm = () => {
    if (!input.validity.badInput) take(input.value === "" ? null : Number(input.value));
    rest();
  };
  if (!whole) input.addEventListener("beforeinput", pointForComma, { signal });
  input.addEventListener("input", () => (input.typing = true), { signal });
  input.addEventListener("change", confirm, { signal });
  input.addEventListener("blur", rest, { signal });
}

// A canvas as large on the screen as asked, sharp on every screen.
function sharpen(canvas, { width, height }) {
  const ratio = window.devicePixelRatio || 1;
  const pixels = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== pixels[0]) canvas.width = pixels[0];
  if (canvas.height !== pixels[1]) canvas.height = pixels[1];
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}
