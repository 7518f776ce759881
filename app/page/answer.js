// Shows an answer, and tells it to screen readers once the hand rests.

const REST = 1_000;
const part = (id) => document.getElementById(id);
// One sign: no more leaves room for the bars beside it, as large as it is there.
const SHORT = /^.$/u;
const percent = (probability) => {
  if (probability < 0.001) return "< 0.1 %";
  return probability > 0.999 && probability < 1 ? "> 99.9 %" : `${(probability * 100).toFixed(1)} %`;
};
const milliseconds = (value) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;

export class AnswerView {
  #speaking = null;

  /** told: the answer of /v1/predict. there: milliseconds from asking to having it. */
  show(told, there) {
    const labels = told.predictions[0].labels;
    this.forgetTrouble();
    part("waiting").hidden = true;
    part("result").hidden = false;
    part("best").textContent = labels[0].label;
    part("best").classList.toggle("long", labels.some(({ label }) => !SHORT.test(label)));
    this.#rank(labels);
    part("took").textContent = `${milliseconds(told.milliseconds)} to compute, ${milliseconds(there)} there and back`;
    this.#speak(labels.map(({ label, probability }) => `${label}: ${percent(probability)}`).join(", "));
  }

  /** Back to the empty desk. */
  clear() {
    this.forgetTrouble();
    part("waiting").hidden = false;
    part("result").hidden = true;
    this.#speak("");
  }

  /** again: seconds until the next try; null where the server refused; undefined where it was not even asked. */
  trouble({ text, again }) {
    clearTimeout(this.#speaking);
    if (again === null) part("result").hidden = true; // It was the answer to something else.
    part("result").classList.toggle("old", again > 0);
    // Told anew with each try, it would be read out each time.
    if (part("notice-text").textContent !== text) part("notice-text").textContent = text;
    part("again").hidden = !again;
    part("notice").hidden = false;
  }

  forgetTrouble() {
    part("notice").hidden = true;
    part("result").classList.remove("old");
  }

  // The elements stay, so that a bar grows and shrinks instead of jumping.
  #rank(labels) {
    const list = part("ranks");
    while (list.children.length < labels.length) list.append(rank());
    while (list.children.length > labels.length) list.lastChild.remove();
    labels.forEach(({ label, probability }, place) => {
      const [name, bar, share] = list.children[place].children;
      name.textContent = label;
      bar.firstChild.style.setProperty("--share", probability);
      share.textContent = percent(probability);
    });
  }

  #speak(text) {
    clearTimeout(this.#speaking);
    this.#speaking = setTimeout(() => {
      if (part("spoken").textContent !== text) part("spoken").textContent = text;
    }, REST);
  }
}

function rank() {
  const [row, label, bar, share] = ["li", "span", "span", "span"].map((kind) => document.createElement(kind));
  row.className = "rank";
  label.className = "rank-label";
  bar.className = "bar";
  bar.append(document.createElement("i"));
  share.className = "rank-percent";
  row.append(label, bar, share);
  return row;
}
