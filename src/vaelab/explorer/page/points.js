/**
 * Many points at once, splatted into pixels by hand.
 *
 * Adding small anti-aliased discs to an ImageData takes a fraction of the time of the canvas's own `arc` and `fill`, needs no
 * WebGL, and looks the same on every machine (the measurements are in docs/explorer.md).
 */

/** @typedef {{size: number, alpha: Uint8Array}} Stamp */
/**
 * Points to be drawn, all in pixels of the canvas.
 * @typedef {object} Cloud
 * @property {Float32Array} places (count, 2), on the plane
 * @property {Uint32Array} colours (count): red, green, blue and opacity, a byte each, red lowest; opacity 0 leaves one out
 * @property {number} scale pixels a unit of the plane
 * @property {number} left @property {number} top where the plane's origin lies
 * @property {number} radius of a disc
 */
/** @typedef {{draw: (cloud: Cloud) => void, clear: () => void}} Painter */

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

/** @param {ImageData} target is drawn over @param {Cloud} cloud @param {Stamp[]} stamps */
export function splat(target, { places, colours, scale, left, top }, stamps) {
  const { width, height, data } = target;
  const whole = new Uint32Array(data.buffer);
  const half = (stamps[0].size - 1) / 2;
  for (let n = 0; n < colours.length; n++) {
    const colour = colours[n];
    const opacity = colour >>> 24;
    const x = left + scale * places[2 * n];
    const y = top - scale * places[2 * n + 1];
    if (!opacity || !(x > -half && y > -half && x < width + half && y < height + half)) continue;
    const [column, row] = [Math.floor(x), Math.floor(y)];
    const phase = Math.floor((y - row) * PHASES) * PHASES + Math.floor((x - column) * PHASES);
    const { size, alpha } = stamps[phase];
    const [red, green, blue] = [colour & 255, (colour >>> 8) & 255, (colour >>> 16) & 255];
    const bottom = Math.min(size, height - row + half);
    const right = Math.min(size, width - column + half);
    for (let dy = Math.max(0, half - row); dy < bottom; dy++) {
      let pixel = (row - half + dy) * width + column - half + Math.max(0, half - column);
      for (let dx = Math.max(0, half - column); dx < right; dx++, pixel++) {
        const cover = alpha[dy * size + dx];
        if (!cover) continue;
        const above = (cover * opacity) / 255;
        const under = whole[pixel];
        if (!under) {
          whole[pixel] = (above << 24) | (colour & 0xffffff);
          continue;
        }
        const sum = above + (under >>> 24) * (1 - above / 255);
        const share = above / sum;
        const [r, g, b] = [under & 255, (under >>> 8) & 255, (under >>> 16) & 255];
        whole[pixel] =
          ((sum + 0.5) << 24) |
          ((b + share * (blue - b) + 0.5) << 16) |
          ((g + share * (green - g) + 0.5) << 8) |
          (r + share * (red - r) + 0.5);
      }
    }
  }
}

/** @param {HTMLCanvasElement} canvas @returns {Painter} */
export function splatPainter(canvas) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  /** @type {ImageData | null} */
  let image = null;
  let stamps = makeStamps(1);
  let radius = 1;
  return {
    clear: () => context.clearRect(0, 0, canvas.width, canvas.height),
    draw(cloud) {
      if (image?.width !== canvas.width || image.height !== canvas.height) image = context.createImageData(canvas.width, canvas.height);
      else image.data.fill(0);
      if (radius !== cloud.radius) [radius, stamps] = [cloud.radius, makeStamps(cloud.radius)];
      splat(image, cloud, stamps);
      context.putImageData(image, 0, 0);
    },
  };
}
