// A form that ranks: a slider beside each number, and a preview that follows them.
import { csrf, find } from "./workplace.js";

for (const number of document.querySelectorAll("input[data-slider]")) {
  const [min, max, step] = number.dataset.slider.split(" ");
  const slider = Object.assign(document.createElement("input"), { type: "range", min, max, step, className: "slider" });
  slider.value = number.value;
  slider.setAttribute("aria-label", `${document.querySelector(`label[for=${number.id}]`)?.innerText ?? number.name}, slider`);
  slider.addEventListener("input", () => {
    number.value = slider.value;
    number.dispatchEvent(new Event("input", { bubbles: true }));
  });
  number.addEventListener("input", () => { slider.value = number.value; });
  number.classList.add("slid");
  const pair = Object.assign(document.createElement("div"), { className: "slider-pair" });
  number.replaceWith(pair);
  pair.append(slider, number);
}

const panel = document.getElementById("profile-preview");
const form = document.querySelector("form[data-previewed], #content-main form, #rankingprofile_form");
const [kind, name, target] = ["preview-kind", "preview-name", "preview"].map((id) => document.getElementById(id));
let [timer, asked] = [0, 0];
async function preview() {
  if (!name.value) return;
  const body = new FormData(form);
  body.append("preview_kind", kind.value);
  body.append("preview_name", name.value);
  if (panel.dataset.profile !== undefined) body.append("profile", panel.dataset.profile);
  const mine = ++asked;
  target.setAttribute("aria-busy", "true");
  const answer = await fetch(panel.dataset.preview, { method: "POST", headers: { "X-CSRFToken": csrf() }, body });
  const html = answer.ok ? await answer.text() : '<p class="warning">There is no preview: the server refused the request.</p>';
  if (mine === asked) target.innerHTML = html; // else a later one is on its way
  target.removeAttribute("aria-busy");
}
const soon = () => { clearTimeout(timer); timer = setTimeout(preview, 300); };
form?.addEventListener("input", soon);
form?.addEventListener("change", soon);
for (const field of [kind, name]) field.addEventListener("change", soon);
name.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault(); // the preview stands in the form: it would save what is only tried
  soon();
});
find(name, kind, panel.dataset.subjects);
