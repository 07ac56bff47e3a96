/**
 * Densities over the latent space: priors as mixtures of Gaussians, and the aggregate posterior of the images at hand.
 *
 * All log-densities are in nats. A posterior is a mean and log-variances; arrays are flat, (count, latent) row-major.
 */

export const LOG_TWO_PI = Math.log(2 * Math.PI);

/**
 * A mixture of Gaussians, by the inverse Cholesky factors of its covariances: log N(z) = c_k - |W_k (z - m_k)|^2 / 2.
 * @typedef {object} Mixture
 * @property {number} count @property {number} size
 * @property {Float32Array} logWeights (count)
 * @property {Float32Array} means (count, size)
 * @property {Float32Array} factors lower Cholesky factors of the covariances, (count, size, size), or the standard
 *   deviations, (count, size), where all are diagonal
 * @property {boolean} diagonal
 */

/** The standard normal. @param {number} size @returns {Mixture} */
export function standardNormal(size) {
  return {
    count: 1,
    size,
    logWeights: new Float32Array(1),
    means: new Float32Array(size),
    factors: new Float32Array(size).fill(1),
    diagonal: true,
  };
}

/** @param {ArrayLike<number>} values @returns {number} log sum_i exp(value_i) */
export function logSumExp(values) {
  let largest = -Infinity;
  for (let i = 0; i < values.length; i++) if (values[i] > largest) largest = values[i];
  if (largest === -Infinity) return largest;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.exp(values[i] - largest);
  return largest + Math.log(sum);
}

/** log p(z) under a mixture. @param {Mixture} mixture @param {ArrayLike<number>} z */
export function mixtureLogProb(mixture, z) {
  const { count, size, logWeights, means, factors, diagonal } = mixture;
  const terms = new Float64Array(count);
  const white = new Float64Array(size);
  for (let k = 0; k < count; k++) {
    let value = logWeights[k] - 0.5 * size * LOG_TWO_PI;
    for (let i = 0; i < size; i++) {
      let rest = z[i] - means[k * size + i];
      let scale;
      if (diagonal) scale = factors[k * size + i];
      else {
        const row = (k * size + i) * size;
        for (let j = 0; j < i; j++) rest -= factors[row + j] * white[j];
        scale = factors[row + i];
      }
      white[i] = rest / scale;
      value -= 0.5 * white[i] * white[i] + Math.log(scale);
    }
    terms[k] = value;
  }
  return logSumExp(terms);
}

/**
 * The nearest mean, and log q(z) of the aggregate posterior q(z) = 1/N sum_n q(z|x_n), in one pass.
 * @param {ArrayLike<number>} z
 * @param {Float32Array} means @param {Float32Array | null} logVariances null: no posterior has a spread
 * @param {number | null} [except] an image that is left out
 * @returns {{nearest: number, distance: number, logDensity: number}}
 */
export function surroundings(z, means, logVariances, except = null) {
  const size = z.length;
  const count = means.length / size;
  let nearest = -1;
  let closest = Infinity;
  let largest = -Infinity;
  let sum = 0;
  const spread = logVariances ? spreadOf(logVariances, size) : null;
  for (let n = 0, at = 0; n < count; n++) {
    if (n === except) {
      at += size;
      continue;
    }
    let square = 0;
    let exponent = spread ? spread.logDeterminants[n] : 0;
    for (let i = 0; i < size; i++, at++) {
      const gap = z[i] - means[at];
      square += gap * gap;
      if (spread) exponent += gap * gap * spread.precisions[at];
    }
    if (square < closest) {
      closest = square;
      nearest = n;
    }
    if (!spread) continue;
    const term = -0.5 * exponent;
    if (term > largest) {
      sum = sum * Math.exp(largest - term) + 1;
      largest = term;
    } else if (term > largest - 40) sum += Math.exp(term - largest);
  }
  const logDensity = logVariances ? largest + Math.log(sum / (except === null ? count : count - 1)) - 0.5 * size * LOG_TWO_PI : NaN;
  return { nearest, distance: Math.sqrt(closest), logDensity };
}

/** @type {WeakMap<Float32Array, {precisions: Float32Array, logDeterminants: Float32Array}>} */
const SPREADS = new WeakMap();

