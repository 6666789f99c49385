// The form of a rule: only what goes with its kind is asked for.
const kind = document.getElementById("id_kind");
const shown = () => {
  document.querySelector("[data-field=position]").hidden = kind.value !== "pin";
  document.querySelector("[data-field=amount]").hidden = kind.value === "pin";
};
kind.addEventListener("change", shown);
shown();
