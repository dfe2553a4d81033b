// Ten thousand marks in a few milliseconds: each kind is drawn once, and its pixels are written
// straight into the picture. (Copying small canvases takes several times as long without a GPU.)

const SIDE = 16; // screen pixels around a mark

// The pixels of marks that are not empty: where they lie from the middle, colour, and cover 0..255.
function makeStamps(drawers, ratio) {
  const sheet = document.createElement("canvas");
  const side = Math.ceil(SIDE * ratio);
  sheet.width = side * drawers.length;
  sheet.height = side;
  const context = sheet.getContext("2d", { willReadFrequently: true });
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  const middle = side / 2 / ratio;
  drawers.forEach((draw, i) => draw(context, (i * side) / ratio + middle, middle));
  const { data } = context.getImageData(0, 0, sheet.width, side);
  return drawers.map((_, i) => {
    const stamp = [];
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const at = 4 * (y * sheet.width + i * side + x);
        if (data[at + 3]) stamp.push(x - (side >> 1), y - (side >> 1), data[at], data[at + 1], data[at + 2], data[at + 3]);
      }
    }
    return Int16Array.from(stamp);
  });
}

// Write a stamp around a point, as much of it as lies within the picture.
function press(image, stamp, left, top, opacity) {
  const { data, width, height } = image;
  for (let k = 0; k < stamp.length; k += 6) {
    const x = left + stamp[k];
    const y = top + stamp[k + 1];
    if (x < 0 || y < 0 || x >= width || y >= height) continue;
    const at = 4 * (y * width + x);
    const share = (opacity * stamp[k + 5]) / 255;
    data[at] += share * (stamp[k + 2] - data[at]);
    data[at + 1] += share * (stamp[k + 3] - data[at + 1]);
    data[at + 2] += share * (stamp[k + 4] - data[at + 2]);
  }
}

function blackPicture(canvas) {
  const image = new ImageData(canvas.width, canvas.height);
  new Uint32Array(image.data.buffer).fill(new Uint32Array(Uint8Array.of(0, 0, 0, 255).buffer)[0]);
  return image;
}
