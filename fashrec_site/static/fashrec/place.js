// "Use my location": asks the browser, fills the form, and sends it.

const locate = document.querySelector("[data-locate]");
const form = document.getElementById("point-form");

if ("geolocation" in navigator) {
  locate.hidden = false;
  locate.querySelector("button").addEventListener("click", () => {
    const told = locate.querySelector("[role=status]");
    told.textContent = "Asking your browser ...";
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        form.elements.latitude.value = coords.latitude.toFixed(3);
        form.elements.longitude.value = coords.longitude.toFixed(3);
        form.requestSubmit();
      },
      () => {
        told.textContent = "Your browser did not say. Choose a store instead.";
      },
      { timeout: 10_000, maximumAge: 600_000 },
    );
  });
}
