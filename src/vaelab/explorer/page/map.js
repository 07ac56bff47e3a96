/**
 * The map: a plane of the latent space, its layers, and the pointer upon it.
 *
 * Four canvases lie upon each other: the ground (densities, grid of decoded images, contours), the points, the marks that
 * stay, and a small one that follows the pointer. Only the last is drawn anew while the pointer moves: the browser copies
 * a canvas whole, however little of it changed.
 */

import { CLASS_COLOURS, channelsOf, inkOn } from "./colours.js";
import { contour, massLevels } from "./contours.js";
import { element } from "./dom.js";
import { SIGMA_SHARES } from "./pane.js";
import { ellipseOf, lift, project, projectVariances } from "./plane.js";
import { splatPainter } from "./points.js";

/** @typedef {import("./pane.js").Pane} Pane */
/** @typedef {import("./densities.js").Field} Field */
/** @typedef {Record<"points" | "ellipses" | "exact" | "prior" | "aggregate" | "holes" | "manifold", boolean>} Layers */
/**
 * @typedef {object} Marks what lies above the points
 * @property {Float32Array | null} pin @property {boolean} off whether it lies beside the plane @property {number | null} pinImage
 * @property {Float32Array | null} hover
 * @property {number | null} nearest @property {number | null} lit an image lit up from elsewhere
 * @property {{mean: Float32Array, logVariance: Float32Array | null, z: Float32Array} | null} drawn
 * @property {{a: Float32Array | null, b: Float32Array | null, way: Float32Array[], at: Float32Array | null}} path
 * @property {{a: Int32Array | null, b: Int32Array | null}} selection
 * @property {Float32Array[]} samples
 * @property {Float32Array[]} corners
 * @property {boolean} ghosts whether the interpolation's ends are shown
 */
/** @typedef {{x: number, y: number, width: number, height: number, image: CanvasImageSource}} Tile */
/** @typedef {{tiles: Tile[]}} Mosaic */

/** What a map shows of its plane. @typedef {{centre: number[], scale: number, fitted: boolean}} Sight */

const POINT_RADIUS = 1.9;
/** Up to so many classes each has its name on the map. */
const FEW_CLASSES = 12;
const MOST_BADGES = 16;
/** Pixels of the longest name on the map. */
const LONGEST_BADGE = 84;
/** The least side of the canvas that follows the pointer, in pixels. */
const SMALLEST = 64;

export class MapView {
  /**
   * @param {HTMLElement} host @param {Pane} pane @param {string} label @param {Sight} sight
   */
  constructor(host, pane, label, sight) {
    this.pane = pane;
    this.sight = sight;
    this.host = host;
    this.ground = element("canvas.vx-layer", { "aria-hidden": "true" });
    this.dots = element("canvas.vx-layer", { "aria-hidden": "true" });
    this.overlay = element("canvas.vx-layer.vx-overlay", { tabIndex: 0, role: "application", "aria-label": label });
    this.painter = splatPainter(this.dots);
    this.pointer = element("canvas.vx-pointer", { "aria-hidden": "true" });
    host.replaceChildren(this.ground, this.dots, this.overlay, this.pointer);
    /** @type {Layers} */
    this.layers = { points: true, ellipses: false, exact: false, prior: true, aggregate: false, holes: false, manifold: false };
    /** @type {Set<number>} */
    this.muted = new Set();
    /** @type {Mosaic | null} */
    this.mosaic = null;
    /** @type {Field[]} */
    this.exact = [];
    /** @type {[number, number][]} */
    this.lasso = [];
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(host);
    this.resize();
  }

  get centre() {
    return this.sight.centre;
  }
  set centre(centre) {
    this.sight.centre = centre;
  }
  /** Pixels a unit of the plane. */
  get scale() {
    return this.sight.scale;
  }
  set scale(scale) {
    this.sight.scale = scale;
  }
  /** Whether everything is shown, whatever the size of the map. */
  get fitted() {
    return this.sight.fitted;
  }
  set fitted(fitted) {
    this.sight.fitted = fitted;
  }

