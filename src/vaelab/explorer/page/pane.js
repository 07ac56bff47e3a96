/**
 * One map's worth of data: a run, a prior and a plane, and what follows from them.
 *
 * A pane answers questions; it draws nothing. What is costly is computed when it is first asked for.
 */

import { column, columnIfAny } from "./bundle.js";
import {
  emptyField,
  fieldAt,
  fillMixture,
  mixtureLogProb,
  surroundings,
} from "./densities.js";
import { pairPlane, principalPlane, projectAll, projectMixture, projectVariances } from "./plane.js";

/** @typedef {import("./bundle.js").Bundle} Bundle */
/** @typedef {import("./densities.js").Field} Field */
/** @typedef {import("./densities.js").Mixture} Mixture */
/** @typedef {import("./plane.js").Plane} Plane */

const CELLS = 200;
/** Densities are drawn a little beyond what the map shows at first. */
const MARGIN = 1.25;

/** Shares of mass within 1, 2 and 3 sigma of a Gaussian in the plane. */
export const SIGMA_SHARES = [1, 2, 3].map((sigma) => 1 - Math.exp(-(sigma ** 2) / 2));

/** Below FAINT nats a density is not shown at all, above CLEAR in full (N(0, I) at 4.4 and at 3.2 sigma). */
const FAINT = -11.5;
const CLEAR = -7;
const DEEPEST = 8;

export class Pane {
  /** @type {number} which of the run's priors; -1: none */ prior = -1;
  /** @type {{z: Float32Array, except: number | null, shown: object, found: ReturnType<typeof surroundings>} | null} */
  last = null;

  /** @param {Bundle} bundle @param {number} run @param {number} prior @param {Plane | null} [plane] */
  constructor(bundle, run, prior, plane = null) {
    this.bundle = bundle;
    this.index = run;
    this.run = bundle.manifest.runs[run];
    this.size = this.run.latent_dim;
    /** @type {Float32Array} */
    this.means = column(bundle, run, "means");
    this.logVariances = columnIfAny(bundle, run, "log_variances");
    /** @type {Int32Array | null} */
    this.labels = /** @type {any} */ (columnIfAny(bundle, run, "labels"));
    /** @type {Uint8Array} */
    this.thumbnails = /** @type {any} */ (columnIfAny(bundle, run, "thumbnails"));
    /** @type {Int32Array} */
    this.indices = column(bundle, run, "indices");
    this.count = this.run.shown;
    /** KL in nats of each dimension, or the spread of the means where a posterior has none. */
    this.kl = columnIfAny(bundle, run, "kl") ?? new Float32Array(this.size);
    /** Dimensions by KL, largest first. */
    this.order = Array.from(this.kl.keys()).sort((a, b) => this.kl[b] - this.kl[a] || a - b);
    /** What the map shows now; another epoch's while the replay stands there. */
    this.shown = { means: this.means, logVariances: this.logVariances, kl: this.kl };
    this.setPrior(prior);
    this.setPlane(plane ?? this.pairPlane());
  }

  /** The two dimensions of largest KL, the lower number across. */
  pairPlane() {
    if (this.size <= 2) return pairPlane(this.size, 0, 1);
    const [first, second] = this.order.slice(0, 2).sort((a, b) => a - b);
    return pairPlane(this.size, first, second);
  }

  principalPlane() {
    return principalPlane(this.means, this.size);
  }

  /** @param {Plane} plane */
  setPlane(plane) {
    const sameDirections = this.plane && this.plane.u === plane.u && this.plane.v === plane.v;
    this.plane = plane;
    if (!sameDirections) this.forget();
  }

  /** @param {number} prior */
  setPrior(prior) {
    this.prior = prior;
    this.priorView = this.run.priors[prior] ?? null;
    this.mixture = this.priorView?.mixture ? this.mixtureOf(prior) : null;
    this.priorField = null;
    this.holes = null;
  }

  /** @param {number} prior @returns {Mixture} */
  mixtureOf(prior) {
    const view = this.run.priors[prior];
    /** @type {Float32Array} */
    const logWeights = column(this.bundle, this.index, `prior/${prior}/log_weights`);
    return {
      count: logWeights.length,
      size: this.size,
      logWeights,
      means: column(this.bundle, this.index, `prior/${prior}/means`),
      factors: column(this.bundle, this.index, `prior/${prior}/factors`),
      diagonal: view.diagonal,
    };
  }

