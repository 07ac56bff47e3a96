/** Which of a prior's draws a sheet shows: chosen by the number of the sheet, so that it is the same whenever it is drawn anew. */

import { columnIfAny } from "./bundle.js";

export const SHEET = 40;

/**
 * @param {import("./pane.js").Pane} pane @param {{prior: number, order: string, sheet: number, epoch: number | null}} state
 * @returns {Float32Array[]} none where the run has no prior, or it has not come yet
 */
export function chosenSamples(pane, { prior, order, sheet }) {
  const draws = drawsOf(pane, prior);
  if (!draws.length) return [];
  const random = randomFrom(sheet);
  if (order === "drawn") return Array.from({ length: SHEET }, () => draws[Math.floor(random() * draws.length)]);
  const emptiness = draws.map((z) => (pane.shown.logVariances ? pane.around(z).logDensity : -pane.around(z).distance));
  const sorted = draws.map((_, place) => place).sort((a, b) => emptiness[a] - emptiness[b]);
  if (order === "dense") sorted.reverse();
  return sorted.slice(0, SHEET).map((place) => draws[place]);
}

/** All the draws that Python made. @param {import("./pane.js").Pane} pane @param {number} prior @returns {Float32Array[]} */
export function drawsOf(pane, prior) {
  const draws = columnIfAny(pane.bundle, pane.index, `prior/${prior}/draws`);
  if (!draws) return [];
  const { size } = pane;
  return Array.from({ length: draws.length / size }, (_, row) => draws.subarray(row * size, (row + 1) * size));
}

/** Numbers in [0, 1) that follow from a seed ("mulberry32" by Tommy Ettinger, public domain). @param {number} seed */
export function randomFrom(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