  destroy() {
    this.observer.disconnect();
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.host;
    if (!width || !height) return;
    const ratio = window.devicePixelRatio || 1;
    if (this.width === width && this.height === height && this.ratio === ratio) return;
    Object.assign(this, { width, height, ratio });
    for (const canvas of [this.ground, this.dots, this.overlay]) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    if (this.fitted) this.fit();
    else this.draw();
    this.drawOverlay(this.marks);
  }

  /** @type {number} */ width = 0;
  /** @type {number} */ height = 0;
  /** @type {number} */ ratio = 1;
  /** @type {Marks | null} */ marks = null;

  /** Show everything. */
  fit() {
    const { left, right, bottom, top } = this.pane.box;
    this.centre = [(left + right) / 2, (bottom + top) / 2];
    this.scale = Math.min(this.width / (right - left), this.height / (top - bottom)) * 0.97;
    this.fitted = true;
    this.draw();
  }

  /** The place on screen that stays when one zooms without a pointer: the pinned point, where it is in sight. */
  get middle() {
    const [x, y] = this.marks?.pin ? this.placeOf(this.marks.pin) : [NaN, NaN];
    return x >= 0 && y >= 0 && x <= this.width && y <= this.height ? [x, y] : [this.width / 2, this.height / 2];
  }

  /** @param {number} factor @param {number} [x] @param {number} [y] the place on screen that stays */
  zoom(factor, x = this.middle[0], y = this.middle[1]) {
    const [a, b] = this.toPlane(x, y);
    this.scale = Math.min(Math.max(this.scale * factor, 4), 20000);
    const [c, d] = this.toPlane(x, y);
    this.centre = [this.centre[0] + a - c, this.centre[1] + b - d];
    this.fitted = false;
    this.draw();
  }

  /** @param {number} dx @param {number} dy pixels */
  pan(dx, dy) {
    this.centre = [this.centre[0] - dx / this.scale, this.centre[1] + dy / this.scale];
    this.fitted = false;
    this.draw();
  }

  /** Keep a place in sight. @param {number} a @param {number} b */
  reveal(a, b) {
    const [x, y] = this.toScreen(a, b);
    if (x > 10 && y > 10 && x < this.width - 10 && y < this.height - 10) return;
    this.centre = [a, b];
    this.fitted = false;
    this.draw();
  }

  /** @param {number} a @param {number} b @returns {[number, number]} CSS pixels from the map's corner */
  toScreen(a, b) {
    return [this.width / 2 + (a - this.centre[0]) * this.scale, this.height / 2 - (b - this.centre[1]) * this.scale];
  }

  /** @param {number} x @param {number} y @returns {[number, number]} */
  toPlane(x, y) {
    return [this.centre[0] + (x - this.width / 2) / this.scale, this.centre[1] - (y - this.height / 2) / this.scale];
  }

  /** @param {number} x @param {number} y @returns {Float32Array} the latent under a place on screen */
  latentAt(x, y) {
    const [a, b] = this.toPlane(x, y);
    return lift(this.pane.plane, a, b);
  }

  /** The point drawn nearest a place on screen, within so many pixels, or null. @param {number} x @param {number} y */
  pointAt(x, y, within = 7) {
    const [a, b] = this.toPlane(x, y);
    const { places } = this.pane;
    let best = null;
    let closest = (within / this.scale) ** 2;
    for (let n = 0; 2 * n < places.length; n++) {
      const square = (places[2 * n] - a) ** 2 + (places[2 * n + 1] - b) ** 2;
      if (square <= closest) [best, closest] = [n, square];
    }
    return best;
  }

  /** A colour of the style sheet, asked for once until the next full drawing. @param {string} name @returns {string} */
  ink(name) {
    let colour = this.inks.get(name);
    if (colour === undefined) {
      colour = getComputedStyle(this.host).getPropertyValue(`--vx-${name}`).trim();
      this.inks.set(name, colour);
    }
    return colour;
  }

  /** @type {Map<string, string>} */ inks = new Map();
  /** @type {WeakMap<Field, {theme: string, image: HTMLCanvasElement}>} */ heats = new WeakMap();

  get theme() {
    return this.ink("theme") === "dark" ? /** @type {const} */ ("dark") : /** @type {const} */ ("light");
  }

  /** @param {number} label */
  colourOf(label) {
    const colours = CLASS_COLOURS[this.theme];
    return colours[label % colours.length];
  }

