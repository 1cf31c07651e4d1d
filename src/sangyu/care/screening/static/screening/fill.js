// Questions that the answers do not lead to are hidden; the server decides the same way.
(() => {
  const form = document.querySelector("[data-sheet]");
  if (!form) return;
  const chosen = (code) => [...form.querySelectorAll(`[name="q-${code}"]:checked`)]
    .filter((input) => !input.closest("[hidden]")).map((input) => input.value);
  const show = () => {
    for (const field of form.querySelectorAll("[data-when]")) {
      field.hidden = !field.dataset.when.split(";").every((part) => {
        const [code, values] = part.split("=");
        return chosen(code).some((value) => values.split(",").includes(value));
      });
    }
  };
  form.addEventListener("change", show);
  show();
  (document.getElementById("sc-problem") || document.body).scrollIntoView({ block: "start" });
})();
