/**
 * A plane in the latent space: which one the map shows.
 *
 * A plane has two orthonormal directions and an offset orthogonal to both: `lift` puts a place of the map into the
 * latent space exactly, `project` is the shadow of any latent on the map. With two latent dimensions it is the whole
 * space.
 */

/**
 * @typedef {object} Plane
 * @property {"whole" | "pair" | "pca" | "points"} kind
 * @property {[number, number]} [pair] the two dimensions, where it is a pair
 * @property {Float32Array} u @property {Float32Array} v
 * @property {Float32Array} offset
 */

/** @param {number} size @param {number} first @param {number} second @returns {Plane} */
export function pairPlane(size, first, second) {
  const u = new Float32Array(size);
  const v = new Float32Array(size);
  u[first] = 1;
  if (size > 1) v[second] = 1;
  return { kind: size <= 2 ? "whole" : "pair", pair: [first, second], u, v, offset: new Float32Array(size) };
}

/** The two directions of largest variance of the means. @param {Float32Array} means @param {number} size @returns {Plane} */
export function principalPlane(means, size) {
  const count = means.length / size;
  const centre = new Float64Array(size);
  for (let n = 0; n < count; n++) for (let i = 0; i < size; i++) centre[i] += means[n * size + i] / count;
  const covariance = new Float64Array(size * size);
  for (let n = 0; n < count; n++) {
    for (let i = 0; i < size; i++) {
      const a = means[n * size + i] - centre[i];
      for (let j = 0; j <= i; j++) covariance[i * size + j] += (a * (means[n * size + j] - centre[j])) / count;
    }
  }
  for (let i = 0; i < size; i++) for (let j = i + 1; j < size; j++) covariance[i * size + j] = covariance[j * size + i];
  const u = leadingDirection(covariance, size, null);
  const v = leadingDirection(covariance, size, u);
  const plane = { kind: /** @type {const} */ ("pca"), u, v, offset: new Float32Array(size) };
  return movedThrough(plane, centre);
}

/** @param {Float64Array} matrix @param {number} size @param {Float32Array | null} besides */
function leadingDirection(matrix, size, besides) {
  let direction = Float64Array.from({ length: size }, (_, i) => 1 + 0.1 * Math.sin(7 * i + (besides ? 1 : 0)));
  for (let round = 0; round < 200; round++) {
    if (besides) removeAlong(direction, besides);
    const next = new Float64Array(size);
    for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) next[i] += matrix[i * size + j] * direction[j];
    if (besides) removeAlong(next, besides);
    const length = Math.hypot(...next) || 1;
    direction = next.map((value) => value / length);
  }
  const largest = direction.reduce((best, value) => (Math.abs(value) > Math.abs(best) ? value : best), 0);
  return Float32Array.from(direction, (value) => (largest < 0 ? -value : value));
}

/** @param {Float64Array} vector @param {ArrayLike<number>} direction */
function removeAlong(vector, direction) {
  const along = dot(vector, direction);
  for (let i = 0; i < vector.length; i++) vector[i] -= along * direction[i];
}

/**
 * The plane through three points, or null where they lie on a line.
 * @param {ArrayLike<number>} a @param {ArrayLike<number>} b @param {ArrayLike<number>} c @returns {Plane | null}
 */
export function planeThrough(a, b, c) {
  const first = Float64Array.from(b, (value, i) => value - a[i]);
  const second = Float64Array.from(c, (value, i) => value - a[i]);
  const length = Math.hypot(...first);
  if (length < 1e-6) return null;
  const u = Float32Array.from(first, (value) => value / length);
  removeAlong(second, u);
  const rest = Math.hypot(...second);
  if (rest < 1e-6) return null;
  const v = Float32Array.from(second, (value) => value / rest);
  return movedThrough({ kind: "points", u, v, offset: new Float32Array(u.length) }, a);
}

/** The parallel plane that contains z. @param {Plane} plane @param {ArrayLike<number>} z @returns {Plane} */
export function movedThrough(plane, z) {
  const [a, b] = [dot(z, plane.u), dot(z, plane.v)];
  const offset = Float32Array.from(z, (value, i) => value - a * plane.u[i] - b * plane.v[i]);
  return { ...plane, offset };
}

