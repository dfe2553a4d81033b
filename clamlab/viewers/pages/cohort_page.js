// Starts the page of a cohort: unpacks what it holds, and mounts what is there to be moved.

async function unpackCohort(state) {
  const bytes = await unpackBytes();
  const voxels = state.shape.reduce((product, n) => product * n, 1);
  let at = 0;
  const take = (length) => bytes.subarray(at, (at += length));
  const scans = state.scans.map((scan) => {
    const hu = fromSteps(take(2 * voxels), voxels);
    return { ...scan, hu, volume: asView(hu), maps: take(scan.length) };
  });
  const extras = new Map(state.extras.map((name) => [name, fromSteps(take(2 * voxels), voxels)]));
  return { scans, extras, limits: state.limits, state, places: bytes.slice(at) };
}

const frame = document.getElementById("clam-place");
try {
  const state = readState();
  const data = await unpackCohort(state);
  mountAverages(data, frame);
  const others = document.getElementById("clam-numbers");
  if (state.numbers.length > 1) mountNumbers(state.numbers, others);
  else others.remove();
  if (state.points) mountPoints(state.points, data.places, document.getElementById("clam-points"));
} catch (error) {
  tellFailure(frame, error);
}
