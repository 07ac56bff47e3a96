/**
 * What the page is given: a manifest, and columns of numbers by name, in one safetensors file.
 *
 * The columns of run `r` begin with `r/`: `means`, `log_variances`, `labels`, `thumbnails`, `indices`, `kl`, `manifold`,
 * `prior/p/...`, `snapshots/...`. Weights come apart, so that the page can be looked at before they are there.
 */

import { readSafetensors } from "./safetensors.js";

/**
 * @typedef {object} PriorView
 * @property {string} name @property {string} kind
 * @property {boolean} mixture whether it is a mixture of Gaussians, given by columns
 * @property {boolean} diagonal
 * @property {[number, number, number, number] | null} field left, right, bottom, top of its log-density grid
 * @property {[number, number]} [field_shape] columns, rows
 * @property {boolean} [pending] whether its columns have yet to come
 */
/** @typedef {{epoch: number, weights: boolean}} SnapshotView */
/**
 * @typedef {object} RunView
 * @property {string} name @property {string} data @property {string} split
 * @property {number} shown @property {number} total
 * @property {number} latent_dim
 * @property {import("./picture.js").ImageShape} image
 * @property {"mnist" | "fit"} normalise
 * @property {string[] | null} label_names
 * @property {"gaussian" | "deterministic"} posterior
 * @property {{kind: string, form: string | null, scale?: number}} likelihood; a form of null is not known to this page
 * @property {string} pixels
 * @property {number} beta
 * @property {PriorView[]} priors
 * @property {number} prior which of them the page begins with; -1: none
 * @property {{place: "page" | "server", reason?: string}} engine
 * @property {{z: number[]} | null} manifold the places of the baked grid along both axes
 * @property {Record<string, number>[]} metrics
 * @property {SnapshotView[]} snapshots
 * @property {{values: number[], names: string[], chosen: number} | null} [labels] of a model that sees labels: those it knows, and the one it decodes as
 * @property {{decoders: boolean, picture: [number, number] | null, weights: boolean, images: number | null}} [left_out] of a file that is
 *   kept small: decoders of earlier epochs; height and width of the model's own pictures, where those here are smaller; all weights; images
 * @property {number[] | null} density_quantiles of log q(z), left-one-out, at draws from the images' posteriors: 0 to 100 %
 * @property {number[] | null} mean_density_quantiles the same at the posteriors' means
 * @property {number[]} distance_quantiles of the distance from an image's mean to the nearest other: 0 to 100 %
 */
/** @typedef {{format: string, title: string, version: string, runs: RunView[]}} Manifest */
/** @typedef {Float32Array | Float64Array | Uint8Array | Int32Array} Column */
/**
 * @typedef {object} Bundle
 * @property {Manifest} manifest
 * @property {Map<string, Column>} columns
 * @property {(run: number) => Promise<ArrayBuffer>} weights
 * @property {(run: number, epoch: number) => Promise<ArrayBuffer>} snapshot
 * @property {((run: number, prior: number) => Promise<ArrayBuffer>) | null} prior those that come after the map
 */

export const FORMAT = "vaelab-explorer-1";

/**
 * @param {ArrayBuffer | Uint8Array | DataView} file
 * @param {Bundle["weights"]} weights @param {Bundle["snapshot"]} snapshot @param {Bundle["prior"]} [prior]
 * @returns {Bundle}
 */
export function readBundle(file, weights, snapshot, prior = null) {
  const { metadata, tensors } = readSafetensors(file);
  const manifest = JSON.parse(metadata.manifest ?? "{}");
  if (manifest.format !== FORMAT) throw new Error(`expected a bundle of format ${FORMAT}; found ${manifest.format}`);
  const columns = new Map([...tensors].map(([name, tensor]) => [name, tensor.data]));
  return { manifest, columns, weights, snapshot, prior };
}

/** Take in a prior that came after the map. @param {Bundle} bundle @param {number} run @param {number} number @param {ArrayBuffer} file */
export function addPrior(bundle, run, number, file) {
  const { metadata, tensors } = readSafetensors(file);
  for (const [name, tensor] of tensors) bundle.columns.set(name, tensor.data);
  bundle.manifest.runs[run].priors[number] = JSON.parse(metadata.prior);
}

/**
 * @template {Column} [Kind=Float32Array]
 * @param {Bundle} bundle @param {number} run @param {string} name @returns {Kind}
 */
export function column(bundle, run, name) {
  const found = bundle.columns.get(`${run}/${name}`);
  if (!found) throw new Error(`the bundle has no column '${run}/${name}'`);
  return /** @type {Kind} */ (found);
}

/** @param {Bundle} bundle @param {number} run @param {string} name @returns {Float32Array | null} */
export function columnIfAny(bundle, run, name) {
  return /** @type {Float32Array | null} */ (bundle.columns.get(`${run}/${name}`) ?? null);
}
