// Starts the viewer of an exported page from the bytes inside it.

class PageModel extends EventTarget {
  constructor(traits) { super(); this.traits = traits; }
  get(name) { return this.traits[name]; }
  set(name, value) {
    this.traits[name] = value;
    this.dispatchEvent(new Event(`change:${name}`));
  }
  update(changes) { // all at once: no reader sees one scan's voxels with another's maps
    Object.assign(this.traits, changes);
    Object.keys(changes).forEach((name) => this.dispatchEvent(new Event(`change:${name}`)));
  }
  on(names, handler) { names.split(" ").forEach((name) => this.addEventListener(name, handler)); }
  off(names, handler) { names.split(" ").forEach((name) => this.removeEventListener(name, handler)); }
  save_changes() {} // nobody listens
}

async function unpack(traits) {
  const letters = atob(document.getElementById("clam-data").textContent);
  const packed = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const voxels = traits.shape.reduce((product, n) => product * n, 1);
  const view = (array) => new DataView(array.buffer, array.byteOffset, array.byteLength);
  const parts = traits.scans || [{ length: bytes.length }];
  let start = 0;
  return parts.map((part) => {
    const own = bytes.subarray(start, (start += part.length));
    // Neighbours differ little: steps from voxel to voxel, low and high bytes apart, pack best.
    const volume = new Int16Array(voxels);
    for (let i = 0, hu = 0; i < voxels; i++) {
      hu += own[i] | (own[voxels + i] << 8);
      volume[i] = hu;
    }
    return { ...part, volume: view(volume), overlay_volumes: view(own.subarray(2 * voxels)) };
  });
}

const frame = document.getElementById("clam-place");
try {
  const traits = JSON.parse(document.getElementById("clam-state").textContent);
  const scans = await unpack(traits);
  const { volume, overlay_volumes } = scans[0];
  const model = new PageModel({ ...traits, volume, overlay_volumes });
  if (scans.length > 1) frame.before(chooser(new Choice(model, scans)));
  mountViewer(model, frame);
} catch (error) {
  frame.style.color = "#e6e9ee";
  frame.textContent = `This page needs a browser of 2023 or later (${error.message}).`;
}
