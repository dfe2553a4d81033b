// Drawing, moving and removing measures, by mouse and by keys. A tool is taken up and left again;
// without one, the mouse moves the crosshair as ever.

const HINTS = {
  armed: (kind) => `${KINDS[kind]}: drag on a picture, or Enter to begin at the crosshair · Escape leaves`,
  chosen: (kind) => `${KINDS[kind]}: arrows move, Shift arrows size, Delete removes, Escape leaves`,
};

function makeMeasuring({ model, set, moveTo, send, here, plane, pictureOf }) {
  let tool = "";
  let chosen = -1;
  let drag = null;

  const all = () => model.get("measures");
  // The chosen one, where it is seen: keys never change what is not on the screen.
  function current() {
    const measure = all()[chosen];
    if (!measure || measure.plane !== here.active) return null;
    return sliceOf(measure) === model.get("index")[PLANES[measure.plane].through] ? measure : null;
  }
  const put = (measures) => set({ measures });
  const replace = (ends) => put(all().map((m, i) => (i === chosen ? { ...m, ends } : m)));

  function add(measure) {
    chosen = all().length;
    put([...all(), measure]);
  }
  function remove() {
    if (!current()) return;
    put(all().filter((_, i) => i !== chosen));
    chosen = -1;
    send();
  }
  function leave() {
    tool = "";
    chosen = -1;
    drag = null;
  }
  function use(kind) {
    const again = tool === kind;
    leave();
    if (!again) tool = kind;
  }
  // Every measure in turn; the planes go to its slice.
  function next() {
    if (!all().length) return null;
    chosen = (chosen + 1) % all().length;
    const { kind, plane: name, ends } = all()[chosen];
    tool = kind;
    here.active = name;
    moveTo(ends[0].map((v, i) => (v + ends[1][i]) / 2));
    return name;
  }

  // --- by mouse --------------------------------------------------------------------------
  function down(name, point) {
    if (!tool) return false;
    const where = plane(name);
    const box = pictureOf(name);
    const index = model.get("index");
    const held = measureAt(all(), where, box, index, point);
    const start = voxelOn(where, box, index, point.x, point.y);
    if (held) chosen = held.number;
    else add({ kind: tool, plane: name, ends: [inside(start), inside(start)] });
    drag = { name, start, ends: current().ends, corner: held ? held.corner : [1, 1], fresh: !held };
    return true;
  }
  function move(point) {
    if (!drag || !current()) return;
    const to = voxelOn(plane(drag.name), pictureOf(drag.name), model.get("index"), point.x, point.y);
    shape(drag.ends, drag.corner, to.map((v, i) => v - drag.start[i]), plane(drag.name));
  }
  function up() {
    if (drag && current()) {
      const box = pictureOf(drag.name);
      const [a, b] = current().ends.map((end) => screenOf(plane(drag.name), box, end));
      if (drag.fresh && Math.hypot(a[0] - b[0], a[1] - b[1]) < 4) remove(); // a click is no measure
      send();
    }
    drag = null;
  }

  // Move a corner, or without one the whole, by so many voxels.
  function shape(ends, corner, by, where) {
    const moved = ends.map((end) => [...end]);
    for (const [axis, end] of [[where.across, corner?.[0]], [where.down, corner?.[1]]]) {
      const taken = corner ? [end] : [0, 1];
      const room = taken.map((i) => limits(axis).map((edge) => edge - ends[i][axis]));
      const least = Math.max(...room.map(([low]) => low));
      const most = Math.min(...room.map(([, high]) => high));
      const step = Math.min(most, Math.max(least, by[axis]));
      for (const i of taken) moved[i][axis] = tenth(ends[i][axis] + step);
    }
    replace(moved);
  }
  const limits = (axis) => [-0.5, here.scan.shape[axis] - 0.5];
  const tenth = (value) => Math.round(10 * value) / 10;
  const inside = (voxel) =>
    voxel.map((v, i) => tenth(Math.min(here.scan.shape[i] - 0.5, Math.max(-0.5, v))));

  // --- by key ----------------------------------------------------------------------------
  function begin(name) {
    const where = plane(name);
    const middle = model.get("index");
    const ends = [[...middle], [...middle]];
    for (const axis of tool === "ruler" ? [where.across] : [where.across, where.down]) {
      const half = Math.max(2, Math.round(15 / here.scan.spacing[axis]));
      const sign = axis === where.across && !where.flipped ? 1 : -1; // the second end lies right and down
      ends[0][axis] -= sign * half;
      ends[1][axis] += sign * half;
    }
    add({ kind: tool, plane: name, ends: ends.map(inside) });
    send();
  }
  function press(event, name) {
    const { key, shiftKey } = event;
    const across = { ArrowLeft: -1, ArrowRight: 1 }[key] || 0;
    const downward = { ArrowUp: -1, ArrowDown: 1 }[key] || 0;
    if (key === "Escape" && tool) leave();
    else if (key === "Enter" && tool && !current()) begin(name);
    else if ((key === "Delete" || key === "Backspace") && current()) remove();
    else if ((across || downward) && current()) {
      const where = plane(current().plane);
      const by = [0, 0, 0];
      by[where.across] = (where.flipped ? -1 : 1) * across;
      by[where.down] = -downward;
      shape(current().ends, shiftKey ? lowerRight(current(), where) : undefined, by, where);
    } else return false;
    return true;
  }
  // A ruler's second end; of a region the corner at the right and below, whichever way it was drawn.
  function lowerRight({ kind, ends: [a, b] }, where) {
    if (kind === "ruler") return [1, 1];
    const right = columnOf(where, b[where.across]) >= columnOf(where, a[where.across]) ? 1 : 0;
    return [right, rowOf(where, b[where.down]) >= rowOf(where, a[where.down]) ? 1 : 0];
  }

  function hint() {
    if (current()) {
      const words = measureWords(here.scan, current()).join(" · ");
      return `${HINTS.chosen(current().kind)} · ${words}`;
    }
    return tool ? HINTS.armed(tool) : "";
  }
  return {
    use, leave, remove, next, down, move, up, press, hint,
    get tool() { return tool; },
    get chosen() { return current() ? chosen : -1; },
  };
}
