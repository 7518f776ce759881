// Wires the page: what is drawn, chosen or clicked goes to the model, and its answer is shown.

import { AnswerView } from "./answer.js";
import { Asker } from "./ask.js";
import { picture } from "./ink.js";
import { watchIntake } from "./intake.js";
import { KeyPen } from "./keys.js";
import { Pad } from "./pad.js";
import { follow } from "./release.js";

const DRAWING_PAUSE = 60;
const LOOK_AGAIN = 3_000;
const part = (id) => document.getElementById(id);

function start() {
  const view = new AnswerView();
  const asker = new Asker({
    answer: (told, there) => view.show(told, there),
    trouble: (trouble) => view.trouble(trouble),
    release: follow,
  });
  const pad = part("ink") ? drawable(asker, view) : null;
  const send = (address, body) => {
    pad?.clear();
    showPicture(address);
    if (pad) refresh(false);
    asker.cancel();
    asker.ask(body);
  };
  watchIntake((file) => send(URL.createObjectURL(file), () => contentOf(file)), (text) => view.trouble({ text }));
  watchExamples(send);
  part("again").addEventListener("click", () => asker.now());
}

/** The pad with its keys and buttons; every change of its ink asks again. */
function drawable(asker, view) {
  const element = part("pad");
  const { width, height } = element.dataset;
  let waiting = null;
  const say = (text) => (part("pen").textContent = text);
  const pad = new Pad(element, () => {
    if (pad.empty) return reset();
    showPicture(null);
    refresh(true);
    waiting ??= setTimeout(ask, DRAWING_PAUSE);
    return undefined;
  });
  const pen = new KeyPen(element, pad, say);
  const ask = () => {
    waiting = null;
    asker.ask(() => picture(pad.strokes, Number(width), Number(height)));
  };
  const reset = () => {
    clearTimeout(waiting);
    waiting = null;
    asker.cancel();
    pen.lift();
    showPicture(null);
    refresh(false);
    view.clear();
  };
  const clear = () => {
    pad.clear();
    reset();
    say("Cleared");
  };
  const undo = () => pad.undo();
  part("undo").addEventListener("click", undo);
  part("clear").addEventListener("click", clear);
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") clear();
    else if (event.key === "z" && (event.ctrlKey || event.metaKey)) undo();
  });
  return pad;
}

function refresh(inked) {
  const shown = !part("preview").hidden;
  part("undo").disabled = !inked;
  part("clear").disabled = !inked && !shown;
}

/** Shows the image at an address in the pad's place; with null, the pad again. */
function showPicture(address) {
  const preview = part("preview");
  URL.revokeObjectURL(preview.src);
  for (const example of document.querySelectorAll(".example")) example.ariaPressed = null;
  preview.hidden = !address;
  if (!address) return preview.removeAttribute("src");
  preview.src = address;
  preview.onload = () => preview.classList.toggle("tiny", preview.naturalWidth < 100);
  preview.onerror = () => (preview.hidden = true); // The server says what is wrong with it.
  return undefined;
}

function watchExamples(send) {
  for (const example of document.querySelectorAll(".example")) {
    example.addEventListener("click", () => {
      const address = example.querySelector("img").src;
      send(address, () => contentAt(address));
      example.ariaPressed = "true";
    });
  }
}

/** Read before it is sent: a file that cannot be read is no trouble of the server. */
async function contentOf(file) {
  return new Blob([await file.arrayBuffer()], { type: file.type });
}

/** The picture that the page shows, also where the server is away or has another one by now. */
async function contentAt(address) {
  const answer = await fetch(address, { cache: "force-cache" });
  if (!answer.ok) throw new Error(`${address} answered ${answer.status}`);
  return answer.blob();
}

async function lookAgain() {
  try {
    if ((await fetch("/readyz", { cache: "no-store" })).ok) return location.reload();
  } catch {
    // The server is away: the next look may find it.
  }
  return setTimeout(lookAgain, LOOK_AGAIN);
}

follow("unknown yet");
if (document.body.dataset.ready === "yes") start();
else setTimeout(lookAgain, LOOK_AGAIN);
