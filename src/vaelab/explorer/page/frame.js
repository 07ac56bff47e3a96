/** The frame: header, maps, readout, tabs and replay, put together in one language. */

import { buildBars } from "./bars.js";
import { button, element } from "./dom.js";
import { buildHeader } from "./header.js";
import { buildMaps } from "./maps.js";
import { buildReadout } from "./readout.js";
import { buildReplay } from "./replay.js";
import { buildTabs } from "./tabs.js";

/** @typedef {import("./explorer.js").Explorer} Explorer */
/**
 * What each part of the frame is given beside the explorer: listeners that end with the frame.
 * @typedef {object} Scope
 * @property {(keys: (keyof import("./explorer.js").State & string)[], call: () => void) => void} listen
 * @property {(end: () => void) => void} atEnd
 */

/** @param {Explorer} explorer */
export function buildFrame(explorer) {
  /** @type {(() => void)[]} */
  const ends = [];
  /** @type {Scope} */
  const scope = {
    listen: (keys, call) => void ends.push(explorer.store.listen(keys, call)),
    atEnd: (end) => void ends.push(end),
  };
  const live = element("div.vx-spoken", { role: "status", "aria-live": "polite" });
  const header = buildHeader(explorer, scope);
  const maps = buildMaps(explorer, scope);
  const readout = buildReadout(explorer, scope);
  const bars = buildBars(explorer, scope);
  const tabs = buildTabs(explorer, scope);
  const replay = buildReplay(explorer, scope);
  const problem = element("div.vx-problem", { role: "alert", hidden: true });
  const showProblem = () => {
    const { problem: text, connected, stale } = explorer.state;
    const words = stale ? explorer.texts.runChanged : connected ? text : explorer.texts.serverGone;
    problem.hidden = !words;
    problem.replaceChildren(words ?? "");
    if (stale) problem.append(" ", button(explorer.texts.loadAnew, explorer.texts.loadAnewTip, () => location.reload()));
  };
  scope.listen(["problem", "connected", "stale"], showProblem);
  showProblem();

  const node = element(
    "div.vx-frame",
    {},
    header,
    problem,
    element("div.vx-main", {}, maps.node, element("aside.vx-side", {}, readout.node, bars, tabs.node)),
    replay.node,
    live,
  );
  return {
    node,
    maps,
    settle: () => maps.settle(),
    fit: () => maps.fit(),
    /** @param {Float32Array} image @param {Float32Array} z */
    showDecoded(image, z) {
      readout.showDecoded(image, z);
      maps.showInset(image);
      tabs.decoded(image);
    },
    /** @param {string} text */
    announce(text) {
      live.textContent = text;
    },
    destroy() {
      for (const end of ends) end();
    },
  };
}
