// The similarity matrix: a grid of which only what is in sight is drawn, edited in place.
import { csrf, find, post, warnBeforeLeaving } from "./workplace.js";

const page = document.getElementById("matrix-page");
const data = JSON.parse(document.getElementById("matrix-data").textContent);
const grid = document.getElementById("matrix");
const key = (level, a, b) => `${level}:${Math.min(a, b)}:${Math.max(a, b)}`;
const groups = data.groups.map(([id, name]) => ({ id, name, level: "groups" }));
const categories = data.categories.map(([id, name, group]) => ({ id, name, group, level: "categories" }));
const byKey = { groups: new Map(groups.map((g) => [g.id, g])), categories: new Map(categories.map((c) => [c.id, c])) };
const stored = new Map();
for (const level of ["groups", "categories"]) for (const [a, b, v] of data.values[level]) stored.set(key(level, a, b), v);
const pending = new Map(); // key -> value, or null for the default
const refused = new Map(); // key -> reason
let view = { rows: groups, columns: groups, level: "groups" };
let shown = view.rows;
let active = { row: 0, column: 0 };
let editor = null;

// CatSim as the database's view defines it: same, override, within a group, the groups', default.
const chosen = (k) => (pending.has(k) ? pending.get(k) : stored.get(k) ?? null);
function valueOf(a, b) {
  if (a.level === "groups") {
    if (a.id === b.id) return { value: 0.8, source: "within the group, by definition", fixed: true };
    const value = chosen(key("groups", a.id, b.id));
    return value === null ? { value: 0.1, source: "the default" } : { value, source: "set for the two groups", set: true };
  }
  if (a.id === b.id) return { value: 1, source: "the same category, by definition", fixed: true };
  const value = chosen(key("categories", a.id, b.id));
  if (value !== null) return { value, source: "set for these two", set: true };
  if (a.group === b.group) return { value: 0.8, source: "the default within a group" };
  const theirs = valueOf(byKey.groups.get(a.group), byKey.groups.get(b.group));
  return { value: theirs.value, source: theirs.set ? "from their groups" : "the default" };
}
const cellKey = (a, b) => key(a.level, a.id, b.id);
const hasOverride = (a, b) =>
  categories.some((x) => x.group === a.id && categories.some((y) => y.group === b.id && x.id !== y.id && chosen(key("categories", x.id, y.id)) !== null));
const format = (v) => (v === null ? "default" : String(Math.round(v * 1000) / 1000));