  /** Another epoch's latents, or the trained ones. @param {number | null} snapshot */
  showSnapshot(snapshot) {
    const trained = { means: this.means, logVariances: this.logVariances, kl: this.kl };
    this.shown = snapshot === null ? trained : this.latentsAt(snapshot);
    this.forget();
  }

  /** The latents of the first images as they were. @param {number} snapshot */
  latentsAt(snapshot) {
    /** @param {Float32Array | null} all @returns {Float32Array | null} */
    const part = (all) => {
      if (!all) return null;
      const length = all.length / this.run.snapshots.length;
      return all.subarray(snapshot * length, (snapshot + 1) * length);
    };
    /** @type {Float32Array} */
    const all = column(this.bundle, this.index, "snapshots/means");
    return {
      means: /** @type {Float32Array} */ (part(all)),
      logVariances: part(columnIfAny(this.bundle, this.index, "snapshots/log_variances")),
      kl: part(columnIfAny(this.bundle, this.index, "snapshots/kl")) ?? this.kl,
    };
  }

  forget() {
    /** @type {Float32Array | null} */
    this.placesCache = null;
    /** @type {Float32Array | null} */
    this.covariancesCache = null;
    /** @type {Field | null} */
    this.aggregate = null;
    /** @type {Field | null} */
    this.priorField = null;
    /** @type {Field | null} */
    this.holes = null;
  }

  /** Where the images lie on the map, (count, 2). */
  get places() {
    return (this.placesCache ??= projectAll(/** @type {Plane} */ (this.plane), this.shown.means));
  }

  /** The posteriors' covariances on the map (xx, xy, yy), or null. */
  get covariances() {
    if (!this.shown.logVariances) return null;
    return (this.covariancesCache ??= projectVariances(/** @type {Plane} */ (this.plane), this.shown.logVariances));
  }

  /** The part of the plane that holds the images and the prior, a square. */
  get box() {
    let reach = this.mixture || this.priorView ? 3.4 : 0;
    for (let k = 0; k < this.places.length; k++) {
      const size = Math.abs(this.places[k]);
      if (size > reach) reach = size;
    }
    reach = Math.min(reach * 1.04, 40 + this.quantileReach());
    return { left: -reach, right: reach, bottom: -reach, top: reach };
  }

  get wideBox() {
    const { left, right, bottom, top } = this.box;
    return { left: MARGIN * left, right: MARGIN * right, bottom: MARGIN * bottom, top: MARGIN * top };
  }

  quantileReach() {
    const sizes = Float32Array.from(this.places, Math.abs).sort();
    return 1.2 * (sizes[Math.floor(0.995 * (sizes.length - 1))] ?? 1);
  }

  /** log q(z) of the images' posteriors, seen on the plane. @returns {Field | null} */
  aggregateField() {
    if (!this.covariances) return null;
    if (!this.aggregate) {
      this.aggregate = emptyField(this.wideBox, CELLS, CELLS);
      fillMixture(this.aggregate, this.places, this.covariances);
    }
    return this.aggregate;
  }

  /** log p(z) of the prior, seen on the plane. @returns {Field | null} */
  priorDensity() {
    if (this.priorField) return this.priorField;
    if (this.mixture) {
      const seen = projectMixture(/** @type {Plane} */ (this.plane), this.mixture);
      this.priorField = emptyField(this.wideBox, CELLS, CELLS);
      fillMixture(this.priorField, seen.centres, seen.covariances, seen.logWeights, 12);
    } else this.priorField = this.size <= 2 ? this.bakedPrior() : null;
    return this.priorField;
  }

  /** The prior's log-density as Python computed it on a grid. @returns {Field | null} */
  bakedPrior() {
    const view = this.priorView;
    if (!view?.field || !view.field_shape) return null;
    const [left, right, bottom, top] = view.field;
    const [columns, rows] = view.field_shape;
    /** @type {Float32Array} */
    const values = column(this.bundle, this.index, `prior/${this.prior}/field`);
    return { box: { left, right, bottom, top }, columns, rows, values };
  }

