/**
 * The decoded manifold as a layer: pictures at the places of the plane that they are decoded from.
 *
 * Evenly spaced they fill the view, whatever it shows: a lattice whose step is about a tile of 40 pixels and changes by factors of
 * the square root of 2, so that most tiles stay while one shifts the map. At quantiles of N(0, 1) it is the figure of Kingma and
 * Welling (2014, appendix A), as Python decoded it.
 */

import { columnIfAny } from "./bundle.js";
import { toImageData } from "./picture.js";
import { lift } from "./plane.js";

/** @typedef {import("./map.js").Mosaic} Mosaic */
/** @typedef {import("./map.js").Tile} Tile */
/** @typedef {import("./pane.js").Pane} Pane */

/** Pixels of the screen that a tile measures, about. */
const TILE = 40;
/** So many pictures are kept. */
const MOST_KEPT = 2500;
/** Tiles asked for at once: a worker's answer of some ten milliseconds. */
const PIECE = 24;

/**
 * The grid that Python decoded, where it has the one wanted.
 * @param {Pane} pane @param {string} spacing @returns {Mosaic | null}
 */
export function bakedMosaic(pane, spacing) {
  if (spacing !== "quantile" || pane.plane.kind !== "whole" || !pane.run.manifold || pane.size !== 2) return null;
  const { epoch } = pane;
  const pixels = columnIfAny(pane.bundle, pane.index, epoch === null ? "manifold" : "snapshots/manifold");
  if (!pixels) return null;
  const places = pane.run.manifold.z;
  const start = epoch === null ? 0 : epoch * places.length ** 2 * pane.pixels;
  const tiles = cellsOf(places, places).map(({ cell }, number) => {
    const at = start + number * pane.pixels;
    return { ...cell, image: pictureOf(pixels.subarray(at, at + pane.pixels), pane, true) };
  });
  return { tiles };
}

/** The step of the lattice at a scale of so many pixels a unit. @param {number} scale */
export const stepAt = (scale) => 2 ** (Math.round(2 * Math.log2(TILE / scale)) / 2);

/**
 * Keeps a map's mosaic: what is there is shown at once, what is missing is decoded from the middle outwards.
 * @param {import("./explorer.js").Explorer} explorer @param {import("./map.js").MapView} view @param {number} index
 */
export function mosaicKeeper(explorer, view, index) {
  /** @type {Map<string, Tile>} */
  let kept = new Map();
  let keptFor = "";
  let turn = 0;
  let busy = false;
  let done = false;

  /** What is to be shown, in the order of the distance from the middle of the view. @returns {{key: string, cell: Omit<Tile, "image">, z: Float32Array}[]} */
  function wanted() {
    const { pane, scale } = view;
    const { plane } = pane;
    const { spacing } = explorer.state;
    const line = pane.size === 1;
    if (spacing === "quantile" && pane.run.manifold) {
      const places = pane.run.manifold.z;
      return cellsOf(places, line ? [0] : places).map(({ cell, place }) => ({ key: place.join("/"), cell, z: lift(plane, ...place) }));
    }
    const step = stepAt(scale);
    const [left, bottom] = view.toPlane(0, view.height);
    const [right, top] = view.toPlane(view.width, 0);
    const [middle, centre] = view.centre;
    const rows = line ? [0] : range(Math.floor(bottom / step), Math.ceil(top / step));
    return range(Math.floor(left / step), Math.ceil(right / step))
      .flatMap((i) =>
        rows.map((j) => {
          const cell = { x: i * step, y: j * step, width: step, height: step };
          return { key: `${step}/${i}/${j}`, cell, z: lift(plane, cell.x, cell.y) };
        }),
      )
      .sort((a, b) => Math.hypot(a.cell.x - middle, a.cell.y - centre) - Math.hypot(b.cell.x - middle, b.cell.y - centre));
  }

  function show() {
    const list = wanted();
    // While the tiles of a new step come, those of the last lie under them.
    const now = list.flatMap(({ key }) => kept.get(key) ?? []);
    const before = now.length < list.length ? (view.mosaic?.tiles.filter((tile) => !now.includes(tile)) ?? []) : [];
    view.mosaic = { tiles: [...before.slice(-MOST_KEPT), ...now] };
    view.drawGround();
    return list.filter(({ key }) => !kept.has(key));
  }

  async function fill() {
    if (busy) return;
    busy = true;
    try {
      for (let mine = turn; ; mine = turn) {
        const missing = show();
        if (!missing.length || !view.layers.manifold) break;
        const piece = missing.slice(0, PIECE);
        const { size, pixels } = view.pane;
        const latents = new Float32Array(piece.length * size);
        piece.forEach(({ z }, place) => latents.set(z, place * size));
        const made = keptFor;
        const values = await explorer.decode(latents, index);
        if (made !== keptFor) continue;
        piece.forEach(({ key, cell }, place) => {
          kept.set(key, { ...cell, image: pictureOf(values.subarray(place * pixels, (place + 1) * pixels), view.pane, false) });
        });
        if (kept.size > MOST_KEPT) kept = new Map([...kept].slice(-MOST_KEPT / 2));
        if (mine !== turn) continue;
      }
    } finally {
      busy = false;
    }
  }

  /** Show what the map asks for now. */
  return function refresh() {
    if (!view.layers.manifold || !view.width) return;
    const { pane } = view;
    const { plane } = pane;
    const own = `${explorer.state.spacing}/${pane.index}/${pane.epoch}/${[...plane.u, ...plane.v, ...plane.offset].map((value) => value.toFixed(3)).join()}`;
    turn++;
    if (own !== keptFor) {
      keptFor = own;
      kept = new Map();
      const baked = bakedMosaic(pane, explorer.state.spacing);
      done = baked !== null;
      view.mosaic = baked;
      view.drawGround();
    }
    if (done) return;
    void fill().catch((error) => explorer.fail(error));
  };
}

/** @param {number} first @param {number} last */
const range = (first, last) => Array.from({ length: last - first + 1 }, (_, k) => first + k);

/**
 * The cells of a grid and the places that are decoded for them, rows of the second axis, rising.
 * @param {number[]} across @param {number[]} up @returns {{cell: Omit<Tile, "image">, place: [number, number]}[]}
 */
function cellsOf(across, up) {
  return up.flatMap((_, row) =>
    across.map((_, column) => {
      const [left, right] = edgesOf(across, column);
      const [low, high] = up.length > 1 ? edgesOf(up, row) : [-(right - left) / 2, (right - left) / 2];
      return { cell: { x: (left + right) / 2, y: (low + high) / 2, width: right - left, height: high - low }, place: [across[column], up[row]] };
    }),
  );
}

/** @param {ArrayLike<number>} values @param {Pane} pane @param {boolean} bytes */
function pictureOf(values, pane, bytes) {
  const { image } = pane.run;
  const canvas = document.createElement("canvas");
  canvas.width = image.width;
  canvas.height = image.height;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.putImageData(toImageData(values, image, bytes), 0, 0);
  return canvas;
}

/** Where a place's own cell begins and ends: half-way to its neighbours. @param {number[]} places @param {number} i */
function edgesOf(places, i) {
  const before = i > 0 ? places[i] - places[i - 1] : places[1] - places[0];
  const after = i + 1 < places.length ? places[i + 1] - places[i] : before;
  return [places[i] - before / 2, places[i] + after / 2];
}
