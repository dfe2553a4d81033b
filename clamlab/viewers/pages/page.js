// Starts the viewer of an exported page from the bytes inside it.

async function unpack(traits) {
  const bytes = await unpackBytes();
  const voxels = traits.shape.reduce((product, n) => product * n, 1);
  const parts = traits.scans || [{ length: bytes.length }];
  let start = 0;
  return parts.map((part) => {
    const own = bytes.subarray(start, (start += part.length));
    return { ...part, volume: asView(fromSteps(own, voxels)), overlay_volumes: asView(own.subarray(2 * voxels)) };
  });
}

const frame = document.getElementById("clam-place");
try {
  const traits = readState();
  const scans = await unpack(traits);
  const { volume, overlay_volumes } = scans[0];
  const model = new PageModel({ ...traits, volume, overlay_volumes });
  if (scans.length > 1) frame.before(chooser(new Choice(model, scans)));
  mountViewer(model, frame);
} catch (error) {
  tellFailure(frame, error);
}
