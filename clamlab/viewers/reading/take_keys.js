// Whoever has just typed a name goes on by keys: they are no longer meant for the line of the name.
function takeKeys(root, patience = 60) {
  requestAnimationFrame(() => {
    const desk = root.closest(".clam-desk");
    if (!root.isConnected || !desk) {
      if (patience) takeKeys(root, patience - 1); // Lab puts the page together piece by piece
    } else if (desk.contains(document.activeElement)) root.focus({ preventScroll: true });
  });
}