/** The precisions and log-determinants of some posteriors, computed once. @param {Float32Array} logVariances @param {number} size */
function spreadOf(logVariances, size) {
  let spread = SPREADS.get(logVariances);
  if (!spread) {
    const logDeterminants = new Float32Array(logVariances.length / size);
    for (let at = 0; at < logVariances.length; at++) logDeterminants[Math.floor(at / size)] += logVariances[at];
    spread = { precisions: logVariances.map((value) => Math.exp(-value)), logDeterminants };
    SPREADS.set(logVariances, spread);
  }
  return spread;
}

/** @typedef {{left: number, right: number, bottom: number, top: number}} Box in plane coordinates */
/** @typedef {{box: Box, columns: number, rows: number, values: Float32Array}} Field rows from the bottom up, at cell centres */

/** @param {Box} box @param {number} columns @param {number} rows @returns {Field} */
export function emptyField(box, columns, rows) {
  return { box, columns, rows, values: new Float32Array(columns * rows) };
}

/** @param {Field} field @param {number} column @param {number} row @returns {[number, number]} the centre of a cell */
export function cellCentre({ box, columns, rows }, column, row) {
  return [
    box.left + ((column + 0.5) / columns) * (box.right - box.left),
    box.bottom + ((row + 0.5) / rows) * (box.top - box.bottom),
  ];
}

/**
 * log of an average of Gaussians in a plane, on a grid.
 * @param {Field} field is filled
 * @param {Float32Array} centres (count, 2) @param {Float32Array} covariances (count, 3): xx, xy, yy
 * @param {ArrayLike<number> | null} [logWeights] normalised; equal where null
 * @param {number} [reach] beyond so many sigma a Gaussian counts as nothing
 */
export function fillMixture(field, centres, covariances, logWeights = null, reach = 9) {
  const { box, columns, rows, values } = field;
  const count = centres.length / 2;
  const across = (box.right - box.left) / columns;
  const down = (box.top - box.bottom) / rows;
  const sums = new Float64Array(columns * rows);
  for (let n = 0; n < count; n++) {
    const [xx, xy, yy] = [covariances[3 * n], covariances[3 * n + 1], covariances[3 * n + 2]];
    const determinant = xx * yy - xy * xy;
    if (!(determinant > 0)) continue;
    const weight = logWeights ? Math.exp(logWeights[n]) : 1 / count;
    const height = weight / (2 * Math.PI * Math.sqrt(determinant));
    const [a, b, c] = [yy / determinant, -xy / determinant, xx / determinant];
    const [x, y] = [centres[2 * n], centres[2 * n + 1]];
    const [wide, tall] = [reach * Math.sqrt(xx), reach * Math.sqrt(yy)];
    const first = Math.max(0, Math.floor((x - wide - box.left) / across));
    const last = Math.min(columns - 1, Math.ceil((x + wide - box.left) / across));
    const low = Math.max(0, Math.floor((y - tall - box.bottom) / down));
    const high = Math.min(rows - 1, Math.ceil((y + tall - box.bottom) / down));
    for (let row = low; row <= high; row++) {
      const dy = box.bottom + (row + 0.5) * down - y;
      for (let column = first; column <= last; column++) {
        const dx = box.left + (column + 0.5) * across - x;
        sums[row * columns + column] += height * Math.exp(-0.5 * (a * dx * dx + 2 * b * dx * dy + c * dy * dy));
      }
    }
  }
  for (let cell = 0; cell < sums.length; cell++) values[cell] = sums[cell] > 0 ? Math.log(sums[cell]) : -80;
}

/**
 * The value of a field at a place, bilinear; NaN outside.
 * @param {Field} field @param {number} x @param {number} y
 */
export function fieldAt({ box, columns, rows, values }, x, y) {
  const across = ((x - box.left) / (box.right - box.left)) * columns - 0.5;
  const up = ((y - box.bottom) / (box.top - box.bottom)) * rows - 0.5;
  if (across < -0.5 || up < -0.5 || across > columns - 0.5 || up > rows - 0.5) return NaN;
  const column = Math.min(Math.max(Math.floor(across), 0), columns - 2);
  const row = Math.min(Math.max(Math.floor(up), 0), rows - 2);
  const [dx, dy] = [across - column, up - row];
  const at = row * columns + column;
  return (
    (1 - dy) * ((1 - dx) * values[at] + dx * values[at + 1]) +
    dy * ((1 - dx) * values[at + columns] + dx * values[at + columns + 1])
  );
}

