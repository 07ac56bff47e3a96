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
import { remembered } from "./store.js";
import { pairPlane, principalPlane, projectAll, projectMixture, projectVariances } from "./plane.js";

/** @typedef {import("./bundle.js").Bundle} Bundle */
/** @typedef {import("./densities.js").Field} Field */
/** @typedef {import("./densities.js").Mixture} Mixture */
/** @typedef {import("./densities.js").Box} Box */
/** @typedef {import("./plane.js").Plane} Plane */

const CELLS = 240;
/** Densities are drawn a little beyond what the map shows at first. */
const MARGIN = 1.25;
/** The grid of a prior that is no mixture reaches so much farther than its draws and the data (prior_columns.py). */
const FIELD_MARGIN = 1.3;
/** So many sigma from its mean a Gaussian of the map is not seen any more: log-density FAINT, for N(0, I). */
const VISIBLE = 4.6;
const NOTHING = -80;

/** Shares of mass within 1, 2 and 3 sigma of a Gaussian in the plane. */
export const SIGMA_SHARES = [1, 2, 3].map((sigma) => 1 - Math.exp(-(sigma ** 2) / 2));

/** Below FAINT nats a density is not shown at all, above CLEAR in full (N(0, I) at 4.4 and at 3.2 sigma). */
const FAINT = -11.5;
const CLEAR = -7;
const DEEPEST = 8;

/**
 * What is chosen for a pane: facts of the page's store, which the pane reads and never keeps.
 * @typedef {object} Choice
 * @property {number} prior which of the run's priors; -1: none
 * @property {number | null} epoch index of the run's snapshot; null: the trained model
 * @property {Plane | null} plane null: the pane's own pair of dimensions
 */

export class Pane {
  /** @param {Bundle} bundle @param {number} run @param {() => Choice} choice */
  constructor(bundle, run, choice) {
    this.bundle = bundle;
    this.index = run;
    this.choice = choice;
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
    /** KL in nats of each dimension, or the spread of the means where a posterior has none. */
    this.kl = columnIfAny(bundle, run, "kl") ?? new Float32Array(this.size);
    /** Dimensions by KL, largest first. */
    this.order = Array.from(this.kl.keys()).sort((a, b) => this.kl[b] - this.kl[a] || a - b);
    this.trained = { means: this.means, logVariances: this.logVariances, kl: this.kl };
    this.ownPlane = this.pairPlane();
  }

  /** @type {ReturnType<typeof remembered<Mixture | null>>} */ keptMixture = remembered();
  /** @type {ReturnType<typeof remembered<Pane["trained"]>>} */ keptShown = remembered();
  /** @type {ReturnType<typeof remembered<Float32Array>>} */ keptPlaces = remembered();
  /** @type {ReturnType<typeof remembered<Float32Array>>} */ keptCovariances = remembered();
  /** @type {ReturnType<typeof remembered<Box>>} */ keptBox = remembered();
  /** @type {ReturnType<typeof remembered<Box>>} */ keptWideBox = remembered();
  /** @type {ReturnType<typeof remembered<Field>>} */ keptAggregate = remembered();
  /** @type {ReturnType<typeof remembered<Field | null>>} */ keptPrior = remembered();
  /** @type {ReturnType<typeof remembered<Field | null>>} */ keptHoles = remembered();
  /** @type {ReturnType<typeof remembered<{centres: Float32Array, covariances: Float32Array, logWeights: Float32Array}>>} */ keptShadow = remembered();
  /** @type {ReturnType<typeof remembered<Plane>>} */ keptPrincipal = remembered();

  get prior() {
    return this.choice().prior;
  }

  get epoch() {
    return this.choice().epoch;
  }

  /** @returns {Plane} */
  get plane() {
    return this.choice().plane ?? this.ownPlane;
  }

  /** The prior chosen, or null. */
  get priorView() {
    return this.run.priors[this.prior] ?? null;
  }

  /** The prior chosen as a mixture of Gaussians, where it is one and has arrived. */
  get mixture() {
    const { prior, priorView } = this;
    return this.keptMixture([priorView], () => (priorView?.mixture ? this.mixtureOf(prior) : null));
  }

  /** The two dimensions of largest KL, the lower number across. */
  pairPlane() {
    if (this.size <= 2) return pairPlane(this.size, 0, 1);
    const [first, second] = this.order.slice(0, 2).sort((a, b) => a - b);
    return pairPlane(this.size, first, second);
  }

