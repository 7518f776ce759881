// Strokes, and the picture of them that the model is sent. A stroke is a list of points [x, y], from 0 to 1 across the pad.

// The training digits touch top and bottom, and all have about as much ink, whichever digit they are: 30 % of the picture
// (app/training/data.py). So a 1 is drawn with a broader line than an 8. Lines are measured in heights of the picture.
const INK = 0.3;
const [FINEST, BROADEST] = [0.15, 0.26];
// What is smaller than this share of the pad (a dot) is not blown up to the whole picture.
const SMALLEST = 0.2;
const LEAST_SIDE = 64;

/** Paints the strokes with round lines of `width`, each point moved by `place`. */
export function paint(context, strokes, width, place) {
  context.lineCap = context.lineJoin = "round";
  context.strokeStyle = context.fillStyle = "#fff";
  context.lineWidth = width;
  for (const stroke of strokes) {
    const points = stroke.map(place);
    context.beginPath();
    if (points.length === 1) {
      context.arc(...points[0], width / 2, 0, 2 * Math.PI);
      context.fill();
      continue;
    }
    trace(context, points);
    context.stroke();
  }
}

/** Goes through the middles between points, so that a hand's corners come out round. */
function trace(context, points) {
  context.moveTo(...points[0]);
  for (let place = 1; place < points.length - 1; place++) {
    const [x, y] = points[place];
    const [nextX, nextY] = points[place + 1];
    context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
  }
  context.lineTo(...points[points.length - 1]);
}

/** The strokes as a PNG for a model that takes `width` x `height`: as tall as the picture (or as wide, where that is more), in its middle. */
export function picture(strokes, width, height) {
  const enlarged = Math.max(1, Math.ceil(LEAST_SIDE / Math.min(width, height)));
  const canvas = document.createElement("canvas");
  canvas.width = width * enlarged;
  canvas.height = height * enlarged;
  const context = canvas.getContext("2d", { alpha: false });
  context.fillStyle = "#000";
  context.fillRect(0, 0, canvas.width, canvas.height);
  const ink = boundsOf(strokes);
  const line = canvas.height * lineOf(strokes, ink);
  paint(context, strokes, line, fitting(ink, canvas, line));
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("this browser could not make a PNG"))), "image/png");
  });
}

function boundsOf(strokes) {
  const points = strokes.flat();
  const [xs, ys] = [points.map((point) => point[0]), points.map((point) => point[1])];
  const [left, right, top, bottom] = [least(xs), most(xs), least(ys), most(ys)];
  return { x: (left + right) / 2, y: (top + bottom) / 2, wide: Math.max(right - left, SMALLEST), tall: Math.max(bottom - top, SMALLEST) };
}

function lineOf(strokes, ink) {
  const steps = strokes.flatMap((stroke) => stroke.slice(1).map(([x, y], place) => Math.hypot(x - stroke[place][0], y - stroke[place][1])));
  const length = steps.reduce((one, other) => one + other, 0) / Math.max(ink.wide, ink.tall);
  return Math.min(BROADEST, Math.max(FINEST, INK / length));
}

function fitting(ink, canvas, line) {
  const scale = Math.min((canvas.width - line) / ink.wide, (canvas.height - line) / ink.tall);
  return ([x, y]) => [canvas.width / 2 + (x - ink.x) * scale, canvas.height / 2 + (y - ink.y) * scale];
}

// Not Math.min(...values): a long scribble has more points than a call may have arguments.
const least = (values) => values.reduce((one, other) => Math.min(one, other));
const most = (values) => values.reduce((one, other) => Math.max(one, other));