  // --- the two still canvases ---------------------------------------------------------------------------------------

  draw() {
    if (!this.width) return;
    this.inks.clear();
    this.drawGround();
    this.drawPoints();
    this.drawOverlay(this.marks);
    this.whenDrawn();
  }

  /** Called after the view was drawn at another place, size or zoom. */
  whenDrawn = () => {};

  drawGround() {
    const context = this.begin(this.ground);
    const flat = this.pane.size > 1;
    if (this.layers.aggregate && flat) this.drawHeat(context, this.pane.aggregateField(), "aggregate");
    if (this.layers.holes && flat) this.drawHeat(context, this.pane.holeField(), "holes");
    this.drawGrid(context);
    if (this.layers.manifold) this.drawMosaic(context);
    if (this.layers.prior) this.drawPrior(context);
    if (this.layers.ellipses) this.drawEllipses(context);
  }

  /** @param {HTMLCanvasElement} canvas */
  begin(canvas) {
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    return context;
  }

  /** @param {CanvasRenderingContext2D} context */
  drawGrid(context) {
    const step = this.gridStep;
    const [left, bottom] = this.toPlane(0, this.height);
    const [right, top] = this.toPlane(this.width, 0);
    context.lineWidth = 1;
    for (const [from, to, vertical] of /** @type {[number, number, boolean][]} */ ([
      [left, right, true],
      [bottom, top, false],
    ])) {
      for (let k = Math.ceil(from / step); k * step <= to; k++) {
        const [x, y] = vertical ? this.toScreen(k * step, 0) : this.toScreen(0, k * step);
        context.strokeStyle = k === 0 ? this.ink("axis") : this.ink("grid");
        context.beginPath();
        if (vertical) {
          context.moveTo(Math.round(x) + 0.5, 0);
          context.lineTo(Math.round(x) + 0.5, this.height);
        } else {
          context.moveTo(0, Math.round(y) + 0.5);
          context.lineTo(this.width, Math.round(y) + 0.5);
        }
        context.stroke();
      }
    }
  }

  /** The axes' numbers and names, above all that lies on the map, with a halo. @param {CanvasRenderingContext2D} context */
  drawAxisNumbers(context) {
    const step = this.gridStep;
    const [left, bottom] = this.toPlane(0, this.height);
    const [right, top] = this.toPlane(this.width, 0);
    const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    context.font = "11px system-ui, sans-serif";
    context.lineJoin = "round";
    /** @param {string} text @param {number} x @param {number} y */
    const write = (text, x, y) => {
      context.lineWidth = 3;
      context.strokeStyle = this.ink("paper");
      context.strokeText(text, x, y);
      context.fillStyle = this.ink("quiet");
      context.fillText(text, x, y);
    };
    /** @param {number} k */
    const textOf = (k) => (k * step).toFixed(digits).replace("-", "−");
    for (let k = Math.ceil(left / step); k * step <= right; k++) {
      const [x] = this.toScreen(k * step, 0);
      if (x > 24 && x < this.width - 60) write(textOf(k), x + 3, this.height - 5);
    }
    for (let k = Math.ceil(bottom / step); this.pane.size > 1 && k * step <= top; k++) {
      const [, y] = this.toScreen(0, k * step);
      if (y > 24 && y < this.height - 24) write(textOf(k), 4, y - 3);
    }
    const { pair } = this.pane.plane;
    const names = pair ? [pair[0] + 1, pair[1] + 1].map((n) => `z${subscript(n)}`) : ["u", "v"];
    context.font = "italic 13px Georgia, 'Times New Roman', serif";
    write(names[0], this.width - 22, this.height - 6);
    if (this.pane.size > 1) write(names[1], 6, 16);
  }

  get gridStep() {
    return niceStep(Math.min(70, Math.min(this.width, this.height) / 6) / this.scale);
  }

  /** @param {CanvasRenderingContext2D} context @param {Field | null} field @param {"aggregate" | "holes" | "exact"} kind */
  drawHeat(context, field, kind) {
    if (!field) return;
    let heat = this.heats.get(field);
    if (heat?.theme !== this.theme) {
      heat = { theme: this.theme, image: heatImage(field, kind, this.theme, channelsOf(this.ink("accent"))) };
      this.heats.set(field, heat);
    }
    const { image } = heat;
    const { left, right, bottom, top } = field.box;
    const [x, y] = this.toScreen(left, top);
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "high";
    context.drawImage(image, x, y, (right - left) * this.scale, (top - bottom) * this.scale);
  }

