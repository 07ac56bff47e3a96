/**
 * The negative ELBO of an image, nats: E_q[-log p(x|z)] + KL(q(z|x) || p(z)), the expectation over the posterior, not at its mean.
 *
 * With one or two latent dimensions by Gauss-Hermite quadrature, with more by draws in opposite pairs (what is linear in z cancels),
 * always the same ones, so that a number moves only where the image does.
 */

import { LOG_TWO_PI, gaussian } from "./densities.js";
import { randomFrom } from "./samples.js";

const ROOTS = { 1: 48, 2: 20 };
const PAIRS = 192;

/**
 * @typedef {object} Score
 * @property {number} reconstruction @property {number} rate NaN where this page does not know the prior's density
 * @property {number | null} error standard error of their sum; null: by quadrature
 */

/**
 * @param {import("./explorer.js").Explorer} explorer @param {Float32Array} image
 * @param {Float32Array} mean @param {Float32Array} logVariance @returns {Promise<Score>}
 */
export async function negativeElbo(explorer, image, mean, logVariance) {
  const { pane } = explorer;
  const { engine, key } = await explorer.ready(pane.index);
  const size = mean.length;
  const { noise, weights } = size <= 2 ? hermiteGrid(size) : oppositePairs(size);
  const latents = noise.map((value, at) => mean[at % size] + Math.exp(0.5 * logVariance[at % size]) * value);
  const logLikelihoods = await engine.likelihoods(key, null, latents, image, pane.run.likelihood);
  const exact = exactRate(pane.mixture, mean, logVariance);
  const costs = Array.from(weights, (_, k) => -logLikelihoods[k]);
  const rates = Array.from(weights, (_, k) => {
    if (exact !== null) return exact;
    let logQ = 0;
    for (let i = 0; i < size; i++) logQ -= 0.5 * (noise[k * size + i] ** 2 + logVariance[i] + LOG_TWO_PI);
    return logQ - pane.logPrior(latents.subarray(k * size, (k + 1) * size));
  });
  /** @param {number[]} values */
  const average = (values) => values.reduce((sum, value, k) => sum + weights[k] * value, 0);
  const [reconstruction, rate] = [average(costs), average(rates)];
  if (size <= 2) return { reconstruction, rate, error: null };
  const pairs = Array.from({ length: PAIRS }, (_, k) => (costs[2 * k] + costs[2 * k + 1] + (exact === null ? rates[2 * k] + rates[2 * k + 1] : 0)) / 2);
  const middle = pairs.reduce((sum, value) => sum + value, 0) / PAIRS;
  const variance = pairs.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (PAIRS - 1);
  return { reconstruction, rate, error: Math.sqrt(variance / PAIRS) };
}

/**
 * KL(N(mean, exp(log_variance)) || prior) where the prior is one diagonal Gaussian; null for any other.
 * @param {import("./densities.js").Mixture | null} prior @param {Float32Array} mean @param {Float32Array} logVariance
 */
function exactRate(prior, mean, logVariance) {
  if (!prior || prior.count !== 1 || !prior.diagonal) return null;
  let rate = 0;
  for (let i = 0; i < mean.length; i++) {
    const [centre, deviation] = [prior.means[i], prior.factors[i]];
    rate += Math.log(deviation) - 0.5 * logVariance[i] + (Math.exp(logVariance[i]) + (mean[i] - centre) ** 2) / (2 * deviation ** 2) - 0.5;
  }
  return rate;
}

/** Places and weights of the standard normal. @param {number} size 1 or 2 */
function hermiteGrid(size) {
  const { places, weights } = gaussHermite(ROOTS[/** @type {1 | 2} */ (size)]);
  if (size === 1) return { noise: Float32Array.from(places), weights };
  return {
    noise: Float32Array.from(places.flatMap((b) => places.flatMap((a) => [a, b]))),
    weights: weights.flatMap((up) => weights.map((across) => up * across)),
  };
}

/** @param {number} size */
function oppositePairs(size) {
  const random = randomFrom(7);
  const noise = new Float32Array(2 * PAIRS * size);
  for (let pair = 0; pair < PAIRS; pair++) {
    for (let i = 0; i < size; i++) {
      const value = gaussian(random);
      noise[2 * pair * size + i] = value;
      noise[(2 * pair + 1) * size + i] = -value;
    }
  }
  return { noise, weights: new Array(2 * PAIRS).fill(1 / (2 * PAIRS)) };
}

/**
 * The rule of n places that is exact for polynomials of degree 2n - 1 under N(0, 1): roots of the Hermite polynomial He_n, by
 * Newton's method from each root of He_(n-1) on (Golub and Welsch 1969 give the same by eigenvalues).
 * @param {number} count @returns {{places: number[], weights: number[]}}
 */
export function gaussHermite(count) {
  /** He_n / sqrt(n!) and its predecessor, by recurrence. @param {number} x @returns {[number, number]} */
  const polynomial = (x, n = count) => {
    let [before, now] = [0, 1];
    for (let k = 0; k < n; k++) [before, now] = [now, (x * now - Math.sqrt(k) * before) / Math.sqrt(k + 1)];
    return [now, before];
  };
  // Roots lie between -2 sqrt(n) and 2 sqrt(n), simple, and apart by more than 1 / sqrt(n): found by sign changes, then refined.
  const reach = 2 * Math.sqrt(count) + 1;
  const steps = 200 * count + 1; // Odd: no step falls on the root 0.
  const places = [];
  let last = polynomial(-reach)[0];
  for (let k = 1; k <= steps; k++) {
    const x = -reach + (2 * reach * k) / steps;
    const value = polynomial(x)[0];
    if (value === 0 || value > 0 !== last > 0) {
      let root = x - reach / steps;
      for (let round = 0; round < 12; round++) {
        const [here, before] = polynomial(root);
        root -= here / (Math.sqrt(count) * before);
      }
      places.push(root);
    }
    last = value;
  }
  return { places, weights: places.map((x) => 1 / (count * polynomial(x)[1] ** 2)) };
}
