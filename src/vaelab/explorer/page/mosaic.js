/** The decoded manifold as a layer: pictures at the places of the plane that they are decoded from. */

import { columnIfAny } from "./bundle.js";
import { toImageData } from "./picture.js";
import { lift } from "./plane.js";

/** @typedef {import("./map.js").Mosaic} Mosaic */
/** @typedef {import("./pane.js").Pane} Pane */

const EVEN_TILES = 17;
const EVEN_REACH = 3.2;

/** Places of the tiles along one axis. @param {Pane} pane @param {string} spacing @returns {number[]} */
export function tilePlaces(pane, spacing) {
  if (spacing === "quantile" && pane.run.manifold) return pane.run.manifold.z;
  const reach = pane.priorView ? Math.min(EVEN_REACH, pane.box.right) : pane.box.right;
  return Array.from({ length: EVEN_TILES }, (_, i) => reach * ((2 * (i + 0.5)) / EVEN_TILES - 1));
}

/**
 * The grid that Python decoded, where it has the one wanted.
 * @param {Pane} pane @param {number | null} epoch @param {string} spacing @returns {Mosaic | null}
 */
export function bakedMosaic(pane, epoch, spacing) {
  if (spacing !== "quantile" || pane.plane?.kind !== "whole" || !pane.run.manifold || pane.size !== 2) return null;
  const name = epoch === null ? "manifold" : "snapshots/manifold";
  const pixels = columnIfAny(pane.bundle, pane.index, name);
  if (!pixels) return null;
  const places = pane.run.manifold.z;
  const length = places.length ** 2 * pane.pixels;
  const start = epoch === null ? 0 : epoch * length;
  return arrange(places, /** @type {any} */ (pixels.subarray(start, start + length)), pane, true);
}

/**
 * Decode the grid here, row by row, the middle first.
 * @param {import("./explorer.js").Explorer} explorer @param {import("./map.js").MapView} view @param {number} index
 * @param {string} spacing @param {() => boolean} wanted
 */
export async function decodeMosaic(explorer, view, index, spacing, wanted) {
  const { pane } = view;
  const places = tilePlaces(pane, spacing);
  const side = places.length;
  const values = new Float32Array(side * side * pane.pixels);
  const rows = Array.from({ length: side }, (_, row) => row).sort((a, b) => Math.abs(a - side / 2) - Math.abs(b - side / 2));
  const done = new Set();
  for (const row of rows) {
    if (!wanted()) return;
    const latents = new Float32Array(side * pane.size);
    places.forEach((a, column) => latents.set(lift(/** @type {any} */ (pane.plane), a, places[row]), column * pane.size));
    values.set(await explorer.decode(latents, index), row * side * pane.pixels);
    done.add(row);
    if (!wanted()) return;
    if (done.size % 4 === 0 || done.size === side) {
      view.mosaic = arrange(places, values, pane, false, done);
      view.drawGround();
    }
  }
}

/**
 * @param {number[]} places along both axes @param {Float32Array | Uint8Array} values rows of the second axis, rising
 * @param {Pane} pane @param {boolean} bytes @param {Set<number>} [rows] those already there
 * @returns {Mosaic}
 */
function arrange(places, values, pane, bytes, rows) {
  const { image } = pane.run;
  const side = places.length;
  /** @type {Mosaic["tiles"]} */
  const tiles = [];
  for (let row = 0; row < side; row++) {
    if (rows && !rows.has(row)) continue;
    for (let column = 0; column < side; column++) {
      const at = (row * side + column) * pane.pixels;
      const canvas = document.createElement("canvas");
      canvas.width = image.width;
      canvas.height = image.height;
      const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
      context.putImageData(toImageData(values.subarray(at, at + pane.pixels), image, bytes), 0, 0);
      const [left, right] = edgesOf(places, column);
      const [low, high] = edgesOf(places, row);
      const [x, y] = [(left + right) / 2, (low + high) / 2];
      tiles.push({ x, y, width: right - left, height: high - low, image: canvas });
    }
  }
  return { tiles };
}

/** Where a place's own cell begins and ends: half-way to its neighbours. @param {number[]} places @param {number} i */
function edgesOf(places, i) {
  const before = i > 0 ? places[i] - places[i - 1] : places[1] - places[0];
  const after = i + 1 < places.length ? places[i + 1] - places[i] : before;
  return [places[i] - before / 2, places[i] + after / 2];
}
