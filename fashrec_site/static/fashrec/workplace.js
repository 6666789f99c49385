// What the workplace's pages share.
export const csrf = () => document.querySelector("[name=csrfmiddlewaretoken]").value;

export const post = (url, body) =>
  fetch(url, { method: "POST", headers: { "X-CSRFToken": csrf(), "Content-Type": "application/json" }, body: JSON.stringify(body) });

// Offers shoppers or products (whatever `kind` says) whose key begins like what is typed.
export function find(input, kind, url) {
  let timer = 0;
  const offer = async () => {
    const answer = await fetch(`${url}?${new URLSearchParams({ kind: kind.value, q: input.value })}`);
    if (!answer.ok) return;
    const { found } = await answer.json();
    input.list.replaceChildren(...found.map(([name, about]) => new Option(about, name)));
  };
  const soon = () => { clearTimeout(timer); timer = setTimeout(offer, 150); };
  input.addEventListener("input", soon);
  input.addEventListener("focus", soon, { once: true });
  kind.addEventListener("change", () => { input.value = ""; soon(); });
}

export function warnBeforeLeaving(isUnsaved) {
  addEventListener("beforeunload", (event) => { if (isUnsaved()) event.preventDefault(); });
}
