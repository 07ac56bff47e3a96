/** Draw a digit, or drop an image: normalised, encoded, and put on the map. */

import { button, element, number } from "../dom.js";
import { gaussian, surroundings } from "../densities.js";
import { PICTURED_INK, fitPicture, lightOnDark, normaliseDigit, withChannels } from "../digit.js";
import { negativeElbo } from "../elbo.js";
import { newestWins } from "../latest.js";
import { openPicture } from "../open-picture.js";
import { blank, paint } from "../picture.js";
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
  const words = element("p.vx-words.vx-drawn-words", { "aria-live": "polite" });
  const resample = button(t.resample, t.resampleTip, draw, { disabled: true });
  const pinDrawn = button(t.pinDrawn, t.pinDrawnTip, () => explorer.state.drawing && explorer.pin(Float32Array.from(explorer.state.drawing.z)));
  if (!kept) clearPad();

  const encodeSoon = newestWins(
    async (/** @type {{image: Float32Array, pad: number}} */ { image, pad: version }) => ({ ...(await explorer.encode(image)), image, version }),
    ({ image, mean, log_variance: logVariance, version }) => {
      // What was cleared meanwhile does not come back.
      if (version !== explorer.padVersion) return;
      store.set({ drawing: { image, mean, logVariance: logVariance ?? null, z: mean } });
      explorer.emit("draw", { mean: Array.from(mean) });
    },
    (error) => explorer.fail(error),
  );

  const rebuildSoon = newestWins(
    async (/** @type {Float32Array} */ z) => {
      const { engine, key } = await explorer.ready(pane.index);
      return engine.decode(key, z);
    },
    (values) => explorer.state.drawing && paint(rebuilt, values, shape),
    (error) => explorer.fail(error),
  );

  /** The costs are of the drawing and of the prior chosen. */
  const scoreSoon = newestWins(
    async (/** @type {NonNullable<import("../explorer.js").State["drawing"]>} */ { image, mean, logVariance }) => {
      if (unscored) return null;
      if (logVariance) return negativeElbo(explorer, image, mean, logVariance);
      const { engine, key } = await explorer.ready(pane.index);
      const [logLikelihood] = await engine.likelihoods(key, null, mean, image, pane.run.likelihood);
      return { reconstruction: -logLikelihood, rate: NaN, error: null };
    },
    (score, { mean, logVariance, image }) => explorer.state.drawing?.image === image && say(mean, logVariance, score),
    (error) => explorer.fail(error),
  );

  /** @param {Float32Array} mean @param {Float32Array | null} logVariance @param {import("../elbo.js").Score | null} score */
  function say(mean, logVariance, score) {
    const label = pane.labelOf(surroundings(mean, pane.means, null).nearest);
    const lands = t.lands(writeLatent(mean), label);
    const past = explorer.state.epoch === null ? "" : ` ${t.drawingIsTrained}`;
    words.textContent = lands + costs() + past;

    function costs() {
      if (!score) return unscored ? t.unscored(t[unscored]) : "";
      const cost = number(score.reconstruction, 1);
      if (!logVariance) return t.plainCost(cost);
      if (!Number.isFinite(score.rate)) return t.costWithoutRate(cost);
      const { priorView } = pane;
      const prior = priorView ? t.priorName(priorView.name, priorView.kind) : "";
      const error = score.error === null ? "" : ` ± ${number(score.error, 1)}`;
      return t.cost(number(score.reconstruction + score.rate, 1), error, cost, number(score.rate, 2), pane.run.priors.length > 1 ? prior : "");
    }
  }

  /** @type {import("../explorer.js").State["drawing"]} */
  let before = null;
  function show() {
    const { drawing } = explorer.state;
    resample.disabled = !drawing?.logVariance;
    pinDrawn.disabled = !drawing;
    if (!drawing) {
      words.textContent = "";
      for (const canvas of [seen, rebuilt]) blank(canvas);
    } else {
      if (drawing.image !== before?.image) paint(seen, drawing.image, shape);
      if (drawing.z !== before?.z) rebuildSoon(drawing.z);
      scoreSoon(drawing);
    }
    before = drawing;
  }
  scope.listen(["drawing", "prior", "arrived", "epoch"], show);
  queueMicrotask(show);

  /** A draw from the drawn image's posterior. */
  function draw() {
    const { drawing } = explorer.state;
    if (!drawing?.logVariance) return;
    const { mean, logVariance } = drawing;
    const z = mean.map((value, i) => value + Math.exp(0.5 * logVariance[i]) * gaussian());
    store.set({ drawing: { ...drawing, z } });
  }
  scope.atEnd(explorer.on("resample", draw));

  /** @param {Picture} picture @param {number} [ink] */
  function take(picture, ink) {
    const grey = shape.channels === 1 && normalise === "mnist";
    const field = grey
      ? normaliseDigit(lightOnDark(withChannels(picture, 1)), shape.height, shape.width, ink)
      : fitPicture(picture, shape.height, shape.width, shape.channels);
    const { low = 0, high = 1 } = shape;
    if (field) encodeSoon({ image: field.map((value) => low + value * (high - low)), pad: explorer.padVersion });
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
    if (event.button > 0) return;
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
      explorer.padVersion++;
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
      element("figure.vx-figure.vx-pad-box", {}, pad, element("figcaption", {}, t.padCaption)),
      element(
        "div.vx-pair",
        {},
        element("figure.vx-figure", {}, seen, element("figcaption", { title: t.asSeenTip }, normalise === "mnist" ? t.asSeen : t.asFitted)),
        element("figure.vx-figure", {}, rebuilt, element("figcaption", {}, t.reconstruction)),
      ),
      element(
        "div.vx-actions",
        {},
        button(t.clear, t.clearTip, () => {
          clearPad();
          explorer.padVersion++;
          store.set({ drawing: null });
          words.textContent = "";
        }),
        button(t.openImage, t.openImageTip, () => chooser.click()),
        resample,
        pinDrawn,
        chooser,
      ),
    ),
    words,
  );
  return { node };
}