  principalPlane() {
    return this.keptPrincipal([], () => principalPlane(this.means, this.size));
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

  /** What the map shows: the trained model's latents, or those of an earlier epoch while the replay stands there. */
  get shown() {
    const { epoch } = this;
    return this.keptShown([epoch], () => (epoch === null ? this.trained : this.latentsAt(epoch)));
  }

  /** How many images are on the map: all, or those that the replay follows. */
  get count() {
    return this.shown.means.length / this.size;
  }

  /** How many images the replay follows: the first of those on the map. */
  get followed() {
    const { snapshots } = this.run;
    const all = columnIfAny(this.bundle, this.index, "snapshots/means");
    return all && snapshots.length ? all.length / (snapshots.length * this.size) : 0;
  }

  /** The images of a selection that are on the map. @param {Int32Array | null} chosen @returns {Int32Array | null} */
  present(chosen) {
    const { count } = this;
    return chosen?.some((n) => n >= count) ? chosen.filter((n) => n < count) : chosen;
  }

  /** The latents of the first images as they were. @param {number} snapshot @returns {Pane["trained"]} */
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

  /** Where the images lie on the map, (count, 2). */
  get places() {
    const { plane, shown } = this;
    return this.keptPlaces([plane.u, plane.v, shown], () => projectAll(plane, shown.means));
  }

  /** The posteriors' covariances on the map (xx, xy, yy), or null. */
  get covariances() {
    const { plane, shown } = this;
    const { logVariances } = shown;
    if (!logVariances) return null;
    return this.keptCovariances([plane.u, plane.v, shown], () => projectVariances(plane, logVariances));
  }

  /** The prior's Gaussians seen on the plane; null where it is no mixture. */
  get shadow() {
    const { plane, mixture } = this;
    return mixture && this.keptShadow([plane.u, plane.v, mixture], () => projectMixture(plane, mixture));
  }

  /** The part of the plane that holds the images and the prior's 3 sigma, a square. @returns {Box} */
  get box() {
    const { places, shadow, priorView } = this;
    return this.keptBox([places, shadow, priorView], () => {
      const around = boxOf(places);
      if (shadow) widen(around, shadow.centres, shadow.covariances, 3.4);
      else if (priorView?.field) {
        const [left, right, bottom, top] = priorView.field;
        const share = 1 / FIELD_MARGIN;
        widen(around, Float32Array.from([(left + right) / 2, (bottom + top) / 2]), Float32Array.from([((right - left) / 2) ** 2, 0, ((top - bottom) / 2) ** 2]), share);
      }
      return squared(around, 1.04);
    });
  }

  /** Where densities are drawn: as far as the map shows at first, and as far as prior and posteriors are seen. @returns {Box} */
  get wideBox() {
    const { box, places, covariances, shadow } = this;
    return this.keptWideBox([box, covariances, shadow], () => {
      const wide = { ...squared({ ...box }, MARGIN) };
      if (covariances) widen(wide, places, covariances, VISIBLE);
      if (shadow) widen(wide, shadow.centres, shadow.covariances, VISIBLE);
      return squared(wide, 1);
    });
  }

  /** log q(z) of the images' posteriors, seen on the plane. @returns {Field | null} */
  aggregateField() {
    const { covariances, places, wideBox } = this;
    if (!covariances) return null;
    return this.keptAggregate([covariances, wideBox], () => {
      const field = emptyField(wideBox, CELLS, CELLS);
      fillMixture(field, places, covariances);
      return field;
    });
  }

  /** log p(z) of the prior, seen on the plane. @returns {Field | null} */
  priorDensity() {
    const { shadow, wideBox, priorView } = this;
    return this.keptPrior([shadow, wideBox, priorView], () => {
      if (!shadow) return this.size <= 2 ? this.bakedPrior() : null;
      const field = emptyField(wideBox, CELLS, CELLS);
      fillMixture(field, shadow.centres, shadow.covariances, shadow.logWeights, 12);
      return field;
    });
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
    const aggregate = this.aggregateField();
    const prior = this.priorDensity();
    return this.keptHoles([aggregate, prior], () => (aggregate && prior ? holesOf(aggregate, prior) : null));
  }

  /** log p(z) in nats, NaN where this page cannot tell. @param {Float32Array} z */
  logPrior(z) {
    if (this.mixture) return mixtureLogProb(this.mixture, z);
    const baked = this.size <= 2 && this.priorView ? this.bakedPrior() : null;
    return baked ? fieldAt(baked, z[0], this.size > 1 ? z[1] : 0) : NaN;
  }

  /** @type {{z: Float32Array, except: number | null, shown: object, found: ReturnType<typeof surroundings>} | null} */
  last = null;

  /** @param {Float32Array} z @param {number | null} [except] an image that is left out */
  around(z, except = null) {
    const { last, shown } = this;
    // Several views ask about the same place in the same frame.
    if (last?.z === z && last.except === except && last.shown === shown) return last.found;
    const found = surroundings(z, shown.means, shown.logVariances, except);
    this.last = { z, except, shown, found };
    return found;
  }

  /**
   * The share of the data's own latents that lie in emptier places than this one, 0 to 1, like ranked with like: a place of the map,
   * or an image's mean, among the images' means; a draw among draws from their posteriors. Each of them left out of its own average.
   * @param {Float32Array} z @param {"means" | "draws"} among
   */
  familiarity(z, among = "means", around = this.around(z)) {
    const { density_quantiles: draws, mean_density_quantiles: means, distance_quantiles: distances } = this.run;
    const densities = among === "draws" ? draws : means;
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

/** @param {Field} aggregate @param {Field} prior @returns {Field} */
function holesOf(aggregate, prior) {
  const holes = emptyField(aggregate.box, aggregate.columns, aggregate.rows);
  const { box, columns, rows } = holes;
  for (let cell = 0; cell < holes.values.length; cell++) {
    let p = prior.values[cell];
    if (prior.columns !== columns || prior.box.left !== box.left) {
      const x = box.left + (((cell % columns) + 0.5) / columns) * (box.right - box.left);
      const y = box.bottom + ((Math.floor(cell / columns) + 0.5) / rows) * (box.top - box.bottom);
      p = fieldAt(prior, x, y);
      if (Number.isNaN(p)) p = NOTHING; // Beyond its grid, which reaches as far as it is seen.
    }
    const q = aggregate.values[cell];
    const present = Math.min(Math.max((Math.max(p, q) - FAINT) / (CLEAR - FAINT), 0), 1);
    holes.values[cell] = Math.min(Math.max(q - p, -DEEPEST), DEEPEST) * present;
  }
  return holes;
}

/** The smallest box of some places, without the half per cent farthest out on each side where they lie far off. @param {Float32Array} places @returns {Box} */
function boxOf(places) {
  const [xs, ys] = [0, 1].map((axis) => places.filter((_, k) => k % 2 === axis).sort());
  const last = xs.length - 1;
  if (last < 0) return { left: 0, right: 0, bottom: 0, top: 0 };
  const [[left, right], [bottom, top]] = [xs, ys].map((values) => {
    const [low, high] = [values[Math.floor(0.005 * last)], values[Math.ceil(0.995 * last)]];
    const room = Math.max(high - low, 1e-3);
    return [Math.max(values[0], low - 2 * room), Math.min(values[last], high + 2 * room)];
  });
  return { left, right, bottom, top };
}

/** Make a box hold Gaussians up to so many sigma. @param {Box} box @param {Float32Array} centres @param {Float32Array} covariances @param {number} sigmas */
function widen(box, centres, covariances, sigmas) {
  for (let n = 0; 2 * n < centres.length; n++) {
    const [x, y] = [centres[2 * n], centres[2 * n + 1]];
    const [wide, tall] = [sigmas * Math.sqrt(covariances[3 * n]), sigmas * Math.sqrt(covariances[3 * n + 2])];
    box.left = Math.min(box.left, x - wide);
    box.right = Math.max(box.right, x + wide);
    box.bottom = Math.min(box.bottom, y - tall);
    box.top = Math.max(box.top, y + tall);
  }
}

/** A square about the same middle. @param {Box} box @param {number} margin @returns {Box} */
function squared({ left, right, bottom, top }, margin) {
  const half = Math.max((margin * Math.max(right - left, top - bottom)) / 2, 1e-3);
  const [x, y] = [(left + right) / 2, (bottom + top) / 2];
  return { left: x - half, right: x + half, bottom: y - half, top: y + half };
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
