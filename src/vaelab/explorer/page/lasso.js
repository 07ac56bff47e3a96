/** Which points lie inside a line drawn by hand. */

/**
 * @param {[number, number][]} outline a closed polygon @param {number} x @param {number} y
 */
export function isInside(outline, x, y) {
  let inside = false;
  for (let i = 0, j = outline.length - 1; i < outline.length; j = i++) {
    const [x1, y1] = outline[i];
    const [x2, y2] = outline[j];
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) inside = !inside;
  }
  return inside;
}

/**
 * The indices of the places inside an outline.
 * @param {[number, number][]} outline @param {Float32Array} places (count, 2)
 * @param {(index: number) => boolean} [visible] @returns {Int32Array}
 */
export function indicesInside(outline, places, visible = () => true) {
  const indices = [];
  for (let n = 0; 2 * n < places.length; n++) {
    if (visible(n) && isInside(outline, places[2 * n], places[2 * n + 1])) indices.push(n);
  }
  return Int32Array.from(indices);
}

/** The mean of some latents. @param {Float32Array} latents @param {number} size @param {ArrayLike<number>} indices */
export function meanOf(latents, size, indices) {
  const mean = new Float32Array(size);
  for (let k = 0; k < indices.length; k++) {
    for (let i = 0; i < size; i++) mean[i] += latents[indices[k] * size + i] / indices.length;
  }
  return mean;
}
