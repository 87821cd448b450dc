// Sends a model file as soon as it is chosen, with progress; the form then carries only a token of the kept file.
const place = document.querySelector("[data-model-upload]");
const input = document.querySelector('input[type="file"][name="file"]');
const kept = document.querySelector('input[name="kept"]');
const words = place.querySelector("[data-upload-words]");
const form = input.form;
const submits = form.querySelectorAll('[type="submit"]');
let request = null;

const row = input.closest(".form-row") ?? input.parentElement;
row.append(place);

const size = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`);

function say(text, failed = false) {
  words.textContent = text;
  words.classList.toggle("problem", failed);
}

function busy(on) {
  for (const button of submits) button.disabled = on;
}

function send(file) {
  request?.abort();
  place.querySelector("progress")?.remove();
  place.querySelector("button")?.remove();
  kept.value = "";
  if (file.size > Number(place.dataset.most)) {
    input.value = "";
    say(`${file.name} has ${size(file.size)}: above the limit of ${size(Number(place.dataset.most))}.`, true);
    return;
  }
  const bar = document.createElement("progress");
  bar.max = 1;
  bar.setAttribute("aria-label", `Sending ${file.name}`);
  const stop = document.createElement("button");
  stop.type = "button";
  stop.className = "button";
  stop.textContent = "Cancel";
  place.append(bar, stop);
  busy(true);
  say(`Sending ${file.name}, ${size(file.size)} … Fill in the rest meanwhile.`);

  const ours = (request = new XMLHttpRequest());
  const end = (text, failed) => {
    if (ours !== request) return;
    bar.remove();
    stop.remove();
    busy(false);
    say(text, failed);
    if (failed) input.value = "";
  };
  ours.open("POST", `${place.dataset.url}?name=${encodeURIComponent(file.name)}`);
  ours.setRequestHeader("X-CSRFToken", form.elements.csrfmiddlewaretoken.value);
  ours.setRequestHeader("Content-Type", "application/octet-stream");
  ours.responseType = "json";
  ours.upload.addEventListener("progress", (event) => { if (event.lengthComputable) bar.value = event.loaded / event.total; });
  ours.addEventListener("load", () => {
    if (ours.status !== 200 || !ours.response) return end(ours.response?.problem ?? `The file was not taken (status ${ours.status}). Choose it again.`, true);
    kept.value = ours.response.kept;
    input.value = "";
    end(`${file.name} (${size(ours.response.size)}, SHA-256 ${ours.response.sha256.slice(0, 12)}…) is kept: it need not be sent again. Choose a file only to replace it.`, false);
  });
  ours.addEventListener("error", () => end("The connection broke off. Choose the file again.", true));
  ours.addEventListener("abort", () => end("Not sent.", true));
  stop.addEventListener("click", () => ours.abort());
  ours.send(file);
}

input.addEventListener("change", () => { if (input.files[0]) send(input.files[0]); });