// Drawing
const size = (name) => parseFloat(getComputedStyle(grid).getPropertyValue(name));
function element(role, text, className = "") {
  const node = document.createElement("div");
  node.setAttribute("role", role);
  node.textContent = text;
  node.className = className;
  return node;
}
function draw() {
  fit();
  const [w, h, headW, headH] = ["--cell-w", "--cell-h", "--head-w", "--head-h"].map(size);
  const width = headW + view.columns.length * w;
  const first = { row: Math.max(0, Math.floor(grid.scrollTop / h) - 2), column: Math.max(0, Math.floor(grid.scrollLeft / w) - 2) };
  const last = {
    row: Math.min(shown.length, first.row + Math.ceil((grid.clientHeight || 720) / h) + 5),
    column: Math.min(view.columns.length, first.column + Math.ceil((grid.clientWidth || 1600) / w) + 5),
  };
  grid.setAttribute("aria-rowcount", shown.length + 1);
  grid.setAttribute("aria-colcount", view.columns.length + 1);
  const heads = element("row", "", "heads");
  heads.style.width = `${width}px`;
  heads.append(element("columnheader", view.label ?? "", "corner"));
  for (let c = first.column; c < last.column; c++) {
    const head = element("columnheader", view.columns[c].name, c === active.column ? "lit" : "");
    head.style.left = `${headW + c * w}px`;
    head.setAttribute("aria-colindex", c + 2);
    head.title = view.columns[c].name;
    heads.append(head);
  }
  const rows = [];
  for (let r = first.row; r < last.row; r++) {
    const row = element("row", "");
    row.setAttribute("aria-rowindex", r + 2);
    row.style.top = `${headH + r * h}px`;
    row.style.width = `${width}px`;
    const head = element("rowheader", shown[r].name, r === active.row ? "lit" : "");
    head.title = shown[r].name;
    row.append(head);
    for (let c = first.column; c < last.column; c++) row.append(drawCell(r, c, headW + c * w));
    rows.push(row);
  }
  const space = document.createElement("div");
  space.setAttribute("role", "rowgroup");
  space.style.width = `${width}px`;
  space.style.height = `${headH + shown.length * h}px`;
  space.append(heads, ...rows);
  grid.replaceChildren(space);
  grid.setAttribute("aria-activedescendant", `cell-${active.row}-${active.column}`);
  grid.hidden = !shown.length;
  document.getElementById("matrix-nothing").hidden = shown.length > 0;
}
// Few columns share the page's width, many keep their least one.
function fit() {
  const room = (grid.parentElement.clientWidth - size("--head-w") - 20) / view.columns.length;
  grid.style.setProperty("--cell-w", `${Math.floor(Math.max(innerWidth < 600 ? 48 : 56, Math.min(84, room)))}px`);
}
function drawCell(r, c, left) {
  const [a, b] = [shown[r], view.columns[c]];
  const { value, set, fixed, source } = valueOf(a, b);
  const k = cellKey(a, b);
  const cell = element("gridcell", format(value).replace(/^0\./, "."));
  cell.id = `cell-${r}-${c}`;
  cell.setAttribute("aria-colindex", c + 2);
  cell.dataset.step = Math.round(value * 10);
  cell.style.left = `${left}px`;
  cell.title = `${a.name} × ${b.name}: ${format(value)}, ${source}`;
  cell.classList.add(set ? "set" : "inherited");
  if (fixed) cell.setAttribute("aria-readonly", "true"), cell.classList.add("fixed");
  if (a.level === "groups" && hasOverride(a, b)) cell.classList.add("overridden");
  if (pending.has(k)) cell.classList.add("changed");
  if (refused.has(k)) cell.classList.add("refused"), cell.setAttribute("aria-invalid", "true");
  if (r === active.row && c === active.column) cell.classList.add("active"), cell.setAttribute("aria-selected", "true");
  return cell;
}
function drawBar() {
  const bar = document.getElementById("cell-bar");
  const [a, b] = [shown[active.row], view.columns[active.column]];
  bar.replaceChildren();
  if (!a || !b) return;
  const { value, source, set, fixed } = valueOf(a, b);
  const text = document.createElement("span");
  text.innerHTML = "<b></b> <span></span>";
  text.firstChild.textContent = `${a.name} × ${b.name}: ${format(value)}`;
  text.lastChild.textContent = ` ${source}`;
  bar.append(text);
  if (a.level === "groups") bar.append(link("Open its categories", () => openPair(a, b)));
  if (set && !fixed && data.mayEdit) bar.append(link("Back to the default", () => change(a, b, null)));
  if (refused.has(cellKey(a, b))) bar.append(refused.get(cellKey(a, b)));
}
function link(text, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "link";
  button.textContent = text;
  button.addEventListener("click", act);
  return button;
}

// What is shown
function show(next) {
  closeEditor();
  view = next;
  active = { row: 0, column: 0 };
  document.getElementById("matrix-search").value = "";
  shown = view.rows;
  for (const button of page.querySelectorAll("[data-view]")) button.setAttribute("aria-pressed", String(button.dataset.view === view.name));
  const pair = page.querySelector("[data-view=pair]");
  pair.hidden = view.name !== "pair";
  pair.textContent = view.title ?? "";
  grid.scrollTo(0, 0);
  draw();
  drawBar();
}
const views = {
  groups: () => ({ name: "groups", rows: groups, columns: groups, label: "group" }),
  all: () => ({ name: "all", rows: categories, columns: categories, label: "category" }),
};
function openPair(a, b) {
  const of = (group) => categories.filter((category) => category.group === group.id);
  show({ name: "pair", rows: of(a), columns: of(b), title: `${a.name} × ${b.name}`, label: a.name });
  grid.focus();
}
for (const button of page.querySelectorAll("[data-view]")) button.addEventListener("click", () => views[button.dataset.view] && show(views[button.dataset.view]()));
document.getElementById("matrix-search").addEventListener("input", (event) => {
  const wanted = event.target.value.trim().toLowerCase();
  const has = (item) => item.name.toLowerCase().includes(wanted);
  const matches = (item) => has(item) || (item.level === "groups" ? categories.some((c) => c.group === item.id && has(c)) : has(byKey.groups.get(item.group)));
  closeEditor();
  shown = view.rows.filter(matches);
  active = { row: 0, column: Math.min(active.column, view.columns.length - 1) };
  grid.scrollTop = 0;
  draw();
  drawBar();
});

