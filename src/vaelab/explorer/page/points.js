/**
 * Many points at once, splatted into pixels by hand.
 *
 * Ten thousand calls to `arc` and `fill` take 8 ms and more; adding small anti-aliased discs to an ImageData takes about a
 * sixth of that, needs no WebGL, and looks the same on every machine (the measurements are in docs/explorer.md).
 */

/** @typedef {{size: number, alpha: Uint8Array}} Stamp */

const PHASES = 4;

/** Discs of one radius, for each quarter of a pixel that the centre may lie at. @param {number} radius @returns {Stamp[]} */
export function makeStamps(radius) {
  const size = 2 * Math.ceil(radius + 1) + 1;
  const stamps = [];
  for (let phase = 0; phase < PHASES * PHASES; phase++) {
    const x0 = (size - 1) / 2 + (phase % PHASES) / PHASES;
    const y0 = (size - 1) / 2 + Math.floor(phase / PHASES) / PHASES;
    const alpha = new Uint8Array(size * size);
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        const cover = radius + 0.5 - Math.hypot(x + 0.5 - x0, y + 0.5 - y0);
        alpha[y * size + x] = Math.round(255 * Math.min(Math.max(cover, 0), 1));
      }
    }
    stamps.push({ size, alpha });
  }
  return stamps;
}

/**
 * @param {ImageData} target is drawn over
 * @param {Float32Array} places (count, 2) in pixels of the target
 * @param {Uint32Array} colours (count): red, green, blue and opacity, a byte each, red lowest; opacity 0 leaves one out
 * @param {Stamp[]} stamps
 */
export function splat(target, places, colours, stamps) {
  const { width, height, data } = target;
  const half = (stamps[0].size - 1) / 2;
  for (let n = 0; n < colours.length; n++) {
    const colour = colours[n];
    const opacity = colour >>> 24;
    const x = places[2 * n];
    const y = places[2 * n + 1];
    if (!opacity || !(x > -half && y > -half && x < width + half && y < height + half)) continue;
    const [column, row] = [Math.floor(x), Math.floor(y)];
    const phase = Math.floor((y - row) * PHASES) * PHASES + Math.floor((x - column) * PHASES);
    const { size, alpha } = stamps[phase];
    const [red, green, blue] = [colour & 255, (colour >>> 8) & 255, (colour >>> 16) & 255];
    const bottom = Math.min(size, height - row + half);
    const right = Math.min(size, width - column + half);
    for (let dy = Math.max(0, half - row); dy < bottom; dy++) {
      let at = 4 * ((row - half + dy) * width + column - half + Math.max(0, half - column));
      for (let dx = Math.max(0, half - column); dx < right; dx++, at += 4) {
        const cover = alpha[dy * size + dx];
        if (!cover) continue;
        const above = (cover * opacity) / 255;
        const below = data[at + 3] * (1 - above / 255);
        const sum = above + below;
        data[at] = (red * above + data[at] * below) / sum;
        data[at + 1] = (green * above + data[at + 1] * below) / sum;
        data[at + 2] = (blue * above + data[at + 2] * below) / sum;
        data[at + 3] = sum;
      }
    }
  }
}
