// Points sorted into square cells, so that the one under the pointer is found among a few.

function pointGrid(places, { width, height }, cell) {
  const columns = Math.max(1, Math.ceil(width / cell));
  const rows = Math.max(1, Math.ceil(height / cell));
  const count = places.length / 2;
  const within = (value, most) => Math.min(most - 1, Math.max(0, Math.floor(value / cell)));
  const cellOf = (i) => within(places[2 * i + 1], rows) * columns + within(places[2 * i], columns);
  const starts = new Uint32Array(columns * rows + 1);
  for (let i = 0; i < count; i++) starts[cellOf(i) + 1] += 1;
  for (let c = 0; c < columns * rows; c++) starts[c + 1] += starts[c];
  const next = starts.slice();
  const sorted = new Uint32Array(count);
  for (let i = 0; i < count; i++) sorted[next[cellOf(i)]++] = i;

  // The nearest point less than a cell's side away that `takes` lets through, or -1.
  return function nearest([x, y], takes) {
    let best = -1;
    let least = cell ** 2;
    for (let row = within(y, rows) - 1; row <= within(y, rows) + 1; row++) {
      for (let column = within(x, columns) - 1; column <= within(x, columns) + 1; column++) {
        if (row < 0 || row >= rows || column < 0 || column >= columns) continue;
        const at = row * columns + column;
        for (let k = starts[at]; k < starts[at + 1]; k++) {
          const i = sorted[k];
          const distance = (places[2 * i] - x) ** 2 + (places[2 * i + 1] - y) ** 2;
          if (distance < least && takes(i)) [best, least] = [i, distance];
        }
      }
    }
    return best;
  };
}