/** How far a latent lies from the plane. @param {Plane} plane @param {ArrayLike<number>} z */
export function distanceFrom(plane, z) {
  const { offset } = movedThrough(plane, z);
  return Math.hypot(...offset.map((value, i) => value - plane.offset[i]));
}

/** @param {ArrayLike<number>} a @param {ArrayLike<number>} b */
export function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** @param {Plane} plane @param {ArrayLike<number>} z @returns {[number, number]} */
export const project = (plane, z) => [dot(z, plane.u), dot(z, plane.v)];

/** @param {Plane} plane @param {number} a @param {number} b @returns {Float32Array} */
export function lift(plane, a, b) {
  const z = new Float32Array(plane.u.length);
  for (let i = 0; i < z.length; i++) z[i] = plane.offset[i] + a * plane.u[i] + b * plane.v[i];
  return z;
}

/** @param {Plane} plane @param {Float32Array} latents (count, size) @returns {Float32Array} (count, 2) */
export function projectAll(plane, latents) {
  const size = plane.u.length;
  const count = latents.length / size;
  const places = new Float32Array(2 * count);
  for (let n = 0; n < count; n++) {
    const z = latents.subarray(n * size, (n + 1) * size);
    places[2 * n] = dot(z, plane.u);
    places[2 * n + 1] = dot(z, plane.v);
  }
  return places;
}

/**
 * Diagonal Gaussians seen on the plane: the covariances (xx, xy, yy) of their shadows.
 * @param {Plane} plane @param {Float32Array} logVariances (count, size) @returns {Float32Array} (count, 3)
 */
export function projectVariances(plane, logVariances) {
  const { u, v } = plane;
  const size = u.length;
  const count = logVariances.length / size;
  const covariances = new Float32Array(3 * count);
  for (let n = 0; n < count; n++) {
    let [xx, xy, yy] = [0, 0, 0];
    for (let i = 0; i < size; i++) {
      if (u[i] === 0 && v[i] === 0) continue;
      const variance = Math.exp(logVariances[n * size + i]);
      xx += variance * u[i] * u[i];
      xy += variance * u[i] * v[i];
      yy += variance * v[i] * v[i];
    }
    if (size === 1) yy = 1e-6;
    covariances.set([xx, xy, yy], 3 * n);
  }
  return covariances;
}

/**
 * A mixture of Gaussians seen on the plane.
 * @param {Plane} plane @param {import("./densities.js").Mixture} mixture
 * @returns {{centres: Float32Array, covariances: Float32Array, logWeights: Float32Array}}
 */
export function projectMixture(plane, mixture) {
  const { u, v } = plane;
  const { count, size, factors, diagonal, means, logWeights } = mixture;
  const covariances = new Float32Array(3 * count);
  for (let k = 0; k < count; k++) {
    // The columns of the factor, seen along u and v.
    const a = new Float64Array(size);
    const b = new Float64Array(size);
    for (let i = 0; i < size; i++) {
      if (diagonal) {
        a[i] = u[i] * factors[k * size + i];
        b[i] = v[i] * factors[k * size + i];
        continue;
      }
      for (let j = 0; j <= i; j++) {
        a[j] += u[i] * factors[(k * size + i) * size + j];
        b[j] += v[i] * factors[(k * size + i) * size + j];
      }
    }
    covariances.set([dot(a, a), dot(a, b), size === 1 ? 1e-6 : dot(b, b)], 3 * k);
  }
  return { centres: projectAll(plane, means), covariances, logWeights };
}

/**
 * The half-axes and the angle of a Gaussian's 1-sigma ellipse.
 * @param {number} xx @param {number} xy @param {number} yy @returns {{major: number, minor: number, angle: number}}
 */
export function ellipseOf(xx, xy, yy) {
  const middle = (xx + yy) / 2;
  const spread = Math.hypot((xx - yy) / 2, xy);
  return {
    major: Math.sqrt(middle + spread),
    minor: Math.sqrt(Math.max(middle - spread, 0)),
    angle: 0.5 * Math.atan2(2 * xy, xx - yy),
  };
}
