// Drawing by keyboard: keys move a pen over the pad, which draws while it is down.

const STEP = 1 / 20;
const MOVES = {
  ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0],
  // As they lie on a number pad: 7, 9, 1 and 3.
  Home: [-1, -1], PageUp: [1, -1], End: [-1, 1], PageDown: [1, 1],
};

export class KeyPen {
  #pad;
  #mark;
  #say;
  #at = [0.5, 0.5];
  #stroke = null;

  /** say(text): tells what the pen does to those who do not see it. */
  constructor(element, pad, say) {
    this.#pad = pad;
    this.#say = say;
    this.#mark = document.createElement("span");
    this.#mark.className = "pen";
    this.#mark.hidden = true;
    element.append(this.#mark);
    element.addEventListener("keydown", (event) => this.#press(event));
    element.addEventListener("blur", () => this.lift());
    element.addEventListener("pointerdown", () => this.lift());
  }

  lift() {
    this.#stroke = null;
    this.#mark.hidden = true;
  }

  #press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " ") {
      if (!event.repeat) this.#toggle();
    } else if (event.key === "Backspace" || event.key === "Delete") {
      this.#stroke = null;
      this.#pad.undo();
    } else if (event.key in MOVES) this.#move(MOVES[event.key]);
    else return;
    event.preventDefault();
    this.#show();
  }

  #toggle() {
    this.#stroke = this.#stroke ? null : this.#pad.begin(this.#at);
    const [column, row] = this.#at.map((part) => Math.round(part / STEP));
    this.#say(`Pen ${this.#stroke ? "down" : "up"} at column ${column}, row ${row} of ${1 / STEP}`);
  }

  #move([right, down]) {
    const inside = (part) => Math.min(1 - STEP, Math.max(STEP, part));
    this.#at = [inside(this.#at[0] + right * STEP), inside(this.#at[1] + down * STEP)];
    if (this.#stroke && !this.#pad.strokes.includes(this.#stroke)) this.#stroke = null;
    if (this.#stroke) this.#pad.extend(this.#stroke, [this.#at]);
  }

  #show() {
    this.#mark.hidden = false;
    this.#mark.classList.toggle("down", this.#stroke !== null);
    this.#mark.style.left = `${this.#at[0] * 100}%`;
    this.#mark.style.top = `${this.#at[1] * 100}%`;
  }
}