  /** @param {CanvasRenderingContext2D} context */
  drawMosaic(context) {
    if (!this.mosaic) return;
    context.imageSmoothingEnabled = true;
    for (const { x, y, width, height, image } of this.mosaic.tiles) {
      const [left, top] = this.toScreen(x - width / 2, y + height / 2);
      const [wide, tall] = [width * this.scale + 0.4, height * this.scale + 0.4];
      if (left > this.width || top > this.height || left + wide < 0 || top + tall < 0) continue;
      // A cell need not be square; its picture is.
      const side = Math.min(wide, tall);
      context.fillStyle = "#000";
      context.fillRect(left, top, wide, tall);
      context.drawImage(image, left + (wide - side) / 2, top + (tall - side) / 2, side, side);
    }
  }

  /** @param {CanvasRenderingContext2D} context */
  drawPrior(context) {
    const field = this.pane.priorDensity();
    const { mixture } = this.pane;
    context.strokeStyle = this.ink("prior");
    context.lineWidth = 1.4;
    if (mixture && mixture.count === 1 && mixture.diagonal) {
      // One Gaussian: its rings at 1, 2 and 3 sigma, exactly.
      const logVariance = mixture.factors.map((value) => 2 * Math.log(value));
      const [xx, xy, yy] = projectVariances(this.pane.plane, logVariance);
      const [a, b] = project(this.pane.plane, mixture.means);
      for (const sigma of [1, 2, 3]) {
        context.setLineDash(sigma === 1 ? [] : sigma === 2 ? [6, 4] : [2, 4]);
        this.traceEllipse(context, a, b, xx, xy, yy, sigma);
        context.stroke();
      }
    } else if (field) {
      massLevels(field, SIGMA_SHARES).forEach((level, sigma) => {
        context.setLineDash(sigma === 0 ? [] : sigma === 1 ? [6, 4] : [2, 4]);
        context.beginPath();
        for (const { points, closed } of contour(field, level)) {
          points.forEach(([a, b], i) => (i ? context.lineTo(...this.toScreen(a, b)) : context.moveTo(...this.toScreen(a, b))));
          if (closed) context.closePath();
        }
        context.stroke();
      });
    }
    context.setLineDash([]);
  }

  /**
   * @param {CanvasRenderingContext2D} context @param {number} a @param {number} b
   * @param {number} xx @param {number} xy @param {number} yy @param {number} [sigma]
   */
  traceEllipse(context, a, b, xx, xy, yy, sigma = 1) {
    const { major, minor, angle } = ellipseOf(xx, xy, yy);
    const [x, y] = this.toScreen(a, b);
    context.beginPath();
    context.ellipse(x, y, sigma * major * this.scale, sigma * minor * this.scale, -angle, 0, 2 * Math.PI);
  }

