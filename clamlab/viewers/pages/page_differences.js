// HU of a cluster less what it is held against, worked out in the page: any two without a byte more.

const THE_REST = "the rest";
const ALL_SCANS = "Overall";
const lessWords = (other) => `HU less ${{ [ALL_SCANS]: "all scans" }[other] ?? other}`;

// What cluster `name` is held against: a volume, or nothing where it is not known.
function referenceOf(data, name, other) {
  if (other === THE_REST) return data.extras.get(`rest of ${name}`);
  if (other === ALL_SCANS) return data.extras.get(ALL_SCANS);
  return data.scans.find((scan) => scan.name === other)?.hu;
}

// A signed map in steps of 1 HU, as packing.py packs one: low bytes, high bytes, evidence.
function differenceMap(hu, reference, { lung, spread, limit }) {
  const n = hu.length;
  const bytes = new Uint8Array((spread ? 3 : 2) * n);
  let beyond = false;
  for (let i = 0; i < n; i++) {
    const known = lung[i] && reference;
    const value = known ? hu[i] - reference[i] : UNKNOWN;
    if (known && Math.abs(value) > limit) beyond = true;
    bytes[i] = value & 255;
    bytes[n + i] = (value >> 8) & 255;
    if (spread && known && value) bytes[2 * n + i] = Math.round(255 * (spread[i] ? Math.min(1, Math.abs(value) / spread[i]) : 1));
  }
  return { bytes, kind: { limit, step: 1, units: "HU", evidence: Boolean(spread), beyond } };
}

// All that a viewer shows of one cluster, held against `other` or, if that is "", against nothing.
function viewOfCluster(data, place, other) {
  const { name, of, volume, maps, overlay_names, overlay_kinds } = data.scans[place];
  const itself = other === name;
  const missing = overlay_names.length ? "" : " (its map was not computed)";
  const title = `${name} · average of ${of}${missing}${itself ? " · the reference" : ""}`;
  if (!other) return { volume, overlay_volumes: asView(maps), overlay_names, overlay_kinds, title };
  const extras = { lung: data.extras.get("lung"), spread: data.extras.get("spread"), limit: data.limits[other] };
  const reference = itself ? undefined : referenceOf(data, name, other);
  const { bytes, kind } = differenceMap(data.scans[place].hu, reference, extras);
  const both = new Uint8Array(maps.length + bytes.length);
  both.set(maps);
  both.set(bytes, maps.length);
  return {
    volume, title, overlay_volumes: asView(both),
    overlay_names: [...overlay_names, lessWords(other)], overlay_kinds: [...overlay_kinds, kind],
  };
}
