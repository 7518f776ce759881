// The footer: which release answers. Each answer names its release; when that changes, the footer follows.

const part = (id) => document.getElementById(id);

let shown; // undefined until the first answer
let asking = false;

/** release: what an answer's X-Release said. */
export async function follow(release) {
  if (release === shown || asking) return;
  asking = true;
  try {
    const answer = await fetch("/version", { cache: "no-store" });
    if (!answer.ok) throw new Error(`/version answered ${answer.status}`);
    show(await answer.json());
    shown = answer.headers.get("X-Release");
  } catch {
    // Asked again with the next answer; until then the footer says so.
    if (shown === undefined) part("release-id").textContent = "not known while the server cannot be reached";
  } finally {
    asking = false;
  }
}

function show(version) {
  fill("release-id", version.release, "not a release");
  fill("release-commit", version.commit, "none", 12);
  fill("release-model", [version.model, version.model_version].filter(Boolean).join(" "), "none");
  part("release-since").replaceChildren(version.since ? since(version.since) : "not told");
}

function fill(id, text, otherwise, most = 28) {
  const long = text?.length > most;
  part(id).textContent = long ? `${text.slice(0, most)}…` : text || otherwise;
  if (long) part(id).title = text;
  else part(id).removeAttribute("title");
}

function since(moment) {
  const time = document.createElement("time");
  time.dateTime = moment;
  time.textContent = new Date(moment).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  return time;
}
