// The picture that is saved: the planes as they are seen, with what a reader of it must know.

function savePicture(ui, scan, now, { names, sizes, title: name }) {
  const head = 34;
  const foot = 30;
  const gap = 8;
  const width = names.length * (sizes.width + gap) + sizes.barWidth;
  const canvas = tag("canvas");
  const context = sharpen(canvas, { width, height: sizes.height + head + foot });
  context.fillStyle = "#000";
  context.fillRect(0, 0, width, sizes.height + head + foot);
  names.forEach((plane, i) =>
    context.drawImage(ui.plane[plane].canvas, i * (sizes.width + gap), head, sizes.width, sizes.height));
  if (sizes.barWidth) {
    context.drawImage(ui.bar, names.length * (sizes.width + gap), head, sizes.barWidth, sizes.height);
  }
  const title = [name, now.overlay].filter(Boolean).join(" · ");
  text(context, title, 10, head / 2);
  const side = now.radiological ? "patient right on image left" : "patient right on image right";
  const caption = [place(scan, now.index), `W ${now.window} L ${signed(now.level)}`, side];
  text(context, caption.join(" · "), 10, head + sizes.height + foot / 2, { font: "500 12px system-ui, sans-serif" });
  const stem = title.replace(/[^\p{L}\p{N}]+/gu, "_").replace(/^_|_$/g, "") || "slices";
  tag("a", { href: canvas.toDataURL("image/png"), download: `${stem}.png` }).click();
}