// Moving
function move(row, column) {
  active = { row: Math.max(0, Math.min(shown.length - 1, row)), column: Math.max(0, Math.min(view.columns.length - 1, column)) };
  const [w, h, headW, headH] = ["--cell-w", "--cell-h", "--head-w", "--head-h"].map(size);
  const [top, left] = [active.row * h, active.column * w];
  if (top < grid.scrollTop) grid.scrollTop = top;
  if (top + h > grid.scrollTop + grid.clientHeight - headH) grid.scrollTop = top + h - grid.clientHeight + headH;
  if (left < grid.scrollLeft) grid.scrollLeft = left;
  if (left + w > grid.scrollLeft + grid.clientWidth - headW) grid.scrollLeft = left + w - grid.clientWidth + headW;
  draw();
  drawBar();
}
const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], PageUp: [-10, 0], PageDown: [10, 0], Home: [0, -1e6], End: [0, 1e6] };
grid.addEventListener("keydown", (event) => {
  if (editor || event.ctrlKey || event.metaKey || event.altKey) return;
  if (steps[event.key]) move(active.row + steps[event.key][0], active.column + steps[event.key][1]);
  else if (event.key === "Enter" || event.key === "F2") edit("");
  else if (/^[0-9.,-]$/.test(event.key)) edit(event.key);
  else if (event.key === "Delete" || event.key === "Backspace") activeIsFixed() || change(shown[active.row], view.columns[active.column], null);
  else if (event.key === "o" && view.name === "groups") openPair(shown[active.row], view.columns[active.column]);
  else return;
  event.preventDefault();
});
grid.addEventListener("click", (event) => {
  const found = event.target.id?.match(/^cell-(\d+)-(\d+)$/);
  if (!found) return;
  closeEditor();
  move(Number(found[1]), Number(found[2]));
});
grid.addEventListener("dblclick", () => edit(""));
let frame = 0;
grid.addEventListener("scroll", () => {
  if (editor) return;
  cancelAnimationFrame(frame);
  frame = requestAnimationFrame(draw);
});
new ResizeObserver(() => editor || draw()).observe(grid.parentElement);

// Editing
const activeIsFixed = () => !data.mayEdit || valueOf(shown[active.row], view.columns[active.column]).fixed;
function edit(typed) {
  if (activeIsFixed() || editor) return;
  const [a, b] = [shown[active.row], view.columns[active.column]];
  editor = document.createElement("input");
  editor.className = "matrix-input";
  editor.inputMode = "decimal";
  editor.setAttribute("aria-label", `Similarity of ${a.name} and ${b.name}`);
  editor.value = typed || format(valueOf(a, b).value);
  document.getElementById(`cell-${active.row}-${active.column}`).append(editor);
  editor.focus();
  if (!typed) editor.select();
  editor.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Escape") closeEditor(), draw(), grid.focus();
    else if (event.key === "Enter") commit(1, 0);
    else if (event.key === "Tab") event.preventDefault(), commit(0, event.shiftKey ? -1 : 1);
  });
  editor.addEventListener("blur", () => editor && commit(0, 0));
}
function commit(down, right) {
  const text = editor.value.trim().replace(",", ".");
  const value = text === "" ? null : Number(text);
  if (value !== null && !(value >= 0 && value <= 1)) return refuse(`A similarity lies between 0 and 1; got ${editor.value}`);
  const [a, b] = [shown[active.row], view.columns[active.column]];
  closeEditor();
  change(a, b, value);
  move(active.row + down, active.column + right);
  grid.focus();
}
function refuse(reason) {
  editor.setAttribute("aria-invalid", "true");
  page.querySelector(".matrix-refusal")?.remove();
  const message = document.createElement("div");
  message.className = "matrix-refusal";
  message.setAttribute("role", "alert");
  message.textContent = reason;
  const [box, frame] = [editor.getBoundingClientRect(), grid.parentElement.getBoundingClientRect()];
  message.style.left = `${Math.max(0, Math.min(box.left - frame.left, frame.width - 265))}px`;
  message.style.top = `${box.bottom - frame.top + 4}px`;
  grid.parentElement.append(message);
  editor.focus();
}
function closeEditor() {
  const open = editor;
  editor = null;
  open?.remove();
  page.querySelector(".matrix-refusal")?.remove();
}
function change(a, b, value) {
  set(cellKey(a, b), value);
  draw();
  drawBar();
  drawChanges();
}
function set(k, value) {
  refused.delete(k);
  if (value === (stored.get(k) ?? null)) pending.delete(k);
  else pending.set(k, value);
}

