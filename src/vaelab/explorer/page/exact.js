/**
 * The exact posterior p(z|x) of one image, where the plane is the whole latent space.
 *
 * p(z|x) = p(x|z) p(z) / p(x), on a grid: first the whole plane (its decoded pictures are kept, they serve every
 * image), then a finer grid where the mass is. From it log p(x), and how far q(z|x) falls short: KL(q(z|x) || p(z|x)).
 */

import { cellCentre, emptyField, logSumExp } from "./densities.js";

/** @typedef {import("./densities.js").Field} Field */
/** @typedef {import("./densities.js").Box} Box */

const COARSE = 56;
const FINE = 72;
const CHUNK = 64;
/** Cells so many nats below the best hold nothing. */
const DEPTH = 14;

/**
 * @param {import("./explorer.js").Explorer} explorer @param {{cancelled: boolean}} task
 * @returns {Promise<{field: Field, gap: number, negativeLogLikelihood: number} | null>} null: no image is pinned
 */
export async function exactPosterior(explorer, task) {
  const { pane, state } = explorer;
  const image =
    state.pinImage !== null ? pane.imageOf(state.pinImage) : state.drawn?.image;
  if (!image) return null;
  const mean = state.pinImage !== null ? pane.meanOf(state.pinImage) : /** @type {any} */ (state.drawn).mean;
  const logVariance = state.pinImage !== null ? pane.logVarianceOf(state.pinImage) : /** @type {any} */ (state.drawn).logVariance;

  const whole = emptyField(pane.box, COARSE, COARSE);
  await fill(explorer, whole, image, "coarse", task);
  if (task.cancelled) return null;
  const field = emptyField(boxOfMass(whole, mean, logVariance), FINE, FINE);
  await fill(explorer, field, image, null, task);
  if (task.cancelled) return null;

  const { box } = field;
  const area = ((box.right - box.left) / FINE) * ((box.top - box.bottom) / FINE);
  const logEvidence = logSumExp(field.values) + Math.log(area);
  for (let cell = 0; cell < field.values.length; cell++) field.values[cell] -= logEvidence;
  return {
    field,
    negativeLogLikelihood: -logEvidence,
    gap: logVariance ? divergence(field, mean, logVariance, area) : NaN,
  };
}

/**
 * log p(x|z) + log p(z) at every cell.
 * @param {import("./explorer.js").Explorer} explorer @param {Field} field @param {Float32Array} image
 * @param {string | null} table the name under which the decoded pictures are kept @param {{cancelled: boolean}} task
 */
async function fill(explorer, field, image, table, task) {
  const { pane } = explorer;
  const { engine, key } = await explorer.ready(0);
  const count = field.values.length;
  for (let start = 0; start < count; start += CHUNK) {
    const size = Math.min(CHUNK, count - start);
    const latents = new Float32Array(2 * size);
    for (let k = 0; k < size; k++) {
      const cell = start + k;
      latents.set(cellCentre(field, cell % field.columns, Math.floor(cell / field.columns)), 2 * k);
    }
    const name = table && `${table}/${field.box.right}/${start}`;
    const found = await engine.likelihoods(key, name, latents, image, pane.run.likelihood);
    if (task.cancelled) return;
    for (let k = 0; k < size; k++) {
      field.values[start + k] = found[k] + pane.logPrior(latents.subarray(2 * k, 2 * k + 2));
    }
  }
}

/** @param {Field} field @param {Float32Array} mean @param {Float32Array | null} logVariance @returns {Box} */
function boxOfMass(field, mean, logVariance) {
  const { box, columns, rows, values } = field;
  const [across, up] = [(box.right - box.left) / columns, (box.top - box.bottom) / rows];
  const best = values.reduce((largest, value) => Math.max(largest, value), -Infinity);
  const spread = Array.from(mean, (_, i) => (logVariance ? 5 * Math.exp(0.5 * logVariance[i]) : across));
  const found = {
    left: mean[0] - spread[0],
    right: mean[0] + spread[0],
    bottom: mean[1] - spread[1],
    top: mean[1] + spread[1],
  };
  for (let cell = 0; cell < values.length; cell++) {
    if (values[cell] < best - DEPTH) continue;
    const [x, y] = cellCentre(field, cell % columns, Math.floor(cell / columns));
    found.left = Math.min(found.left, x - 1.5 * across);
    found.right = Math.max(found.right, x + 1.5 * across);
    found.bottom = Math.min(found.bottom, y - 1.5 * up);
    found.top = Math.max(found.top, y + 1.5 * up);
  }
  return found;
}

/**
 * KL(q || p) on the grid, nats; NaN where the grid is too coarse for q.
 * @param {Field} field of log p(z|x) @param {Float32Array} mean @param {Float32Array} logVariance @param {number} area
 */
function divergence(field, mean, logVariance, area) {
  const { box, columns, rows } = field;
  const deviations = Array.from(logVariance, (value) => Math.exp(0.5 * value));
  if ((box.right - box.left) / columns > 0.7 * deviations[0] || (box.top - box.bottom) / rows > 0.7 * deviations[1]) return NaN;
  let sum = 0;
  for (let cell = 0; cell < field.values.length; cell++) {
    const z = cellCentre(field, cell % columns, Math.floor(cell / columns));
    let logQ = -Math.log(2 * Math.PI);
    for (let i = 0; i < 2; i++) logQ -= 0.5 * ((z[i] - mean[i]) / deviations[i]) ** 2 + Math.log(deviations[i]);
    sum += Math.exp(logQ) * (logQ - field.values[cell]) * area;
  }
  return sum;
}
