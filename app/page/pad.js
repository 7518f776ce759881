// The drawing pad: mouse, finger and pen draw strokes. The keyboard's pen is in keys.js.

import { paint } from "./ink.js";

const LINE = 0.07;

export class Pad {
  strokes = [];
  #element;
  #canvas;
  #drawing = new Map();
  #changed;
  #frame = null;

  /** changed(): called whenever there is more or less ink. */
  constructor(element, changed) {
    this.#element = element;
    this.#canvas = element.querySelector("canvas");
    this.#changed = changed;
    element.addEventListener("pointerdown", (event) => this.#begin(event));
    element.addEventListener("pointermove", (event) => this.#go(event));
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      element.addEventListener(end, (event) => this.#drawing.delete(event.pointerId));
    }
    new ResizeObserver(() => this.show()).observe(element);
  }

  get empty() {
    return this.strokes.length === 0;
  }

  begin(point) {
    this.strokes.push([point]);
    this.#tell();
    return this.strokes.at(-1);
  }

  extend(stroke, points) {
    stroke.push(...points);
    this.#tell();
  }

  undo() {
    this.#drawing.clear();
    if (this.strokes.pop()) this.#tell();
  }

  clear() {
    this.#drawing.clear();
    if (this.empty) return;
    this.strokes = [];
    this.#tell();
  }

  /** Paints all ink anew, as sharp as the screen can show it. */
  show() {
    this.#frame = null;
    const side = Math.round(this.#element.clientWidth * devicePixelRatio);
    if (this.#canvas.width !== side) this.#canvas.width = this.#canvas.height = side;
    const context = this.#canvas.getContext("2d");
    context.clearRect(0, 0, side, side);
    paint(context, this.strokes, LINE * side, ([x, y]) => [x * side, y * side]);
  }

  #begin(event) {
    if (event.button !== 0) return;
    // The click must not select text or take the focus elsewhere, yet the keys should work on from here.
    event.preventDefault();
    this.#element.focus({ preventScroll: true, focusVisible: false });
    this.#element.setPointerCapture(event.pointerId);
    this.#drawing.set(event.pointerId, this.begin(this.#point(event)));
  }

  #go(event) {
    const stroke = this.#drawing.get(event.pointerId);
    if (!stroke) return;
    // A fast hand moves further between two frames than a straight line should bridge.
    const all = event.getCoalescedEvents?.() ?? [];
    this.extend(stroke, (all.length ? all : [event]).map((one) => this.#point(one)));
  }

  #point(event) {
    const box = this.#element.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  #tell() {
    // Many moves of a hand come between two frames: they are painted once.
    this.#frame ??= requestAnimationFrame(() => this.show());
    this.#changed();
  }
}
