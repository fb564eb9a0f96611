// Puts the theme that was chosen in force before anything is drawn.
(() => {
  const order = ["auto", "light", "dark"];
  const root = document.documentElement;
  const chosen = () => {
    const kept = localStorage.getItem("theme");
    return order.includes(kept) ? kept : "auto";
  };
  const apply = (theme) => {
    if (theme === "auto") delete root.dataset.theme;
    else root.dataset.theme = theme;
  };
  apply(chosen());
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    if (!button) return;
    const label = () => (button.textContent = `Theme: ${chosen()}`);
    button.hidden = false;
    label();
    button.addEventListener("click", () => {
      const next = order[(order.indexOf(chosen()) + 1) % order.length];
      localStorage.setItem("theme", next);
      apply(next);
      label();
      document.dispatchEvent(new Event("themechange"));
    });
  });
})();
