/** The way from one latent to another: along a line, or along an arc (Shoemake 1985, "slerp"; White 2016). */

/**
 * @param {ArrayLike<number>} a @param {ArrayLike<number>} b @param {number} t in [0, 1]
 * @param {"straight" | "spherical"} kind @returns {Float32Array}
 */
export function between(a, b, t, kind) {
  if (kind === "spherical") {
    const [long, short] = [norm(a), norm(b)];
    let cosine = 0;
    for (let i = 0; i < a.length; i++) cosine += (a[i] / (long || 1)) * (b[i] / (short || 1));
    const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
    // Along one ray, exactly opposite, or from the origin there is no arc: go straight.
    if (angle > 1e-4 && angle < Math.PI - 1e-4 && long > 0 && short > 0) {
      const from = Math.sin((1 - t) * angle) / Math.sin(angle);
      const to = Math.sin(t * angle) / Math.sin(angle);
      return Float32Array.from(a, (value, i) => from * value + to * b[i]);
    }
  }
  return Float32Array.from(a, (value, i) => (1 - t) * value + t * b[i]);
}

/** @param {ArrayLike<number>} z */
export function norm(z) {
  let square = 0;
  for (let i = 0; i < z.length; i++) square += z[i] * z[i];
  return Math.sqrt(square);
}
