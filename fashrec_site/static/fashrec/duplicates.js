// Decides by a key, as its button or link would: m, n, h, j; the arrows choose which to keep.
const sides = () => [...document.querySelectorAll("[name=keep]")];

addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.repeat) return;
  if (event.target.closest("input:not([type=radio]), textarea, select, [contenteditable], dialog")) return;
  if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
    const side = sides()[event.key === "ArrowLeft" ? 0 : 1];
    if (!side || side.disabled) return;
    event.preventDefault();
    side.checked = true;
    side.focus();
  } else {
    document.querySelector(`[data-key="${CSS.escape(event.key)}"]`)?.click();
  }
});
