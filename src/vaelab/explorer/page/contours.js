/** Contour lines of a field, by marching squares. */

/** @typedef {import("./densities.js").Field} Field */

/**
 * Line segments (x1, y1, x2, y2, ...) in plane coordinates where the field crosses a level.
 * @param {Field} field @param {number} level @returns {number[]}
 */
export function contour({ box, columns, rows, values }, level) {
  const across = (box.right - box.left) / columns;
  const up = (box.top - box.bottom) / rows;
  /** @type {number[]} */
  const segments = [];
  for (let row = 0; row + 1 < rows; row++) {
    for (let column = 0; column + 1 < columns; column++) {
      const at = row * columns + column;
      const corners = [values[at], values[at + 1], values[at + columns + 1], values[at + columns]];
      const inside = corners.map((value) => value >= level);
      if (inside.every((here) => here === inside[0])) continue;
      /** @type {[number, number][]} */
      const crossings = [];
      for (let edge = 0; edge < 4; edge++) {
        const next = (edge + 1) % 4;
        if (inside[edge] === inside[next]) continue;
        const share = (level - corners[edge]) / (corners[next] - corners[edge]);
        const [x1, y1] = CORNERS[edge];
        const [x2, y2] = CORNERS[next];
        crossings.push([
          box.left + (column + 0.5 + x1 + share * (x2 - x1)) * across,
          box.bottom + (row + 0.5 + y1 + share * (y2 - y1)) * up,
        ]);
      }
      for (let pair = 0; pair + 1 < crossings.length; pair += 2) {
        segments.push(...crossings[pair], ...crossings[pair + 1]);
      }
    }
  }
  return segments;
}

/** @type {[number, number][]} */
const CORNERS = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 1],
];

/**
 * The levels whose regions of highest density hold given shares of a density's mass on the grid.
 * @param {Field} field of log-densities @param {number[]} shares @returns {number[]}
 */
export function massLevels({ values, box, columns, rows }, shares) {
  const area = ((box.right - box.left) / columns) * ((box.top - box.bottom) / rows);
  const sorted = Float32Array.from(values).sort().reverse();
  const levels = /** @type {number[]} */ ([]);
  let total = 0;
  let next = 0;
  for (const value of sorted) {
    total += Math.exp(value) * area;
    while (next < shares.length && total >= shares[next]) {
      levels.push(value);
      next++;
    }
    if (next === shares.length) break;
  }
  return levels;
}
