// Asks the model: one request at a time, and of all that waits meanwhile only the newest.

const PATIENCE = 30_000;
const PAUSE = 3_000;
const TRY_AGAIN = new Set([429, 502, 503, 504]);

export class Asker {
  #on;
  #next = null;
  #asking = null;
  #again = null;

  /** on: { answer(prediction, milliseconds there and back), trouble({ text, again: seconds | null }), release(id) }. */
  constructor(on) {
    this.#on = on;
    addEventListener("online", () => this.now());
  }

  /** body(): promises the Blob to send; called when its turn has come. */
  ask(body) {
    this.#next = { body };
    // A server that needs a pause gets it, however much is drawn meanwhile.
    if (this.#again === null) this.now();
  }

  /** Sends what waits for its next try at once. */
  now() {
    this.#hurry();
    if (!this.#asking && this.#next) this.#run();
  }

  /** Forgets all that was asked. */
  cancel() {
    this.#hurry();
    this.#next = null;
    this.#asking?.abort("cancelled");
    this.#asking = null;
  }

  #hurry() {
    clearTimeout(this.#again);
    this.#again = null;
  }

  async #run() {
    const [job, control] = [this.#next, new AbortController()];
    this.#next = null;
    this.#asking = control;
    const timer = setTimeout(() => control.abort("late"), PATIENCE);
    let trouble = null;
    try {
      trouble = await this.#send(await job.body(), control.signal);
    } catch (error) {
      trouble = unreachable(error);
    } finally {
      clearTimeout(timer);
    }
    if (this.#asking !== control) return;
    this.#asking = null;
    if (trouble) this.#keep(job, trouble);
    else if (this.#next) this.#run();
  }

  #keep(job, trouble) {
    const newer = this.#next !== null;
    if (trouble.again !== null) {
      this.#next ??= job;
      this.#again = setTimeout(() => this.now(), trouble.again * 1000);
    } else if (newer) {
      this.#run();
      return;
    }
    this.#on.trouble(trouble);
  }

  async #send(body, signal) {
    const started = performance.now();
    const headers = { Accept: "application/json", "Content-Type": body.type || "application/octet-stream" };
    const answer = await fetch("/v1/predict", { method: "POST", body, headers, signal, cache: "no-store" });
    this.#on.release(answer.headers.get("X-Release"));
    if (!answer.ok) return refused(answer, await answer.text());
    const told = await answer.json();
    if (!signal.aborted) this.#on.answer(told, performance.now() - started);
    return null;
  }
}

function refused(answer, text) {
  const detail = detailOf(text);
  if (TRY_AGAIN.has(answer.status)) {
    const seconds = Number(answer.headers.get("Retry-After")) || PAUSE / 1000;
    return { text: `The server cannot answer right now. Nothing is lost: it is asked again in ${seconds} s. ${detail}`.trim(), again: seconds };
  }
  const said = {
    413: "This image is too large for the server.",
    415: "This is no image that the server can read.",
    400: "The server could not read this image.",
  }[answer.status] ?? `The server failed (${answer.status}).`;
  return { text: `${said} ${detail}`.trim(), again: null };
}

function detailOf(text) {
  try {
    const detail = JSON.parse(text).detail ?? "";
    return detail && `${detail[0].toUpperCase()}${detail.slice(1)}.`.replace(/([.!?])\.$/, "$1");
  } catch {
    return ""; // Not from the app but from something between: its own words are HTML.
  }
}

function unreachable(error) {
  // What reading a file fails with: it was changed or taken away, or is a folder.
  if (error instanceof DOMException) return { text: "This file cannot be read. Choose it again, or another one.", again: null };
  if (error instanceof SyntaxError) return { text: "The server's answer could not be read. Reload this page.", again: null };
  const said = navigator.onLine ? "The server cannot be reached." : "You are offline.";
  return { text: `${said} Nothing is lost: it is asked again as soon as there is a connection.`, again: PAUSE / 1000 };
}