/**
 * log p(x|z) of one image at every z of a table, by logits and the table's own constants.
 * @param {Float32Array} image (pixels) @param {Float32Array} natural (count, pixels): logits, or means
 * @param {{kind: string, form: string | null, scale?: number}} likelihood
 * @param {Float32Array} constants (count), from `likelihoodConstants`
 * @returns {Float32Array} (count)
 */
export function logLikelihoods(image, natural, likelihood, constants) {
  const pixels = image.length;
  const values = new Float32Array(constants.length);
  const term = TERMS[likelihood.form ?? ""]?.(1 / (likelihood.scale ?? 1));
  if (!term) throw new Error(`this page does not know how a '${likelihood.kind}' likelihood scores an image`);
  for (let n = 0, at = 0; n < values.length; n++) {
    let value = 0;
    for (let i = 0; i < pixels; i++, at++) value += term(image[i], natural[at]);
    values[n] = value + constants[n];
  }
  return values;
}

/**
 * What one pixel adds to log p(x|z) beside the constants, by form, for a scale of 1 / `precision`.
 * @type {Record<string, (precision: number) => (x: number, natural: number) => number>}
 */
const TERMS = {
  bernoulli: () => (x, logit) => x * logit,
  "continuous-bernoulli": () => (x, logit) => x * logit,
  gaussian: (precision) => (x, mean) => -0.5 * (precision * (x - mean)) ** 2,
  laplace: (precision) => (x, mean) => -precision * Math.abs(x - mean),
  "discretised-logistic": logisticLevel,
};

const HALF_BIN = 0.5 / 255;

/**
 * log P(level) of a logistic on the levels k / 255, the nearest to x: log sigmoid(a) + log sigmoid(-b) + log(1 - e^(b - a)), of which the
 * first level keeps the first term alone and the last one the second (`densities/levels.py`).
 * @param {number} precision @returns {(x: number, mean: number) => number}
 */
function logisticLevel(precision) {
  const inside = Math.log(-Math.expm1(-2 * HALF_BIN * precision));
  return (x, mean) => {
    const level = Math.min(Math.max(Math.round(255 * x) / 255, 0), 1);
    const above = logSigmoid((level + HALF_BIN - mean) * precision);
    const below = logSigmoid((mean - level + HALF_BIN) * precision);
    if (level < HALF_BIN) return above;
    return level > 1 - HALF_BIN ? below : above + below + inside;
  };
}

/** @param {number} x */
const logSigmoid = (x) => Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x)));

/**
 * The part of log p(x|z) that does not depend on x, for every row of a table.
 * @param {Float32Array} natural (count, pixels) @param {number} pixels
 * @param {{kind: string, form: string | null, scale?: number}} likelihood
 */
export function likelihoodConstants(natural, pixels, likelihood) {
  const constants = new Float32Array(natural.length / pixels);
  for (let n = 0, at = 0; n < constants.length; n++) {
    let value = 0;
    for (let i = 0; i < pixels; i++, at++) {
      const logit = natural[at];
      if (likelihood.form === "bernoulli") value -= Math.max(logit, 0) + Math.log1p(Math.exp(-Math.abs(logit)));
      else if (likelihood.form === "continuous-bernoulli") value += continuousNormaliser(logit);
      else if (likelihood.form === "gaussian") value -= Math.log(likelihood.scale ?? 1) + 0.5 * LOG_TWO_PI;
      else if (likelihood.form === "laplace") value -= Math.log(2 * (likelihood.scale ?? 1));
    }
    constants[n] = value;
  }
  return constants;
}

/** log( l / (e^l - 1) ) (Loaiza-Ganem & Cunningham 2019, eq. 5, in logits). @param {number} logit */
function continuousNormaliser(logit) {
  const size = Math.abs(logit);
  if (size < 1e-2) return -logit / 2 - (logit * logit) / 24;
  return Math.log(size) - Math.max(logit, 0) - Math.log(-Math.expm1(-size));
}

/** A draw from N(0, 1), by Box and Muller's method. @param {() => number} [random] uniform in [0, 1) @returns {number} */
export function gaussian(random = Math.random) {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
