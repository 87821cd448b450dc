// The picture and its heat layer: which map, how strong, how large. Everything is a link or visible without this.
const viewer = document.querySelector("[data-viewer]");
const stage = viewer.querySelector("[data-stage]");
const canvas = viewer.querySelector("[data-canvas]");
const picture = viewer.querySelector("[data-picture]");
const heat = viewer.querySelector("[data-heat]");
const legend = viewer.querySelector("[data-legend]");
const find = (name) => viewer.querySelector(`[data-${name}]`);
const panel = () => document.querySelector("[data-panel]");
const LARGEST = 16;
let shown = panel().dataset.shown;
let view = { scale: 1, x: 0, y: 0 };

find("controls").hidden = false;

const rowOf = (key) => panel().querySelector(`[data-map="${CSS.escape(key)}"]`);
const form = viewer.querySelector("[data-map-form]");
const chosen = (name) => new FormData(form).get(name) ?? "";

// A row's link says which map it is; side, scale and cells are those of the form.
const told = (row) => new URL(row.href).searchParams;
const sign = (row) => (row ? ["map", "method", "against"].map((name) => told(row).get(name)).join(" ") : "");
let drawn = sign(rowOf(shown));

function query(row) {
  const asked = told(row);
  for (const name of ["image", "map", "side", "grid"]) asked.delete(name);
  if (chosen("side") === "lowers") asked.set("side", "lowers");
  asked.set("scale", chosen("scale"));
  if (chosen("grid")) asked.set("grid", chosen("grid"));
  return asked;
}

function show(key) {
  const row = rowOf(key);
  heat.hidden = legend.hidden = find("take-away").hidden = !row;
  drawn = sign(row);
  if (!row) return;
  shown = key;
  find("map-key").value = key;
  const { answer: address, peakOfAll } = row.closest("[data-answer]").dataset;
  const { words, wordsLowers, peak, peakLowers } = row.dataset;
  const lowers = chosen("side") === "lowers";
  heat.src = `${address}?${query(row)}`;
  find("legend-words").textContent = lowers ? wordsLowers : words;
  find("legend-peak").textContent = chosen("scale") === "absolute" ? peakOfAll : lowers ? peakLowers : peak;
  for (const link of viewer.querySelectorAll("[data-save]")) {
    link.href = `${address.replace("heat.png", link.dataset.save)}?${query(row)}`;
  }
  mark();
  history.replaceState(null, "", `?${new URLSearchParams(new FormData(form))}`);
}

function mark() {
  for (const item of panel().querySelectorAll(".distribution li")) {
    const current = item.firstElementChild.dataset.map === shown;
    item.classList.toggle("shown", current);
    if (current) item.closest("details")?.setAttribute("open", "");
  }
}

