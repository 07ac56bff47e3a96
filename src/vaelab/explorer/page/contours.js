/** Contour lines of a field, by marching squares, chained. */

/** @typedef {import("./densities.js").Field} Field */

/**
 * Lines in plane coordinates along which the field crosses a level, each in one piece from end to end, so that a dash runs on.
 * @param {Field} field @param {number} level @returns {{points: [number, number][], closed: boolean}[]}
 */
export function contour({ box, columns, rows, values }, level) {
  const across = (box.right - box.left) / columns;
  const up = (box.top - box.bottom) / rows;
  /** Where the field crosses each edge of the grid, and the edges that follow in its two cells. @type {Map<number, {point: [number, number], next: number[]}>} */
  const crossings = new Map();
  for (let row = 0; row + 1 < rows; row++) {
    for (let column = 0; column + 1 < columns; column++) {
      const at = row * columns + column;
      const corners = [values[at], values[at + 1], values[at + columns + 1], values[at + columns]];
      const inside = corners.map((value) => value >= level);
      if (inside.every((here) => here === inside[0])) continue;
      // Below, right, above, left: horizontal edges have even numbers, upright ones odd.
      const names = [2 * at, 2 * (at + 1) + 1, 2 * (at + columns), 2 * at + 1];
      /** @type {number[]} */
      const found = [];
      for (let edge = 0; edge < 4; edge++) {
        const next = (edge + 1) % 4;
        if (inside[edge] === inside[next]) continue;
        found.push(names[edge]);
        if (crossings.has(names[edge])) continue;
        const share = (level - corners[edge]) / (corners[next] - corners[edge]);
        const [x1, y1] = CORNERS[edge];
        const [x2, y2] = CORNERS[next];
        const x = box.left + (column + 0.5 + x1 + share * (x2 - x1)) * across;
        const y = box.bottom + (row + 0.5 + y1 + share * (y2 - y1)) * up;
        crossings.set(names[edge], { point: [x, y], next: [] });
      }
      for (let pair = 0; pair + 1 < found.length; pair += 2) {
        crossings.get(found[pair])?.next.push(found[pair + 1]);
        crossings.get(found[pair + 1])?.next.push(found[pair]);
      }
    }
  }
  return chained(crossings);
}

/** @param {Map<number, {point: [number, number], next: number[]}>} crossings @returns {ReturnType<typeof contour>} */
function chained(crossings) {
  const seen = new Set();
  const lines = [];
  // What ends at the border of the grid has an end; the rest is closed.
  const starts = [...crossings.keys()];
  for (const open of [true, false]) {
    for (const start of starts) {
      const first = crossings.get(start);
      if (!first || seen.has(start) || (open && first.next.length !== 1)) continue;
      /** @type {[number, number][]} */
      const points = [];
      /** @type {number | undefined} */
      let at = start;
      while (at !== undefined) {
        seen.add(at);
        const here = /** @type {{point: [number, number], next: number[]}} */ (crossings.get(at));
        points.push(here.point);
        at = here.next.find((next) => !seen.has(next));
      }
      lines.push({ points, closed: !open });
    }
  }
  return lines;
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