  /** The 1-sigma ellipses of all posteriors, true to scale. @param {CanvasRenderingContext2D} context */
  drawEllipses(context) {
    const { places, covariances, labels } = this.pane;
    if (!covariances) return;
    context.lineWidth = 0.8;
    context.globalAlpha = 0.4;
    for (let n = 0; 2 * n < places.length; n++) {
      const label = labels ? labels[n] : 0;
      if (this.muted.has(label)) continue;
      const [x, y] = this.toScreen(places[2 * n], places[2 * n + 1]);
      if (x < -40 || y < -40 || x > this.width + 40 || y > this.height + 40) continue;
      context.strokeStyle = labels ? this.colourOf(label) : this.ink("accent");
      this.traceEllipse(context, places[2 * n], places[2 * n + 1], covariances[3 * n], covariances[3 * n + 1], covariances[3 * n + 2]);
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  drawPoints() {
    // The pictures of the grid are what one looks at; the points stay as a trace.
    this.dots.style.opacity = this.layers.manifold ? "0.4" : "";
    if (!this.layers.points) return this.painter.clear();
    const { places, labels } = this.pane;
    const count = places.length / 2;
    const { ratio, scale } = this;
    const [left, top] = this.toScreen(0, 0);
    const zoomed = Math.min(Math.max(scale / 110, 0.8), 1.8) * (count > 20000 ? 0.7 : 1);
    this.painter.draw({
      places,
      colours: this.pointColours(labels, count),
      scale: scale * ratio,
      left: left * ratio,
      top: top * ratio,
      radius: POINT_RADIUS * ratio * zoomed,
    });
  }

  /** @param {Int32Array | null} labels @param {number} count @returns {Uint32Array} */
  pointColours(labels, count) {
    /** @param {string} colour @param {number} opacity */
    const packed = (colour, opacity) => {
      const [red, green, blue] = channelsOf(colour);
      return ((opacity << 24) | (blue << 16) | (green << 8) | red) >>> 0;
    };
    const grey = packed(this.ink("muted-point"), 90);
    const plain = packed(this.ink("accent"), 190);
    const byLabel = Array.from({ length: this.pane.labelCount }, (_, label) =>
      this.muted.has(label) ? grey : packed(this.colourOf(label), this.layers.manifold ? 235 : 205),
    );
    const colours = new Uint32Array(count);
    const { a, b } = this.marks?.selection ?? { a: null, b: null };
    if (a || b) {
      colours.fill(grey);
      for (const chosen of [a, b]) for (const n of chosen ?? []) colours[n] = labels ? byLabel[labels[n]] : plain;
    } else for (let n = 0; n < count; n++) colours[n] = labels ? byLabel[labels[n]] : plain;
    return colours;
  }

  // --- what follows the pointer -------------------------------------------------------------------------------------

  /** @param {Marks | null} marks */
  drawOverlay(marks) {
    this.marks = marks;
    if (!this.width) return;
    const context = this.begin(this.overlay);
    this.drawAxisNumbers(context);
    if (!marks) return;
    // Above the points, which are thickest just where it lies.
    if (this.layers.exact) for (const field of this.exact) this.drawHeat(context, field, "exact");
    if (this.layers.points && !this.layers.manifold) this.drawClassNames(context);
    this.drawSelections(context, marks);
    this.drawPath(context, marks);
    for (const z of marks.samples) this.drawDot(context, z, this.ink("drawn"), 3);
    for (const z of marks.corners) this.drawDot(context, z, this.ink("accent"), 5);
    if (marks.pinImage !== null) this.drawImageMark(context, marks.pinImage, this.ink("accent"), true);
    if (marks.drawn) this.drawDrawn(context, marks.drawn);
    if (marks.pin) {
      // A pin beside the plane is its shadow: a broken cross.
      context.setLineDash(marks.off ? [3, 3] : []);
      this.drawCross(context, marks.pin, this.ink("accent"), 9);
      context.setLineDash([]);
    }
    if (this.lasso.length) this.traceOutline(context, this.lasso);
    this.drawPointer(marks);
  }

  /** The cross under the pointer, the image nearest to it, one lit up from elsewhere. @param {Marks} marks */
  drawPointer(marks) {
    this.marks = marks;
    const { hover } = marks;
    const { pointer, ratio } = this;
    const [nearest, lit] = [marks.nearest, marks.lit].map((image) => (image !== null && 2 * image < this.pane.places.length ? image : null));
    /** @type {[number, number, number][]} what is drawn: its middle and its reach */
    const spots = [nearest, lit].flatMap((image) => (image === null ? [] : [this.extentOf(image)]));
    if (hover) spots.push([...this.placeOf(hover), 9]);
    pointer.style.visibility = spots.length ? "visible" : "hidden";
    if (!spots.length) return;
    const left = Math.max(Math.min(...spots.map(([x, , reach]) => x - reach)), 0);
    const top = Math.max(Math.min(...spots.map(([, y, reach]) => y - reach)), 0);
    const right = Math.min(Math.max(...spots.map(([x, , reach]) => x + reach)), this.width);
    const bottom = Math.min(Math.max(...spots.map(([, y, reach]) => y + reach)), this.height);
    const side = 2 ** Math.ceil(Math.log2(Math.max(right - left + 1, bottom - top + 1, SMALLEST)));
    const pixels = Math.round(side * ratio);
    if (pointer.width !== pixels) {
      pointer.width = pointer.height = pixels;
      pointer.style.width = pointer.style.height = `${side}px`;
    }
    const [x, y] = [Math.floor(left * ratio), Math.floor(top * ratio)];
    pointer.style.transform = `translate(${x / ratio}px, ${y / ratio}px)`;
    const context = this.begin(pointer);
    context.setTransform(ratio, 0, 0, ratio, -x, -y);
    if (nearest !== null) this.drawImageMark(context, nearest, this.ink("quiet"), false);
    if (lit !== null) this.drawImageMark(context, lit, this.ink("accent"), true);
    if (hover) this.drawCross(context, hover, this.ink("ink"), 6);
  }

  /** Where an image's mark lies on screen, and how far it reaches. @param {number} image @returns {[number, number, number]} */
  extentOf(image) {
    const { places, covariances } = this.pane;
    const [x, y] = this.toScreen(places[2 * image], places[2 * image + 1]);
    const { major } = covariances ? ellipseOf(covariances[3 * image], covariances[3 * image + 1], covariances[3 * image + 2]) : { major: 0 };
    return [x, y, Math.max(major * this.scale, 6) + 3];
  }

  /** @param {Float32Array} z @returns {[number, number]} */
  planeOf(z) {
    return project(this.pane.plane, z);
  }

  /** @param {Float32Array} z @returns {[number, number]} */
  placeOf(z) {
    return this.toScreen(...this.planeOf(z));
  }

  /** @param {CanvasRenderingContext2D} context @param {Float32Array} z @param {string} colour @param {number} size */
  drawCross(context, z, colour, size) {
    const [x, y] = this.placeOf(z);
    for (const [width, ink] of /** @type {[number, string][]} */ ([
      [4, this.ink("paper")],
      [1.8, colour],
    ])) {
      context.lineWidth = width;
      context.strokeStyle = ink;
      context.beginPath();
      context.moveTo(x - size, y);
      context.lineTo(x + size, y);
      context.moveTo(x, y - size);
      context.lineTo(x, y + size);
      context.stroke();
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {Float32Array} z @param {string} colour @param {number} radius */
  drawDot(context, z, colour, radius) {
    const [x, y] = this.placeOf(z);
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fillStyle = colour;
    context.fill();
    context.lineWidth = 1.5;
    context.strokeStyle = this.ink("paper");
    context.stroke();
  }

  /** A ring round an image's point, with its posterior. @param {CanvasRenderingContext2D} context @param {number} image @param {string} colour @param {boolean} strong */
  drawImageMark(context, image, colour, strong) {
    const { places, covariances } = this.pane;
    if (image >= places.length / 2) return;
    const [a, b] = [places[2 * image], places[2 * image + 1]];
    const [x, y] = this.toScreen(a, b);
    context.lineWidth = strong ? 2 : 1.2;
    context.strokeStyle = colour;
    context.beginPath();
    context.arc(x, y, strong ? 6 : 4.5, 0, 2 * Math.PI);
    context.stroke();
    if (!covariances) return;
    context.lineWidth = strong ? 1.8 : 1.1;
    this.traceEllipse(context, a, b, covariances[3 * image], covariances[3 * image + 1], covariances[3 * image + 2]);
    context.stroke();
    if (strong) {
      context.globalAlpha = 0.12;
      context.fillStyle = colour;
      context.fill();
      context.globalAlpha = 1;
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {NonNullable<Marks["drawn"]>} drawn */
  drawDrawn(context, { mean, logVariance, z }) {
    const plane = this.pane.plane;
    const colour = this.ink("drawn");
    context.strokeStyle = colour;
    if (logVariance) {
      const [xx, xy, yy] = projectVariances(plane, logVariance);
      const [a, b] = project(plane, mean);
      for (const sigma of [1, 2]) {
        context.lineWidth = sigma === 1 ? 2 : 1;
        this.traceEllipse(context, a, b, xx, xy, yy, sigma);
        context.stroke();
      }
    }
    this.drawDot(context, mean, colour, 4.5);
    if (z !== mean) this.drawCross(context, z, colour, 6);
  }

  /** @param {CanvasRenderingContext2D} context @param {Marks} marks */
  drawPath(context, { path, ghosts }) {
    if (!ghosts) return;
    if (path.way.length) {
      context.lineWidth = 2;
      context.strokeStyle = this.ink("ink");
      context.beginPath();
      path.way.forEach((z, i) => (i ? context.lineTo(...this.placeOf(z)) : context.moveTo(...this.placeOf(z))));
      context.stroke();
    }
    if (path.at) this.drawDot(context, path.at, this.ink("ink"), 5);
    for (const [name, z] of /** @type {[string, Float32Array | null][]} */ ([
      ["A", path.a],
      ["B", path.b],
    ])) {
      if (!z) continue;
      this.drawDot(context, z, this.ink("accent"), 9);
      const [x, y] = this.placeOf(z);
      context.fillStyle = this.ink("paper");
      context.font = "600 11px system-ui, sans-serif";
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.fillText(name, x, y + 0.5);
      context.textAlign = "start";
      context.textBaseline = "alphabetic";
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {Marks} marks */
  drawSelections(context, { selection }) {
    const { places } = this.pane;
    for (const [chosen, colour] of /** @type {[Int32Array | null, string][]} */ ([
      [selection.a, this.ink("accent")],
      [selection.b, this.ink("drawn")],
    ])) {
      if (!chosen?.length) continue;
      let [a, b] = [0, 0];
      for (const n of chosen) {
        a += places[2 * n] / chosen.length;
        b += places[2 * n + 1] / chosen.length;
      }
      const [x, y] = this.toScreen(a, b);
      context.beginPath();
      context.rect(x - 5, y - 5, 10, 10);
      context.fillStyle = colour;
      context.fill();
      context.lineWidth = 2;
      context.strokeStyle = this.ink("paper");
      context.stroke();
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {[number, number][]} outline */
  traceOutline(context, outline) {
    context.beginPath();
    outline.forEach(([a, b], i) => (i ? context.lineTo(...this.toScreen(a, b)) : context.moveTo(...this.toScreen(a, b))));
    context.closePath();
    context.lineWidth = 1.5;
    context.strokeStyle = this.ink("accent");
    context.setLineDash([5, 4]);
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 0.08;
    context.fillStyle = this.ink("accent");
    context.fill();
    context.globalAlpha = 1;
  }

  /** The second cue beside colour: each class's name where its points are. @param {CanvasRenderingContext2D} context */
  drawClassNames(context) {
    const { labelCount } = this.pane;
    if (!labelCount) return;
    const centres = this.classCentres();
    context.font = "600 12px system-ui, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    /** @type {{label: number, name: string, x: number, y: number, half: number}[]} */
    let badges = [];
    for (const label of this.classesBySize) {
      const centre = centres[label];
      if (!centre || this.muted.has(label)) continue;
      const [x, y] = this.toScreen(...centre);
      const name = shortened(context, this.pane.labelName(label), LONGEST_BADGE);
      badges.push({ label, name, x, y, half: Math.max(9, context.measureText(name).width / 2 + 6) });
    }
    if (badges.length <= FEW_CLASSES) keepApart(badges);
    else {
      // Many names would hide the map: those of the largest classes that have room; the others come as one zooms.
      const shown = badges.slice(0, 0);
      for (const one of badges) {
        const free = shown.every(({ x, y, half }) => Math.abs(x - one.x) > half + one.half + 4 || Math.abs(y - one.y) > 26);
        if (free && shown.length < MOST_BADGES) shown.push(one);
      }
      badges = shown;
    }
    for (const { label, name, x, y, half } of badges) {
      context.beginPath();
      context.roundRect(x - half, y - 9, 2 * half, 18, 9);
      context.fillStyle = this.colourOf(label);
      context.fill();
      context.lineWidth = 1.5;
      context.strokeStyle = this.ink("paper");
      context.stroke();
      context.fillStyle = inkOn(this.colourOf(label));
      context.fillText(name, x, y + 0.5);
    }
    this.badges = badges;
    context.textAlign = "start";
    context.textBaseline = "alphabetic";
  }

  /** The median place of each class. @returns {([number, number] | null)[]} */
  classCentres() {
    const { places, labels, labelCount } = this.pane;
    if (this.centresOf === places) return this.centres;
    /** @type {number[][][]} */
    const gathered = Array.from({ length: labelCount }, () => [[], []]);
    for (let n = 0; labels && 2 * n < places.length; n++) {
      gathered[labels[n]]?.[0].push(places[2 * n]);
      gathered[labels[n]]?.[1].push(places[2 * n + 1]);
    }
    this.centresOf = places;
    this.classesBySize = gathered.map((_, label) => label).sort((a, b) => gathered[b][0].length - gathered[a][0].length || a - b);
    this.centres = gathered.map(([xs, ys]) => (xs.length ? [median(xs), median(ys)] : null));
    return this.centres;
  }

  /** The names on the map now. @type {{label: number, name: string, x: number, y: number, half: number}[]} */ badges = [];
  /** @type {number[]} */ classesBySize = [];
  /** @type {Float32Array | null} */ centresOf = null;
  /** @type {([number, number] | null)[]} */ centres = [];
}

/** A name that is no wider than so many pixels. @param {CanvasRenderingContext2D} context @param {string} name @param {number} width */
function shortened(context, name, width) {
  if (context.measureText(name).width <= width) return name;
  let length = name.length;
  while (length > 1 && context.measureText(`${name.slice(0, length)}…`).width > width) length--;
  return `${name.slice(0, length)}…`;
}

/** Push badges off each other, a little at a time. @param {{x: number, y: number, half: number}[]} badges */
function keepApart(badges) {
  for (let round = 0; round < 12; round++) {
    for (let i = 0; i < badges.length; i++) {
      for (let j = 0; j < i; j++) {
        const [a, b] = [badges[i], badges[j]];
        const [dx, dy] = [a.x - b.x || 0.01, a.y - b.y || 0.01];
        const [wide, tall] = [a.half + b.half + 1 - Math.abs(dx), 20 - Math.abs(dy)];
        if (wide <= 0 || tall <= 0) continue;
        if (wide < tall) {
          a.x += (Math.sign(dx) * wide) / 2;
          b.x -= (Math.sign(dx) * wide) / 2;
        } else {
          a.y += (Math.sign(dy) * tall) / 2;
          b.y -= (Math.sign(dy) * tall) / 2;
        }
      }
    }
  }
}

/** @param {number[]} values */
function median(values) {
  return values.sort((a, b) => a - b)[values.length >> 1];
}

/** @param {number} number */
export const subscript = (number) => [...String(number)].map((digit) => "₀₁₂₃₄₅₆₇₈₉"[Number(digit)]).join("");

/** 1, 2 or 5 times a power of ten, at least so large. @param {number} least */
function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * /** @type {number} */ ([1, 2, 5, 10].find((factor) => factor * power >= least));
}

/**
 * A field as a picture: densities as a wash of the accent, the log-ratio as holes (warm) and crowds (cool).
 * @param {Field} field @param {"aggregate" | "holes" | "exact"} kind @param {"light" | "dark"} theme
 * @param {[number, number, number]} accent
 */
function heatImage({ columns, rows, values }, kind, theme, accent) {
  const canvas = document.createElement("canvas");
  canvas.width = columns;
  canvas.height = rows;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = context.createImageData(columns, rows);
  let largest = -Infinity;
  for (const value of values) if (value > largest) largest = value;
  const exact = theme === "dark" ? [255, 176, 84] : [190, 92, 0];
  const hole = theme === "dark" ? [255, 122, 96] : [196, 58, 36];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const value = values[row * columns + column];
      const at = 4 * ((rows - 1 - row) * columns + column);
      let [colour, opacity] = [accent, 0];
      if (kind === "holes") {
        colour = value < 0 ? /** @type {any} */ (hole) : accent;
        opacity = value < 0 ? Math.min(-value / 6, 1) * 0.72 : Math.min(value / 3, 1) * 0.5;
      } else if (kind === "aggregate") {
        opacity = Math.max(0, 1 - (largest - value) / 7) ** 1.5 * 0.85;
      } else {
        colour = /** @type {any} */ (exact);
        opacity = Math.max(0, Math.exp(value - largest)) ** 0.6 * 0.85;
      }
      image.data[at] = colour[0];
      image.data[at + 1] = colour[1];
      image.data[at + 2] = colour[2];
      image.data[at + 3] = 255 * opacity;
    }
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
