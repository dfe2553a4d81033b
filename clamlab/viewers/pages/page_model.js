// What stands in for the notebook in a page: the values of its viewers, and the bytes inside it.

class PageModel extends EventTarget {
  constructor(traits) { super(); this.traits = traits; this.measured = new Map(); }
  get(name) { return this.traits[name]; }
  set(name, value) {
    if (this.traits[name] === value) return; // models that follow one another come to rest
    this.traits[name] = value;
    this.dispatchEvent(new Event(`change:${name}`));
  }
  update(changes) { // all at once: no reader sees one scan's voxels with another's maps or rulers
    const all = changes.volume ? { ...changes, measures: this.measuresOn(changes.volume) } : changes;
    Object.assign(this.traits, all);
    Object.keys(all).forEach((name) => this.dispatchEvent(new Event(`change:${name}`)));
  }
  measuresOn(volume) { // rulers and regions go with the scan they were drawn on, and come back with it
    this.measured.set(this.get("volume"), this.get("measures"));
    return this.measured.get(volume) ?? [];
  }
  on(names, handler) { names.split(" ").forEach((name) => this.addEventListener(name, handler)); }
  off(names, handler) { names.split(" ").forEach((name) => this.removeEventListener(name, handler)); }
  save_changes() {} // nobody listens
}

const readState = () => JSON.parse(document.getElementById("clam-state").textContent);

async function unpackBytes() {
  const letters = atob(document.getElementById("clam-data").textContent);
  const packed = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Neighbours differ little: steps from voxel to voxel, low and high bytes apart, pack best.
function fromSteps(bytes, voxels) {
  const volume = new Int16Array(voxels);
  for (let i = 0, hu = 0; i < voxels; i++) {
    hu += bytes[i] | (bytes[voxels + i] << 8);
    volume[i] = hu;
  }
  return volume;
}

const asView = (array) => new DataView(array.buffer, array.byteOffset, array.byteLength);

function tellFailure(place, error) {
  place.style.color = "#e6e9ee";
  place.textContent = `This page needs a browser of 2023 or later (${error.message}).`;
}
