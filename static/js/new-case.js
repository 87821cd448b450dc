// Drag and drop, thumbnails before submitting, and a button that says what will happen.
const form = document.querySelector("[data-new-case]");
const drop = form.querySelector("[data-drop]");
const input = form.querySelector('input[type="file"]');
const thumbs = form.querySelector("[data-thumbs]");
const submit = form.querySelector("[data-submit]");
const most = Number(form.dataset.most);
const tooMany = document.createElement("p");
tooMany.className = "note";
tooMany.setAttribute("role", "status");
thumbs.after(tooMany);
let files = [];

drop.classList.add("scripted");

const plural = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;

function keep(list) {
  files = list.slice(0, most);
  const left = list.slice(most).map((file) => file.name);
  tooMany.textContent = left.length ? `A case takes ${most} images. Left out: ${left.join(", ")}. Submit them as another case.` : "";
  const transfer = new DataTransfer();
  for (const file of files) transfer.items.add(file);
  input.files = transfer.files;
  draw();
}

function draw() {
  thumbs.replaceChildren(...files.map(thumb));
  thumbs.hidden = !files.length;
  label();
}

function thumb(file, place) {
  const item = document.createElement("li");
  const picture = new Image();
  picture.alt = "";
  picture.src = URL.createObjectURL(file);
  picture.onload = () => URL.revokeObjectURL(picture.src);
  picture.onerror = () => {
    const none = document.createElement("span");
    none.className = "no-preview";
    none.textContent = "no preview";
    picture.replaceWith(none);
  };
  const name = document.createElement("span");
  name.className = "file-name";
  name.textContent = name.title = file.name;
  const remove = document.createElement("button");
  remove.type = "button";
  remove.className = "button small";
  remove.textContent = "Remove";
  remove.setAttribute("aria-label", `Remove ${file.name}`);
  remove.addEventListener("click", () => keep(files.filter((_, other) => other !== place)));
  item.append(picture, name, remove);
  return item;
}

function label() {
  const models = form.querySelectorAll('[data-model]:checked, input[type="hidden"][data-model]').length;
  submit.textContent = files.length ? `Predict ${plural(files.length, "image")} with ${plural(models, "model")}` : "Predict";
}

input.addEventListener("change", () => keep([...input.files]));
form.addEventListener("change", label);
for (const kind of ["dragover", "dragenter"]) {
  drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over"); });
}
for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => { event.preventDefault(); keep([...files, ...event.dataTransfer.files]); });
form.addEventListener("submit", () => { submit.disabled = true; submit.textContent = "Sending …"; });
addEventListener("pageshow", () => { submit.disabled = false; files = [...input.files]; draw(); });
