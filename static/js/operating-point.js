// The operating point: counts of at most 96 thresholds travel with the page, so that the slider answers at once.
const block = document.querySelector("[data-operating-point]");

function ratio(value, low, high) {
  const three = (x) => (x === null || !Number.isFinite(x) ? "–" : x.toFixed(3));
  return low === null || low === undefined ? three(value) : `${three(value)} <span class="interval">${three(low)}–${three(high)}</span>`;
}

function predictive(sensitivity, specificity, prevalence) {
  const found = sensitivity * prevalence;
  const spared = specificity * (1 - prevalence);
  return {
    positive: found / (found + (1 - specificity) * (1 - prevalence)),
    negative: spared / (spared + (1 - sensitivity) * prevalence),
  };
}

if (block) {
  const data = JSON.parse(document.getElementById("operating-point-data").textContent);
  const part = (name) => block.querySelector(`[data-${name}]`);
  const [definition, slider, prevalence] = [part("definition"), part("slider"), part("prevalence")];

  const show = () => {
    const entry = data[definition.value];
    const [threshold, tp, fp, fn, tn, sensLow, sensHigh, specLow, specHigh] = entry.rows[slider.value];
    const share = Math.min(Math.max(Number(prevalence.value) / 100, 0.001), 0.99);
    const [sensitivity, specificity] = [tp / (tp + fn), tn / (tn + fp)];
    const value = predictive(sensitivity, specificity, share);
    const [least, most] = [predictive(sensLow, specLow, share), predictive(sensHigh, specHigh, share)];
    const benefit = threshold < 1 ? sensitivity * share - ((1 - specificity) * (1 - share) * threshold) / (1 - threshold) : null;
    const rows = [
      ["Sensitivity", ratio(sensitivity, sensLow, sensHigh)],
      ["Specificity", ratio(specificity, specLow, specHigh)],
      ["Positive predictive value", ratio(value.positive, least.positive, most.positive)],
      ["Negative predictive value", ratio(value.negative, least.negative, most.negative)],
      ["Number needed to biopsy", value.positive > 0 ? (1 / value.positive).toFixed(1) : "–"],
      ["Net benefit at this threshold", ratio(benefit)],
      ["Found / missed", `${tp} / ${fn}`],
      ["False alarms / spared", `${fp} / ${tn}`],
    ];
    part("threshold").textContent = threshold.toFixed(3);
    slider.setAttribute("aria-valuetext", `threshold ${threshold.toFixed(3)}`);
    part("results").innerHTML = rows.map(([title, text]) => `<div><dt>${title}</dt><dd>${text}</dd></div>`).join("");
    const missed = entry.missed.filter(([, score]) => score < threshold);
    part("missed-count").textContent = missed.length === entry.missed.length && missed.length === 60 ? "60 or more" : missed.length;
    part("missed").innerHTML = missed
      .slice(0, 24)
      .map(([id, score]) => `<li><img src="${block.dataset.picture.replace("/0/", `/${id}/`)}" width="120" height="90" loading="lazy" alt="missed melanoma"><span class="hint">${score.toFixed(3)}</span></li>`)
      .join("");
  };

  const choose = () => {
    const rows = data[definition.value].rows;
    slider.max = rows.length - 1;
    const half = rows.findIndex(([threshold]) => threshold >= 0.5);
    slider.value = half < 0 ? rows.length - 1 : half;
    show();
  };

  definition.addEventListener("change", choose);
  slider.addEventListener("input", show);
  prevalence.addEventListener("input", show);
  part("controls").hidden = false;
  choose();
}