// What is not saved yet
const parts = (k) => { const [level, a, b] = k.split(":"); return { level, a: Number(a), b: Number(b) }; };
const edits = () => [...pending].map(([k, similarity]) => ({ ...parts(k), similarity, seen: stored.get(k) ?? null }));
function drawChanges() {
  const list = document.getElementById("changes");
  list.replaceChildren(...[...pending].slice(0, 200).map(([k, value]) => {
    const { level, a, b } = parts(k);
    const item = document.createElement("li");
    item.innerHTML = '<span></span><span class="values"><s></s> → <b></b></span>';
    item.firstChild.textContent = `${byKey[level].get(a)?.name} × ${byKey[level].get(b)?.name}`;
    item.querySelector("s").textContent = format(stored.get(k) ?? null);
    item.querySelector("b").textContent = format(value);
    item.append(link("Undo", () => { pending.delete(k); refused.delete(k); draw(); drawBar(); drawChanges(); }));
    if (refused.has(k)) {
      const why = document.createElement("span");
      why.className = "why";
      why.textContent = refused.get(k);
      item.append(why);
    }
    return item;
  }));
  document.getElementById("n-changes").textContent = pending.size;
  document.getElementById("no-changes").hidden = pending.size > 0;
  const row = document.getElementById("save-row");
  if (row) row.hidden = pending.size === 0;
}
function tell(text, isBad = false) {
  const notice = document.getElementById("matrix-notice");
  notice.textContent = text;
  notice.hidden = !text;
  notice.classList.toggle("bad", isBad);
}
function takeRefusals(answer) {
  for (const { level, a, b, reason } of answer.refusals) refused.set(key(level, a, b), reason);
  tell(`Nothing was saved: ${answer.refusals.length} refused, see the reason at each.`, true);
  draw();
  drawBar();
  drawChanges();
}
function take(found, what) {
  for (const { level, a, b, similarity } of found) set(key(level, a, b), similarity);
  tell(found.length ? `${found.length} values differ ${what}. Look at them, preview, then save.` : `Nothing differs ${what}.`);
  draw();
  drawBar();
  drawChanges();
}
document.getElementById("discard")?.addEventListener("click", () => { pending.clear(); refused.clear(); tell(""); draw(); drawBar(); drawChanges(); });
document.getElementById("save")?.addEventListener("click", async (event) => {
  event.target.disabled = true;
  const answer = await post(page.dataset.save, { edits: edits(), reason: document.getElementById("reason").value });
  event.target.disabled = false;
  if (answer.ok) { pending.clear(); location.reload(); }
  else if (answer.status === 409) takeRefusals(await answer.json());
  else tell("It was not saved: the server refused the request. Load the page again.", true);
});
page.addEventListener("click", async (event) => {
  const at = event.target.dataset?.at;
  if (!at) return;
  const answer = await fetch(`${page.dataset.state}?at=${encodeURIComponent(at)}`);
  pending.clear();
  take((await answer.json()).edits, "from that state");
  grid.scrollIntoView({ block: "center" });
});
document.getElementById("matrix-file")?.addEventListener("change", async (event) => {
  const body = new FormData();
  body.append("file", event.target.files[0]);
  const answer = await fetch(page.dataset.import, { method: "POST", headers: { "X-CSRFToken": csrf() }, body });
  event.target.value = "";
  const content = await answer.json().catch(() => ({ problems: ["the server refused the file"] }));
  if (answer.ok) take(content.edits, "in that file");
  else tell(`Nothing was taken from the file. ${content.problems.join(". ")}`, true);
});

// Preview
const form = document.getElementById("preview-form");
async function preview(extra = {}) {
  const target = document.getElementById("preview");
  target.setAttribute("aria-busy", "true");
  const answer = await post(page.dataset.preview, {
    edits: edits(), kind: document.getElementById("preview-kind").value, name: document.getElementById("preview-name").value,
    profile: Number(document.getElementById("preview-profile").value), ...extra,
  });
  target.removeAttribute("aria-busy");
  if (answer.status === 409) return takeRefusals(await answer.json());
  target.innerHTML = answer.ok ? await answer.text() : '<p class="warning">There is no preview: the server refused the request.</p>';
}
form.addEventListener("submit", (event) => { event.preventDefault(); preview(); });
document.getElementById("preview").addEventListener("click", (event) => {
  if ("offered" in event.target.dataset) preview({ offered: true });
  else if (event.target.dataset.profile) {
    document.getElementById("preview-profile").value = event.target.dataset.profile;
    preview();
  }
});
find(document.getElementById("preview-name"), document.getElementById("preview-kind"), page.dataset.subjects);

warnBeforeLeaving(() => pending.size > 0);
show(views.groups());
drawChanges();
