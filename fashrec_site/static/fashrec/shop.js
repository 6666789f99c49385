// What the pages do beyond HTML and htmx: the panel that explains, sliders, and telling of failures.

const status = document.getElementById("status");

document.documentElement.classList.add("with-scripts");

// Addresses without what was left empty: /products/?q=shirt, not /products/?q=shirt&store=&order=
document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (detail.verb !== "get") return;
  for (const [name, value] of [...detail.formData.entries()]) {
    if (value === "") detail.formData.delete(name);
  }
});

for (const failure of ["htmx:responseError", "htmx:sendError"]) {
  document.addEventListener(failure, () => {
    status.textContent = "That did not work. Please try again in a moment.";
  });
}

// A dialog of the browser's own keeps the focus inside and closes with Escape.
const dialog = document.getElementById("why");
let opener = null;

function open() {
  if (dialog.open) dialog.close();
  dialog.showModal();
}

function close() {
  dialog.close();
  const again = opener && document.querySelector(`a.why[href="${CSS.escape(opener)}"]`);
  if (again) again.focus();
}

if (dialog) {
  if (dialog.hasAttribute("open")) open();
  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    const { elt } = detail.requestConfig;
    if (elt.dataset.opens === dialog.id) {
      opener = elt.getAttribute("href");
      open();
    }
  });
  dialog.addEventListener("click", (event) => {
    const isOutside = event.target === dialog;
    if (!isOutside && !event.target.closest("[data-closes]")) return;
    event.preventDefault();
    close();
  });
  dialog.addEventListener("input", ({ target }) => {
    const output = target.labels?.[0]?.querySelector("output");
    if (output) output.textContent = Number(target.value).toFixed(2);
  });
}

// "Show more" by keyboard: go on at the first product that it brought.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const { elt, triggeringEvent } = detail.requestConfig;
  if (!elt.closest(".more") || triggeringEvent?.type !== "click") return;
  const last = elt.closest("li").previousElementSibling;
  document.addEventListener(
    "htmx:afterSettle",
    () => last.nextElementSibling?.querySelector("a")?.focus(),
    { once: true },
  );
});

// On a telephone the filters begin folded.
if (window.matchMedia("(max-width: 60rem)").matches) {
  document.querySelectorAll("[data-folds]").forEach((details) => details.removeAttribute("open"));
}

// Arrows for rows that scroll sideways; a touch screen and the keyboard scroll them anyway.
function addArrows(shelf) {
  if (shelf.previousElementSibling?.matches(".shelf-arrows")) return;
  const arrows = document.createElement("div");
  arrows.className = "shelf-arrows";
  const [back, on] = [["←", "Back", -1], ["→", "Further", 1]].map(([sign, label, way]) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = sign;
    button.setAttribute("aria-label", label);
    button.addEventListener("click", () => shelf.scrollBy({ left: way * shelf.clientWidth * 0.8, behavior: "smooth" }));
    arrows.append(button);
    return button;
  });
  const update = () => {
    const room = shelf.scrollWidth - shelf.clientWidth;
    arrows.hidden = room < 2;
    back.disabled = shelf.scrollLeft < 2;
    on.disabled = shelf.scrollLeft > room - 2;
  };
  shelf.addEventListener("scroll", update, { passive: true });
  new ResizeObserver(update).observe(shelf);
  shelf.before(arrows);
  update();
}

const addAllArrows = () => document.querySelectorAll(".shelf").forEach(addArrows);
document.addEventListener("htmx:afterSettle", addAllArrows);
addAllArrows();
