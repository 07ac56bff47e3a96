/** Pixels on a canvas: one image at its own size, the style sheet scales it up. */

/** @typedef {{height: number, width: number, channels: number, low?: number, high?: number}} ImageShape low is shown black, high white */

/**
 * @param {HTMLCanvasElement} canvas @param {ArrayLike<number>} values as the model has them, or uint8 where `bytes`
 * @param {ImageShape} shape @param {boolean} [bytes]
 */
export function paint(canvas, values, shape, bytes = false) {
  const { height, width } = shape;
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.putImageData(toImageData(values, shape, bytes), 0, 0);
  canvas.dataset.painted = String(Number(canvas.dataset.painted ?? 0) + 1);
}

/** Show nothing, at the same size. @param {HTMLCanvasElement} canvas */
export function blank(canvas) {
  /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")).clearRect(0, 0, canvas.width, canvas.height);
}

/** @param {ArrayLike<number>} values @param {ImageShape} shape @param {boolean} [bytes] */
export function toImageData(values, { height, width, channels, low = 0, high = 1 }, bytes = false) {
  const data = new ImageData(width, height);
  const scale = bytes ? 1 : 255 / (high - low || 1);
  const black = bytes ? 0 : low;
  for (let i = 0; i < height * width; i++) {
    for (let channel = 0; channel < 3; channel++) {
      const value = values[i * channels + (channels === 1 ? 0 : channel)];
      data.data[4 * i + channel] = Math.round(Math.min(Math.max((value - black) * scale, 0), 255));
    }
    data.data[4 * i + 3] = 255;
  }
  return data;
}

/**
 * Many images as one sheet, a canvas of `columns` across.
 * @param {Float32Array | Uint8Array} values @param {number} count @param {number} columns @param {ImageShape} shape
 * @param {boolean} [bytes] @returns {HTMLCanvasElement}
 */
export function sheet(values, count, columns, shape, bytes = false) {
  const canvas = document.createElement("canvas");
  canvas.width = columns * shape.width;
  canvas.height = Math.ceil(count / columns) * shape.height;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const size = shape.height * shape.width * shape.channels;
  for (let n = 0; n < count; n++) {
    const image = values.subarray(n * size, (n + 1) * size);
    const [x, y] = [(n % columns) * shape.width, Math.floor(n / columns) * shape.height];
    context.putImageData(toImageData(image, shape, bytes), x, y);
  }
  return canvas;
}
