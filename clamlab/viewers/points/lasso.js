// A loop drawn around points, and what becomes of a group when more are taken.

function insideLoop(loop, x, y) {
  let inside = false;
  for (let i = 0, j = loop.length - 1; i < loop.length; j = i++) {
    const [ax, ay] = loop[i];
    const [bx, by] = loop[j];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

// Points of `places` (x, y, x, y, ...) within a loop, of those that `takes` lets through.
function takenByLoop(loop, places, takes) {
  const bounds = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of loop) {
    bounds[0] = Math.min(bounds[0], x);
    bounds[1] = Math.min(bounds[1], y);
    bounds[2] = Math.max(bounds[2], x);
    bounds[3] = Math.max(bounds[3], y);
  }
  const taken = [];
  for (let i = 0; 2 * i < places.length; i++) {
    const x = places[2 * i];
    const y = places[2 * i + 1];
    if (x < bounds[0] || x > bounds[2] || y < bounds[1] || y > bounds[3]) continue;
    if (takes(i) && insideLoop(loop, x, y)) taken.push(i);
  }
  return taken;
}

// The group after `taken` was chosen anew, added or subtracted; in the order of the scans.
function combined(group, taken, mode) {
  if (mode === "new") return taken;
  const members = new Set(group);
  for (const i of taken) {
    if (mode === "add") members.add(i);
    else members.delete(i);
  }
  return [...members].sort((a, b) => a - b);
}

// Keys held down go before the button pressed.
function modeOf(event, standing) {
  if (event.shiftKey) return "add";
  if (event.altKey) return "subtract";
  return standing;
}

function drawLoop(context, loop) {
  context.strokeStyle = "#78c8eb";
  context.lineWidth = 1.5;
  context.beginPath();
  loop.forEach(([x, y], i) => context[i ? "lineTo" : "moveTo"](x, y));
  context.closePath();
  context.stroke();
}
