/** Beside the map: the decoded image, the nearest test image, and how far from data this place is. */

import { element, number, write } from "./dom.js";
import { paint } from "./picture.js";

/** Milliseconds for which the pointer rests before a screen reader is told where it is. */
const REST = 350;

/** @param {import("./explorer.js").Explorer} explorer @param {import("./frame.js").Scope} scope */
export function buildReadout(explorer, scope) {
  const { texts: t } = explorer;
  const decoded = element("canvas.vx-decoded", { role: "img", "aria-label": t.decodedImage });
  const nearest = element("canvas.vx-nearest", { role: "img", "aria-label": t.nearestImage });
  const nearestText = element("figcaption");
  const where = element("dd.vx-z");
  const prior = element("dd");
  const aggregate = element("dd");
  const aggregateName = element("dt", { title: t.logAggregateTip });
  const needle = element("i");
  const meter = element(
    "div.vx-meter",
    { role: "meter", "aria-label": t.meter, "aria-valuemin": "0", "aria-valuemax": "100", title: t.meterTip },
    needle,
  );
  const meterText = element("p.vx-verdict");
  const far = element("div.vx-far", {}, meter, meterText);
  const standing = element("span.vx-standing");
  let shownNearest = -1;
  let saying = "";
  let restless = 0;
  /** @type {ReturnType<typeof setTimeout> | null} */
  let speaking = null;

  /** Speak once the pointer has rested: one timer, however often it moves. */
  function speak() {
    const rest = restless + REST - performance.now();
    speaking = rest > 1 ? setTimeout(speak, rest) : null;
    if (!speaking) explorer.announce(saying);
  }

  function update() {
    const { pane, state } = explorer;
    const { z, by, image: own } = state.look;
    // An image says nothing about how close it lies to data: it is left out of its own average.
    const around = explorer.surroundings();
    // Where the replay does not follow the pinned image, that image is named all the same.
    const pinned = by === "pin" && state.pinImage !== null;
    const image = pinned ? /** @type {number} */ (state.pinImage) : around.nearest;
    if (image !== shownNearest) paint(nearest, pane.thumbnailOf(image), pane.run.image, true);
    shownNearest = image;
    const label = pane.labelOf(image);
    const lost = pinned && own === null ? t.notFollowed : "";
    write(nearestText, `${pinned ? t.pinnedImage : t.nearestImage} ${pane.indices[image]}${label && ` · ${label}`}${lost}`);
    write(where, writeLatent(z));
    const logPrior = pane.logPrior(z);
    write(prior, Number.isFinite(logPrior) ? t.nats(number(logPrior)) : pane.priorView?.pending ? t.onItsWay : pane.priorView ? t.notHere : "–");
    const dense = Number.isFinite(around.logDensity);
    write(aggregate, dense ? t.nats(number(around.logDensity)) : t.distance(number(around.distance)));
    write(aggregateName, !pane.logVariances ? t.toNearest : own === null ? "log q(z)" : t.withoutIt);
    const share = pane.familiarity(z, "means", around);
    needle.style.transform = `translateX(${(100 * share).toFixed(1)}%)`;
    meter.setAttribute("aria-valuenow", (100 * share).toFixed(0));
    // The quantiles are those of the trained model: an earlier epoch has others.
    far.hidden = state.epoch !== null;
    const verdict = share < 0.01 ? "far" : share < 0.1 ? "sparse" : "near";
    if (meter.dataset.verdict !== verdict) meter.dataset.verdict = verdict;
    const words = verdict === "far" ? t.farFromData : verdict === "sparse" ? t.sparse(100 * share) : t.nearData(100 * share);
    write(meterText, words);
    const place = by === "hover" ? t.underPointer : by === "way" ? t.onTheWay : t.pinnedPlace;
    write(standing, explorer.standsIn ? `${place}, ${t.byTrained}` : place);
    saying = t.spoken(writeLatent(z), label, words);
    restless = performance.now();
    speaking ??= setTimeout(speak, REST);
  }
  scope.listen(["look", "prior", "epoch", "arrived"], update);
  scope.atEnd(() => speaking && clearTimeout(speaking));
  update();
  if (explorer.decodedImage) paint(decoded, explorer.decodedImage, explorer.pane.run.image);
  else paintBaked();

  /** Before the weights are there: the middle of the grid that Python decoded. */
  function paintBaked() {
    const { pane, state } = explorer;
    if (state.epoch !== null || state.look.z.some((value) => value !== 0)) return;
    const grid = pane.bundle.columns.get(`${pane.index}/manifold`);
    const places = pane.run.manifold?.z;
    if (!grid || !places) return;
    const middle = Math.floor((places.length * places.length) / 2) * pane.pixels;
    paint(decoded, grid.subarray(middle, middle + pane.pixels), pane.run.image, true);
  }

  const node = element(
    "section.vx-readout",
    { "aria-label": t.readout },
    element("figure.vx-figure", {}, decoded, element("figcaption", {}, t.decodedImage, " ", standing)),
    element(
      "div.vx-beside",
      {},
      element("figure.vx-figure.vx-small", {}, nearest, nearestText),
      element(
        "dl.vx-numbers",
        {},
        element("dt", {}, "z"),
        where,
        element("dt", { title: t.logPriorTip }, "log p(z)"),
        prior,
        aggregateName,
        aggregate,
      ),
    ),
    far,
  );
  return {
    node,
    /** @param {Float32Array} image @param {Float32Array} z */
    showDecoded(image, z) {
      paint(decoded, image, explorer.pane.run.image);
      decoded.dataset.z = Array.from(z).join(",");
    },
  };
}

/** @param {ArrayLike<number>} z */
export function writeLatent(z) {
  const shown = Array.from(z).slice(0, 6).map((value) => number(value));
  return `(${shown.join(", ")}${z.length > 6 ? ", …" : ""})`;
}