document.addEventListener("click", (event) => {
  const row = event.target.closest("[data-map]");
  if (!row || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  setHeat(true);
  show(row.dataset.map);
});
document.addEventListener("htmx:afterSwap", () => {
  const row = rowOf(shown) ?? rowOf(panel().dataset.shown);
  if (sign(row) === drawn) mark();
  else show(row?.dataset.map ?? "");
});
find("method").addEventListener("change", () => {
  find("against").disabled = !find("method").selectedOptions[0].hasAttribute("data-linear");
});
form.addEventListener("submit", (event) => event.preventDefault());

function setHeat(on) {
  find("heat-on").checked = on;
  stage.classList.toggle("no-heat", !on);
}
find("heat-on").addEventListener("change", (event) => setHeat(event.target.checked));
find("opacity").addEventListener("input", (event) => stage.style.setProperty("--heat-opacity", event.target.value / 100));
for (const input of form.querySelectorAll("[data-redraw]")) input.addEventListener("change", () => shown && show(shown));

function apply() {
  const { scale: factor } = view;
  const room = (full, part) => Math.max(0, full * factor - part);
  view.x = Math.min(0, Math.max(-room(canvas.offsetWidth, canvas.offsetWidth), view.x));
  view.y = Math.min(0, Math.max(-room(canvas.offsetHeight, canvas.offsetHeight), view.y));
  canvas.style.transform = factor === 1 ? "" : `translate(${view.x}px, ${view.y}px) scale(${factor})`;
  stage.classList.toggle("zoomed", factor > 1);
  stage.classList.toggle("beyond", picture.offsetWidth * factor > Number(picture.getAttribute("width")));
  if (factor > 1 && picture.dataset.state !== "full") {
    picture.dataset.state = "full";
    picture.src = viewer.dataset.full;
  }
}

function zoom(factor, clientX, clientY) {
  const box = canvas.getBoundingClientRect();
  const next = Math.min(LARGEST, Math.max(1, view.scale * factor));
  const ratio = next / view.scale;
  const [x, y] = [clientX - box.left, clientY - box.top];
  view = { scale: next, x: view.x - x * (ratio - 1), y: view.y - y * (ratio - 1) };
  apply();
}

function zoomCentre(factor) {
  const box = stage.getBoundingClientRect();
  zoom(factor, box.left + box.width / 2, box.top + box.height / 2);
}

function fit() {
  view = { scale: 1, x: 0, y: 0 };
  apply();
}

stage.addEventListener("wheel", (event) => {
  if (event.deltaY > 0 && view.scale === 1) return;
  event.preventDefault();
  zoom(Math.exp(-event.deltaY / 400), event.clientX, event.clientY);
}, { passive: false });
stage.addEventListener("dblclick", fit);
find("fit").addEventListener("click", fit);

const pointers = new Map();
stage.addEventListener("pointerdown", (event) => {
  pointers.set(event.pointerId, event);
  if (view.scale > 1) stage.setPointerCapture(event.pointerId);
});
stage.addEventListener("pointermove", (event) => {
  const before = pointers.get(event.pointerId);
  if (!before) return;
  if (pointers.size === 2) {
    const [other] = [...pointers.values()].filter((pointer) => pointer.pointerId !== event.pointerId);
    const apart = (pointer) => Math.hypot(pointer.clientX - other.clientX, pointer.clientY - other.clientY);
    zoom(apart(event) / Math.max(1, apart(before)), (event.clientX + other.clientX) / 2, (event.clientY + other.clientY) / 2);
  } else if (view.scale > 1) {
    stage.classList.add("dragging");
    view.x += event.clientX - before.clientX;
    view.y += event.clientY - before.clientY;
    apply();
  }
  pointers.set(event.pointerId, event);
});
for (const kind of ["pointerup", "pointercancel", "pointerleave"]) {
  stage.addEventListener(kind, (event) => { pointers.delete(event.pointerId); stage.classList.remove("dragging"); });
}

const help = find("help");
const toggleHelp = () => {
  const keys = document.getElementById("keys");
  keys.hidden = !keys.hidden;
  help.setAttribute("aria-expanded", String(!keys.hidden));
};
help.addEventListener("click", toggleHelp);
const fullScreen = () => (document.fullscreenElement ? document.exitFullscreen() : stage.requestFullscreen());
find("full-screen").addEventListener("click", fullScreen);

function nextImage(step) {
  const films = [...document.querySelectorAll("[data-film]")];
  const place = films.findIndex((film) => film.hasAttribute("aria-current"));
  films[place + step]?.click();
}

function nextClass() {
  const [prediction] = shown.split(".");
  const rows = [...panel().querySelectorAll(`[data-map^="${CSS.escape(prediction)}."]`)];
  const place = rows.findIndex((row) => row.dataset.map === shown);
  if (rows.length) show(rows[(place + 1) % rows.length].dataset.map);
}

function showModel(number) {
  const answer = panel().querySelectorAll("[data-answer]")[number - 1];
  const row = answer?.querySelector("[data-map]");
  if (row) show(row.dataset.map);
}

const MOVES = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=checkbox]):not([type=radio]), select, textarea")) return;
  const move = MOVES[event.key];
  if (move && view.scale > 1 && document.activeElement === stage) {
    view.x += move[0];
    view.y += move[1];
    apply();
    event.preventDefault();
    return;
  }
  const actions = {
    ArrowLeft: () => nextImage(-1), ArrowRight: () => nextImage(1), h: () => setHeat(!find("heat-on").checked),
    c: nextClass, f: fullScreen, 0: fit, "+": () => zoomCentre(1.4), "-": () => zoomCentre(1 / 1.4), "?": toggleHelp,
  };
  if (event.target.closest("[data-redraw]") && event.key.startsWith("Arrow")) return;
  if (actions[event.key]) actions[event.key]();
  else if (/^[1-9]$/.test(event.key)) showModel(Number(event.key));
});
