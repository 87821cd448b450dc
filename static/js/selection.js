// Tools for the selected cases appear once something is selected.
const form = document.querySelector("[data-selection]");
if (form) {
  const all = form.querySelector("[data-select-all]");
  const boxes = [...form.querySelectorAll('input[name="id"]')];
  const tools = form.querySelector("[data-selection-tools]");
  const count = form.querySelector("[data-selection-count]");
  const update = () => {
    const number = boxes.filter((box) => box.checked).length;
    tools.hidden = !number;
    count.textContent = `${number} selected:`;
    all.checked = number === boxes.length;
    all.indeterminate = number > 0 && number < boxes.length;
  };
  all.hidden = false;
  all.addEventListener("change", () => { for (const box of boxes) box.checked = all.checked; update(); });
  form.addEventListener("change", update);
  addEventListener("pageshow", update);
  update();
}
