/** Draw a digit, or drop an image: normalised, encoded, and put on the map. */

import { button, element, number } from "../dom.js";
import { divergences, gaussian, LOG_TWO_PI } from "../densities.js";
import { PICTURED_INK, fitPicture, lightOnDark, normaliseDigit, withChannels } from "../digit.js";
import { newestWins } from "../latest.js";
import { openPicture } from "../open-picture.js";
import { paint } from "../picture.js";
import { writeLatent } from "../readout.js";

const SIDE = 196;
const PEN = 15;

/** @typedef {import("../digit.js").Picture} Picture */

/** @param {import("../explorer.js").Explorer} explorer @param {import("../frame.js").Scope} scope */
export function buildDraw(explorer, scope) {
  const { texts: t, store, pane } = explorer;
  const { image: shape, normalise } = pane.run;
  const unscored = pane.unscored;
  const kept = explorer.pad;
  const pad = (explorer.pad = kept ?? element("canvas.vx-pad", { width: SIDE, height: SIDE, tabIndex: 0, role: "img" }));
  pad.setAttribute("aria-label", t.padLabel);
  pad.title = t.padTip;
  const pen = /** @type {CanvasRenderingContext2D} */ (pad.getContext("2d", { willReadFrequently: true }));
  const seen = element("canvas.vx-seen", { role: "img", "aria-label": t.asSeen });
  const rebuilt = element("canvas.vx-seen", { role: "img", "aria-label": t.reconstruction });
  const words = element("p.vx-words", { "aria-live": "polite" });
  const resample = button(t.resample, t.resampleTip, draw, { disabled: true });
  if (kept) {
    const { drawn } = explorer.state;
    if (drawn) queueMicrotask(() => encodeSoon(drawn.image));
  } else clearPad();

  const encodeSoon = newestWins(
    (/** @type {Float32Array} */ image) => encodeAndDecode(image),
    (found) => show(found),
    (error) => explorer.fail(error),
  );

  /** @param {Float32Array} image */
  async function encodeAndDecode(image) {
    const { mean, log_variance: logVariance } = await explorer.encode(image);
    return { image, mean, logVariance: logVariance ?? null, rebuilt: await rebuild(mean, image) };
  }

  /** The reconstruction from z and its cost in nats. @param {Float32Array} z @param {Float32Array} image */
  async function rebuild(z, image) {
    const { engine, key } = await explorer.ready(0);
    const [values, likelihood] = [await engine.decode(key, z), pane.run.likelihood];
    if (unscored) return { values, cost: NaN };
    const [logLikelihood] = await engine.likelihoods(key, null, z, image, likelihood);
    return { values, cost: -logLikelihood };
  }

  /** @param {Awaited<ReturnType<typeof encodeAndDecode>>} found */
  function show({ image, mean, logVariance, rebuilt: { values, cost } }) {
    paint(seen, image, shape);
    paint(rebuilt, values, shape);
    const rate = logVariance ? rateOf(mean, logVariance) : 0;
    const around = pane.around(mean);
    const label = pane.labelOf(around.nearest);
    words.textContent = unscored
      ? t.drawnWordsUnscored(writeLatent(mean), label, t[unscored])
      : logVariance
        ? t.drawnWords(writeLatent(mean), number(cost + rate, 1), number(cost, 1), number(rate, 2), label)
        : t.drawnWordsPlain(writeLatent(mean), number(cost, 1), label);
    resample.disabled = !logVariance;
    store.set({ drawn: { image, mean, logVariance, z: mean } });
    explorer.emit("draw", { mean: Array.from(mean) });
  }

  /** KL(q || p) in nats: in closed form against a standard normal, else at the mean's own draws. @param {Float32Array} mean @param {Float32Array} logVariance */
  function rateOf(mean, logVariance) {
    const { mixture, priorView } = pane;
    if (!priorView || priorView.kind === "normal" || !mixture) return divergences(mean, logVariance).reduce((sum, part) => sum + part, 0);
    let sum = 0;
    const draws = 256;
    for (let k = 0; k < draws; k++) {
      let logQ = 0;
      const z = mean.map((value, i) => {
        const noise = gaussian();
        logQ -= 0.5 * (noise * noise + logVariance[i] + LOG_TWO_PI);
        return value + Math.exp(0.5 * logVariance[i]) * noise;
      });
      sum += (logQ - pane.logPrior(z)) / draws;
    }
    return sum;
  }

  /** A draw from the drawn image's posterior. */
  async function draw() {
    const { drawn } = explorer.state;
    if (!drawn?.logVariance) return;
    const { mean, logVariance, image } = drawn;
    const z = mean.map((value, i) => value + Math.exp(0.5 * logVariance[i]) * gaussian());
    const { values } = await rebuild(z, image);
    paint(rebuilt, values, shape);
    store.set({ drawn: { ...drawn, z } });
  }
  scope.atEnd(explorer.on("resample", () => void draw()));

  /** @param {Picture} picture @param {number} [ink] */
  function take(picture, ink) {
    const grey = shape.channels === 1 && normalise === "mnist";
    const field = grey
      ? normaliseDigit(lightOnDark(withChannels(picture, 1)), shape.height, shape.width, ink)
      : fitPicture(picture, shape.height, shape.width, shape.channels);
    const { low = 0, high = 1 } = shape;
    if (field) encodeSoon(field.map((value) => low + value * (high - low)));
  }

  function readPad() {
    const { data } = pen.getImageData(0, 0, SIDE, SIDE);
    const pixels = Float32Array.from({ length: SIDE * SIDE }, (_, i) => data[4 * i] / 255);
    if (pixels.some((value) => value > 0.1)) take({ width: SIDE, height: SIDE, channels: 1, pixels });
  }

  function clearPad() {
    pen.fillStyle = "#000";
    pen.fillRect(0, 0, SIDE, SIDE);
  }

  /** @type {[number, number] | null} */
  let last = null;
  /** @param {PointerEvent} event */
  function stroke(event) {
    const box = pad.getBoundingClientRect();
    const [x, y] = [((event.clientX - box.left) / box.width) * SIDE, ((event.clientY - box.top) / box.height) * SIDE];
    pen.strokeStyle = "#fff";
    pen.lineWidth = PEN;
    pen.lineCap = pen.lineJoin = "round";
    pen.beginPath();
    pen.moveTo(...(last ?? [x, y]));
    pen.lineTo(x, y + (last ? 0 : 0.01));
    pen.stroke();
    last = [x, y];
  }
  pad.onpointerdown = (/** @type {PointerEvent} */ event) => {
    pad.setPointerCapture(event.pointerId);
    last = null;
    stroke(event);
  };
  pad.onpointermove = (/** @type {PointerEvent} */ event) => {
    if (!event.buttons) return;
    for (const part of event.getCoalescedEvents?.() ?? [event]) stroke(part);
    readPad();
  };
  pad.onpointerup = () => {
    last = null;
    readPad();
  };

  /** @param {File | undefined | null} file */
  async function takeFile(file) {
    if (!file) return;
    try {
      const picture = await (explorer.options.readPicture ?? openPicture)(file);
      clearPad();
      take(picture, PICTURED_INK);
      words.textContent = t.opened(file.name);
    } catch (error) {
      words.textContent = t.notAnImage(file.name, /** @type {Error} */ (error).message);
    }
  }
  const chooser = element("input", { type: "file", accept: "image/*", hidden: true, onchange: () => takeFile(chooser.files?.[0]) });
  /** @param {DragEvent} event */
  const over = (event) => {
    event.preventDefault();
    node.classList.add("vx-over");
  };
  const node = element(
    "div.vx-draw",
    {
      ondragover: over,
      ondragleave: () => node.classList.remove("vx-over"),
      ondrop: (/** @type {DragEvent} */ event) => {
        event.preventDefault();
        node.classList.remove("vx-over");
        void takeFile(event.dataTransfer?.files[0]);
      },
    },
    element(
      "div.vx-row",
      {},
      element("figure.vx-figure", {}, pad, element("figcaption", {}, t.padCaption)),
      element(
        "div.vx-column",
        {},
        element(
          "div.vx-pair",
          {},
          element("figure.vx-figure", {}, seen, element("figcaption", { title: t.asSeenTip }, normalise === "mnist" ? t.asSeen : t.asFitted)),
          element("figure.vx-figure", {}, rebuilt, element("figcaption", {}, t.reconstruction)),
        ),
        words,
      ),
    ),
    element(
      "div.vx-actions",
      {},
      button(t.clear, t.clearTip, () => {
        clearPad();
        store.set({ drawn: null });
        words.textContent = "";
        resample.disabled = true;
      }),
      button(t.openImage, t.openImageTip, () => chooser.click()),
      resample,
      button(t.pinDrawn, t.pinDrawnTip, () => explorer.state.drawn && explorer.pin(Float32Array.from(explorer.state.drawn.z))),
      chooser,
    ),
  );
  return { node };
}
