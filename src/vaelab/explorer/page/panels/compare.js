/** Two runs, or two priors of one, side by side and linked: the same image in both. */

import { element, number, select } from "../dom.js";
import { newestWins } from "../latest.js";
import { paint } from "../picture.js";

/** @param {import("../explorer.js").Explorer} explorer @param {import("../frame.js").Scope} scope */
export function buildCompare(explorer, scope) {
  const { texts: t, bundle } = explorer;
  const { runs } = bundle.manifest;
  const choices = runs.flatMap((run, index) => {
    const priors = run.priors.length ? run.priors.map((_, prior) => prior) : [-1];
    return priors
      .filter((prior) => index !== 0 || (runs[0].priors.length > 1 && prior !== -1))
      .map((prior) => ({ run: index, prior }));
  });
  if (!explorer.state.other) return { node: element("p.vx-words", {}, t.nothingToCompare) };

  const pictures = [0, 1, 2].map(() => element("canvas.vx-seen", { role: "img" }));
  const captions = pictures.map(() => element("figcaption"));
  const table = element("table.vx-table");
  const words = element("p.vx-words");

  const decodeSoon = newestWins(
    async (/** @type {Float32Array} */ z) => explorer.decode(z, 1),
    (image) => explorer.state.second && paint(pictures[2], image, explorer.state.second.run.image),
    (error) => explorer.fail(error),
  );

  function update() {
    const { state, pane } = explorer;
    const { second: other, hover: hovered } = state;
    if (!other) return;
    choice.value = `${other.index}/${other.prior}`;
    const from = hovered ? state.hoverPane : 0;
    const z = hovered ?? state.pin;
    const here = from === 0 ? pane : other;
    const pinned = !hovered && state.pinImage !== null && state.pinImage < pane.count ? state.pinImage : null;
    const nearest = pinned ?? here.around(z).nearest;
    const twin = explorer.counterpart(from, nearest);
    const inMain = from === 0 ? nearest : twin;
    const inOther = from === 0 ? twin : nearest;
    const samePlace = other.index === pane.index;
    // On the other map the same image; of the same run the same place. An image is left out of the average of its own mean.
    const [mainOwn, otherOwn] = samePlace ? [pinned, pinned] : [from === 0 ? pinned : inMain, from === 1 ? null : inOther];
    const zOther = from === 1 || samePlace ? z : inOther === null || inOther >= other.count ? null : other.meanOf(inOther);
    const zMain = from === 0 || samePlace ? z : inMain === null || inMain >= pane.count ? null : pane.meanOf(inMain);
    paint(pictures[0], here.thumbnailOf(nearest), here.run.image, true);
    captions[0].textContent = t.testImage(here.indices[nearest], here.labelOf(nearest));
    const [mainName, otherName] = [pane, other].map((side) =>
      samePlace && side.priorView ? t.priorName(side.priorView.name, side.priorView.kind) : side.run.name,
    );
    captions[1].textContent = mainName;
    captions[2].textContent = otherName;
    if (from === 1 && zMain) void explorer.decode(zMain).then((image) => paint(pictures[1], image, pane.run.image), (error) => explorer.fail(error));
    if (zOther) decodeSoon(zOther);
    words.hidden = twin !== null;
    words.textContent = t.notLinked;
    /** @typedef {import("../pane.js").Pane} Pane */
    const rows = /** @type {[string, (side: Pane, z: Float32Array | null, own: number | null) => string][]} */ ([
      [t.prior, (side) => (side.priorView ? t.priorName(side.priorView.name, side.priorView.kind) : "–")],
      ["log p(z)", (side, at) => number(at ? side.logPrior(at) : NaN)],
      [pinned === null ? "log q(z)" : t.withoutIt, (side, at, own) => number(at ? side.around(at, own).logDensity : NaN)],
      [t.familiarity, (side, at, own) => (at && side.epoch === null ? `${number(100 * side.familiarity(at, "means", side.around(at, own)), 0)} %` : "–")],
      [t.totalKl, (side) => (side.logVariances ? t.nats(number(side.shown.kl.reduce((sum, part) => sum + part, 0))) : "–")],
      ["β", (side) => String(Number(side.run.beta.toPrecision(3)))],
      [t.validation, (side) => number(recordOf(side)?.val_loss ?? NaN, 1)],
    ]);
    table.replaceChildren(
      element("tr", {}, element("th"), element("th", { scope: "col" }, mainName), element("th", { scope: "col" }, otherName)),
      ...rows.map(([name, value]) =>
        element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, value(pane, zMain, mainOwn)), element("td", {}, value(other, zOther, otherOwn))),
      ),
    );
  }
  scope.listen(["hover", "hoverPane", "pin", "pinImage", "prior", "second", "epoch", "arrived"], update);

  const chosen = explorer.state.other;
  const choice = select(
    t.compareTip,
    choices.map(({ run, prior }) => [
      `${run}/${prior}`,
      `${runs[run].name}${prior >= 0 ? ` · ${t.priorName(runs[run].priors[prior].name, runs[run].priors[prior].kind)}` : ""}`,
    ]),
    `${chosen.run}/${chosen.prior}`,
    (value) => {
      const [run, prior] = value.split("/").map(Number);
      explorer.compareWith({ run, prior });
    },
  );
  const node = element(
    "div",
    {},
    element(
      "div.vx-actions",
      {},
      element("span", {}, t.compareWith),
      choice,
    ),
    element(
      "div.vx-row",
      {},
      ...pictures.map((canvas, place) => element("figure.vx-figure.vx-small", {}, canvas, captions[place])),
    ),
    table,
    words,
  );
  return {
    node,
    open() {
      if (explorer.decodedImage) paint(pictures[1], explorer.decodedImage, explorer.pane.run.image);
      update();
    },
    /** @param {Float32Array} image */
    decoded(image) {
      if (explorer.state.hoverPane === 0 || !explorer.state.hover) paint(pictures[1], image, explorer.pane.run.image);
    },
  };
}

/** What was measured after the epoch that a pane shows. @param {import("../pane.js").Pane} side */
function recordOf({ run, epoch }) {
  const { metrics, snapshots } = run;
  return epoch === null ? metrics.at(-1) : metrics.find((record) => record.epoch === snapshots[epoch].epoch);
}
