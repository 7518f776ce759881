// Images from elsewhere: chosen, dropped anywhere on the page, or pasted. They are sent as they are.

const part = (id) => document.getElementById(id);

/** take(file): an image. refuse(text): what came is none, and why. */
export function watchIntake(take, refuse) {
  const [pad, input] = [part("pad"), part("file")];
  const most = Number(input.dataset.most);
  const receive = (files, none) => {
    const fault = files.length ? faultOf(files, most) : none;
    if (fault) refuse(fault);
    else take(files[0]);
  };
  const choose = () => input.click();
  part("choose").addEventListener("click", choose);
  if (pad.tagName === "BUTTON") pad.addEventListener("click", choose);
  input.addEventListener("change", () => {
    if (input.files.length) receive(input.files);
    input.value = ""; // The same file may be chosen twice.
  });
  addEventListener("paste", (event) => {
    receive(event.clipboardData.files, "What you pasted is no image. Copy the image itself, not its address.");
  });
  watchDrops(pad, receive);
}

function watchDrops(pad, receive) {
  const aimed = (event, is) => {
    event.preventDefault();
    pad.classList.toggle("aimed", is);
  };
  addEventListener("dragover", (event) => aimed(event, true));
  addEventListener("dragleave", (event) => aimed(event, false));
  addEventListener("drop", (event) => {
    aimed(event, false);
    receive(event.dataTransfer.files, "What you dropped is no file. Save the image first, then drop the file.");
  });
}

function faultOf(files, most) {
  if (files.length > 1) return `Those are ${files.length} files, and this page takes one at a time. Choose one of them.`;
  const [file] = files;
  const name = file.name ? `“${file.name}”` : "What you pasted";
  if (file.type && !file.type.startsWith("image/")) return `${name} is no image but ${file.type}. Choose a PNG, JPEG, WebP, GIF or BMP file.`;
  if (file.size > most) return `${name} has ${megabytes(file.size)}; this server takes ${megabytes(most)} at most. Choose a smaller one.`;
  return file.size ? null : `${name} is empty. Choose another file.`;
}

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
