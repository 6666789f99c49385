// Sends a photo that was chosen, taken, dropped or pasted to POST /search/photo, and waits for what
// looks like it. The products themselves are drawn by the server: photo_search.py.

const form = document.getElementById("photo-form");
const preview = document.getElementById("preview");
const progress = document.getElementById("progress");
const found = document.getElementById("found");
const token = form.elements.csrfmiddlewaretoken.value;
const MAX_POLLS = 60;

let latest = 0; // a photo that comes while another is looked at takes its place

form.hidden = false;

async function search(photo) {
  const mine = ++latest;
  URL.revokeObjectURL(preview.src);
  preview.src = URL.createObjectURL(photo);
  preview.hidden = false;
  progress.textContent = "Looking at your photo ...";
  try {
    const id = await settled(await send(photo), () => mine === latest);
    if (mine === latest) await show(id);
  } catch (error) {
    if (mine === latest) progress.textContent = error.message;
  }
}

function send(photo) {
  const body = new FormData();
  body.append("photo", photo);
  return fetch(form.action, { method: "POST", headers: { "X-CSRFToken": token }, body });
}

/** The search's id once its products are there; 202 says where and when to ask again. */
async function settled(response, isWanted) {
  for (let polls = 0; response.status === 202 && isWanted() && polls < MAX_POLLS; polls++) {
    const seconds = Number(response.headers.get("Retry-After") ?? 1);
    await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
    response = await fetch(response.headers.get("Location"));
  }
  const answer = await response.json();
  if (answer.errors) throw new Error(answer.errors[0].message);
  return answer.data.photoSearch.id;
}

async function show(id) {
  const url = `${found.dataset.page}?search=${encodeURIComponent(id)}`;
  await htmx.ajax("GET", url, { target: "#found", select: "#found", swap: "outerHTML" });
  history.replaceState(null, "", url);
  progress.textContent = "";
}

form.addEventListener("change", ({ target }) => {
  if (target.files?.length) search(target.files[0]);
  target.value = ""; // so that the same photo may be chosen again
});

for (const name of ["dragenter", "dragover"]) {
  form.addEventListener(name, (event) => {
    event.preventDefault();
    form.classList.add("over");
  });
}
for (const name of ["dragleave", "drop"]) {
  form.addEventListener(name, () => form.classList.remove("over"));
}
form.addEventListener("drop", (event) => {
  event.preventDefault();
  takeFrom(event.dataTransfer);
});
document.addEventListener("paste", ({ clipboardData }) => takeFrom(clipboardData));

function takeFrom(transfer) {
  const photo = [...transfer.files].find((file) => file.type.startsWith("image/"));
  if (photo) search(photo);
  else if (transfer.files.length) progress.textContent = "That is no photo. Choose a JPEG, PNG or WEBP.";
}