  /**
   * log q(z) - log p(z), nats, faded where the denser of the two holds almost no mass: a hole is where the prior would draw from.
   * @returns {Field | null}
   */
  holeField() {
    if (this.holes) return this.holes;
    const aggregate = this.aggregateField();
    const prior = this.priorDensity();
    if (!aggregate || !prior) return null;
    const holes = emptyField(aggregate.box, aggregate.columns, aggregate.rows);
    const { box, columns, rows } = holes;
    for (let cell = 0; cell < holes.values.length; cell++) {
      let p = prior.values[cell];
      if (prior.columns !== columns || prior.box.left !== box.left) {
        const x = box.left + (((cell % columns) + 0.5) / columns) * (box.right - box.left);
        const y = box.bottom + ((Math.floor(cell / columns) + 0.5) / rows) * (box.top - box.bottom);
        p = fieldAt(prior, x, y);
      }
      const q = aggregate.values[cell];
      const present = Math.min(Math.max((Math.max(p, q) - FAINT) / (CLEAR - FAINT), 0), 1);
      holes.values[cell] = Math.min(Math.max(q - p, -DEEPEST), DEEPEST) * present;
    }
    return (this.holes = holes);
  }

  /** log p(z) in nats, NaN where this page cannot tell. @param {Float32Array} z */
  logPrior(z) {
    if (this.mixture) return mixtureLogProb(this.mixture, z);
    const baked = this.size <= 2 && this.priorView ? this.bakedPrior() : null;
    return baked ? fieldAt(baked, z[0], this.size > 1 ? z[1] : 0) : NaN;
  }

  /** @param {Float32Array} z @param {number | null} [except] an image that is left out */
  around(z, except = null) {
    const { last, shown } = this;
    // Several views ask about the same place in the same frame.
    if (last?.z === z && last.except === except && last.shown === shown) return last.found;
    const found = surroundings(z, shown.means, shown.logVariances, except);
    this.last = { z, except, shown, found };
    return found;
  }

  /** The share of the data's own latents that lie in emptier places than this one, 0 to 1. @param {Float32Array} z */
  familiarity(z, around = this.around(z)) {
    const { density_quantiles: densities, distance_quantiles: distances } = this.run;
    if (densities && this.shown.logVariances) return rank(densities, around.logDensity);
    return 1 - rank(distances, around.distance);
  }

  /** @param {number} image @returns {Float32Array} */
  meanOf(image) {
    return this.shown.means.slice(image * this.size, (image + 1) * this.size);
  }

  /** @param {number} image @returns {Float32Array | null} */
  logVarianceOf(image) {
    return this.shown.logVariances?.slice(image * this.size, (image + 1) * this.size) ?? null;
  }

  get pixels() {
    const { height, width, channels } = this.run.image;
    return height * width * channels;
  }

  /** Why log p(x|z) of an image cannot be had here: what says so among the texts; null where it can. */
  get unscored() {
    const { left_out: left, likelihood, engine } = this.run;
    if (left?.picture) return /** @type {const} */ ("exactNeedsWhole");
    return likelihood.form || engine.place === "server" ? null : /** @type {const} */ ("exactNeedsForm");
  }

  /** uint8. @param {number} image */
  thumbnailOf(image) {
    return this.thumbnails.subarray(image * this.pixels, (image + 1) * this.pixels);
  }

  /** An image as the model sees it, to the precision of its bytes. @param {number} image @returns {Float32Array} */
  imageOf(image) {
    const { low = 0, high = 1 } = this.run.image;
    return Float32Array.from(this.thumbnailOf(image), (byte) => low + (byte / 255) * (high - low));
  }

  /** @param {number} image @returns {string} */
  labelOf(image) {
    if (!this.labels) return "";
    return this.labelName(this.labels[image]);
  }

  /** @param {number} label @returns {string} */
  labelName(label) {
    return this.run.label_names?.[label] ?? String(label);
  }

  get labelCount() {
    if (!this.labels) return 0;
    return this.run.label_names?.length ?? this.labels.reduce((largest, label) => Math.max(largest, label), 0) + 1;
  }
}

/** @param {number[]} quantiles evenly from 0 to 1, rising @param {number} value @returns {number} */
export function rank(quantiles, value) {
  if (!(value > quantiles[0])) return 0;
  const last = quantiles.length - 1;
  for (let i = 1; i <= last; i++) {
    if (value > quantiles[i]) continue;
    return (i - 1 + (value - quantiles[i - 1]) / (quantiles[i] - quantiles[i - 1] || 1)) / last;
  }
  return 1;
}
