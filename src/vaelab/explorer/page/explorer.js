/**
 * The explorer: one component for the page, the exported file and the notebook.
 *
 *     const explorer = new Explorer(element, bundle, options);
 *     explorer.on("pin", ({ z, image }) => ...);
 *     explorer.update({ lang: "zh" });
 *     explorer.destroy();
 *
 * It takes columns of numbers (see bundle.js) and gives events; it fetches nothing by itself.
 */

import { element } from "./dom.js";
import { pageEngine, serverEngine } from "./engine.js";
import { buildFrame } from "./frame.js";
import { newestWins } from "./latest.js";
import { readLink, writeLink } from "./link.js";
import { Pane } from "./pane.js";
import { movedThrough, planeThrough } from "./plane.js";
import { createStore } from "./store.js";
import { textsFor } from "./texts.js";

/** @typedef {import("./bundle.js").Bundle} Bundle */
/** @typedef {import("./engine.js").Engine} Engine */
/**
 * @typedef {object} Options
 * @property {"en" | "zh"} [lang] @property {"light" | "dark"} [theme]
 * @property {string | null} [workerSource] the worker's program; null: decode in the page itself
 * @property {string | null} [socket] the address of the server's WebSocket, where there is one
 * @property {string | null} [exportAddress] where the server gives this page as one file
 * @property {((file: File) => Promise<import("./digit.js").Picture>) | null} [readPicture] who opens a dropped file
 * @property {boolean} [address] keep the state in the page's address
 */
/**
 * @typedef {object} State
 * @property {"en" | "zh"} lang @property {"light" | "dark"} theme
 * @property {number} prior
 * @property {import("./plane.js").Plane} plane
 * @property {Float32Array} pin @property {number | null} pinImage
 * @property {Float32Array | null} hover what the pointer is over, on the map or in a panel
 * @property {number} hoverPane @property {number | null} nearest of the hover
 * @property {import("./map.js").Layers} layers @property {ReadonlySet<number>} muted
 * @property {"explore" | "pan" | "lasso"} tool @property {string} tab
 * @property {{a: Float32Array | null, b: Float32Array | null}} ends @property {"straight" | "spherical"} way
 * @property {Int32Array | null} selectionA @property {Int32Array | null} selectionB @property {"a" | "b"} lassoInto
 * @property {Float32Array[]} samples @property {Float32Array[]} corners
 * @property {{image: Float32Array, mean: Float32Array, logVariance: Float32Array | null, z: Float32Array} | null} drawn
 * @property {number | null} epoch index of the snapshot shown; null: the trained model
 * @property {{run: number, prior: number} | null} other @property {string} spacing of the decoded grid
 * @property {string | null} problem @property {boolean} connected @property {boolean} ready
 * @property {number} decoded counts the pictures decoded
 */
/** @typedef {{z: Float32Array, turn: number, pointer: number, frame: number}} Shown a picture asked for: when the pointer moved, when its frame began (ms) */

export class Explorer {
  /** @param {HTMLElement} host @param {Bundle} bundle @param {Options} [options] */
  constructor(host, bundle, options = {}) {
    this.host = host;
    this.bundle = bundle;
    this.options = options;
    /** @type {Map<string, Set<(detail: any) => void>>} */
    this.handlers = new Map();
    /** @type {{pointer: number, frame: number, painted: number}[]} when the pointer moved, its frame began, its picture was painted (ms) */
    this.timings = [];
    const main = new Pane(bundle, 0, bundle.manifest.runs[0].prior);
    /** @type {(Pane | null)[]} */
    this.panes = [main, null];
    this.store = createStore(this.initialState(main));
    /** @type {Map<string, Promise<unknown>>} */
    this.loading = new Map();
    /** @type {Set<string>} the keys of weights that are there */
    this.loaded = new Set();
    /** @type {Engine | null} */
    this.page = null;
    /** @type {Engine | null} */
    this.server = null;
    /** @type {Float32Array | null} the picture decoded last */
    this.decodedImage = null;
    this.decodeShown = newestWins(
      (/** @type {Shown} */ request) => this.decode(request.z),
      (image, request) => request.turn > this.turnShown && this.receive(image, request),
      (error) => this.fail(error),
    );
    if (options.address) {
      this.applyLink(readLink(location.hash));
      this.onHash = () => this.applyLink(readLink(location.hash));
      window.addEventListener("hashchange", this.onHash);
    }
    this.listenings = [
      // Before all views: they read what it changes.
      this.store.listen(["epoch"], () => this.pane.showSnapshot(this.state.epoch)),
      this.store.listen(["pin", "hover", "epoch"], () => this.decodeSoon()),
      this.store.listen(["lang"], () => this.build()),
      this.store.listen(["theme"], () => this.host.setAttribute("data-theme", this.state.theme)),
      this.store.listen(["plane"], () => this.panes[0]?.setPlane(this.state.plane)),
      this.store.listen(LINKED, () => this.keepAddress()),
    ];
    this.build();
    this.begin();
  }

  get state() {
    return this.store.state;
  }

  /** @param {Pane} pane @returns {State} */
  initialState(pane) {
    const dark = typeof matchMedia === "function" && matchMedia("(prefers-color-scheme: dark)").matches;
    const chinese = typeof navigator === "object" && navigator.language?.toLowerCase().startsWith("zh");
    const { runs } = this.bundle.manifest;
    const others = runs[0].priors.map((_, index) => index).filter((index) => index !== runs[0].prior);
    const other = runs.length > 1 ? { run: 1, prior: runs[1].prior } : others.length ? { run: 0, prior: others[0] } : null;
    return {
      lang: this.options.lang ?? (chinese ? "zh" : "en"),
      theme: this.options.theme ?? (dark ? "dark" : "light"),
      prior: pane.prior,
      plane: /** @type {any} */ (pane.plane),
      pin: new Float32Array(pane.size),
      pinImage: null,
      hover: null,
      hoverPane: 0,
      nearest: null,
      layers: { points: true, ellipses: false, exact: false, prior: true, aggregate: false, holes: false, manifold: false },
      muted: new Set(),
      tool: "explore",
      tab: "draw",
      ends: { a: null, b: null },
      way: "straight",
      selectionA: null,
      selectionB: null,
      lassoInto: "a",
      samples: [],
      corners: [],
      drawn: null,
      epoch: null,
      other,
      // Quantiles of N(0, I) say nothing of a model without a prior.
      spacing: pane.priorView ? "quantile" : "even",
      problem: null,
      connected: true,
      ready: false,
      decoded: 0,
    };
  }

  /** The page's texts in the language chosen. */
  get texts() {
    return textsFor(this.state.lang);
  }

  build() {
    this.frame?.destroy();
    this.host.classList.add("vx");
    this.host.setAttribute("data-theme", this.state.theme);
    this.host.setAttribute("lang", this.state.lang === "zh" ? "zh-CN" : "en");
    this.frame = buildFrame(this);
    this.host.replaceChildren(this.frame.node);
    this.frame.settle();
  }

  async begin() {
    try {
      await this.ready(0);
      this.store.set({ ready: true });
      this.decodeSoon();
      this.emit("ready", {});
    } catch (error) {
      this.fail(/** @type {Error} */ (error));
    }
  }

  // --- weights and decoding -----------------------------------------------------------------------------------------

  /** @param {number} run @returns {Engine} */
  engineOf(run) {
    const { place, reason } = this.bundle.manifest.runs[run].engine;
    if (place === "server") {
      if (!this.options.socket) throw new Error(this.texts.needsServer(reason ?? ""));
      this.server ??= serverEngine(this.options.socket, (connected) => this.store.set({ connected }));
      return this.server;
    }
    this.page ??= pageEngine(this.options.workerSource ?? null);
    return this.page;
  }

  /** Which weights answer for a run as it is shown. @param {number} run @param {number | null} snapshot */
  weightsOf(run, snapshot) {
    const view = this.bundle.manifest.runs[run];
    const engine = this.engineOf(run);
    const there = snapshot !== null && engine.place !== "server" && view.snapshots[snapshot]?.weights;
    const epoch = there ? view.snapshots[/** @type {number} */ (snapshot)].epoch : null;
    return { engine, epoch, key: epoch === null ? String(run) : `${run}@${epoch}` };
  }

  /** The key of a run's weights once they are there. @param {number} run @param {number | null} [snapshot] */
  async ready(run, snapshot = null) {
    const { engine, epoch, key } = this.weightsOf(run, snapshot);
    if (!this.loading.has(key)) {
      const fetching =
        engine.place === "server"
          ? Promise.resolve()
          : (epoch === null ? this.bundle.weights(run) : this.bundle.snapshot(run, epoch)).then((file) =>
              engine.load(key, file),
            );
      fetching.catch(() => this.loading.delete(key));
      this.loading.set(key, fetching);
    }
    await this.loading.get(key);
    this.loaded.add(key);
    return { engine, key };
  }

  /** The decoder's mean for each latent, (count, pixels). @param {Float32Array} latents @param {number} [pane] */
  async decode(latents, pane = 0) {
    const run = this.panes[pane]?.index ?? 0;
    const { engine, key } = await this.ready(run, pane === 0 ? this.state.epoch : null);
    return engine.decode(key, latents);
  }

  /** @param {Float32Array} images (count, pixels) in [0, 1] */
  async encode(images) {
    const { engine, key } = await this.ready(0);
    return engine.encode(key, images);
  }

  /** The latent whose picture is shown. */
  get shownLatent() {
    return this.state.hover && this.state.hoverPane === 0 ? this.state.hover : this.state.pin;
  }

  /** Decode what is shown: in this frame where the decoder is small, else as soon as its worker or the server answers. */
  decodeSoon() {
    const request = { z: this.shownLatent, turn: ++this.turn, pointer: this.pointerTime, frame: this.store.frameBegan() };
    this.pointerTime = 0;
    const image = this.decodeNow(request.z);
    if (image) this.receive(image, request);
    else this.decodeShown(request);
  }

  /** @param {Float32Array} z */
  decodeNow(z) {
    if (!this.loaded.size) return null;
    const { engine, key } = this.weightsOf(this.pane.index, this.state.epoch);
    return this.loaded.has(key) ? engine.decodeNow(key, z) : null;
  }

  /** Requests for the main picture are counted: an answer that comes late does not replace a newer one. */
  turn = 0;
  turnShown = 0;

  /** The drawing pad, kept while the page changes its language. @type {HTMLCanvasElement | null} */
  pad = null;

  /** When the pointer moved last and was not yet answered. */
  pointerTime = 0;

  /** @param {Float32Array} image @param {Shown} request */
  receive(image, { z, turn, pointer, frame }) {
    this.turnShown = turn;
    this.decodedImage = image;
    this.frame?.showDecoded(image, z);
    if (this.state.problem && this.state.connected) this.store.set({ problem: null });
    this.store.set({ decoded: this.state.decoded + 1 });
    if (pointer) {
      this.timings.push({ pointer, frame, painted: performance.now() });
      if (this.timings.length > 2000) this.timings.shift();
    }
  }

  /** @param {Error} error */
  fail(error) {
    const message = error.name === "ServerAway" ? this.texts.serverAway : error.message;
    this.store.set({ problem: message });
    this.emit("problem", { message });
  }

  // --- what panels and keys ask for ---------------------------------------------------------------------------------

  /** @returns {Pane} */
  get pane() {
    return /** @type {Pane} */ (this.panes[0]);
  }

  /** @param {Float32Array} z @param {number | null} [image] */
  pin(z, image = null) {
    const plane = this.pane.size > 2 ? movedThrough(this.state.plane, z) : this.state.plane;
    this.pane.setPlane(plane);
    this.store.set({ pin: z, pinImage: image, plane });
    this.emit("pin", { z: Array.from(z), image: image === null ? null : this.pane.indices[image] });
  }

  /** @param {Float32Array | null} z @param {number} [pane] */
  hover(z, pane = 0) {
    const nearest = z ? (this.panes[pane]?.around(z).nearest ?? null) : null;
    this.store.set({ hover: z, hoverPane: pane, nearest });
  }

  /** Another prior for the main map. @param {number} prior */
  choosePrior(prior) {
    this.pane.setPrior(prior);
    this.store.set({ prior });
  }

  /** @param {"pair" | "pca" | "points"} kind @param {[number, number]} [pair] */
  choosePlane(kind, pair) {
    const { pane } = this;
    let plane = null;
    if (kind === "pca") plane = pane.principalPlane();
    else if (kind === "points") {
      const [a, b, c] = this.state.corners;
      plane = c ? planeThrough(a, b, c) : null;
      if (!plane) return this.announce(this.texts.needsThree);
    } else {
      plane = pane.pairPlane();
      if (pair) {
        plane.u.fill(0)[pair[0]] = 1;
        plane.v.fill(0)[pair[1]] = 1;
        plane.pair = pair;
      }
    }
    if (kind === "pair") plane = movedThrough(plane, this.state.pin);
    const pin = kind === "pair" ? this.state.pin : Float32Array.from(plane.offset);
    pane.setPlane(plane);
    this.store.set({ plane, pin, pinImage: kind === "pair" ? this.state.pinImage : null });
    this.frame?.fit();
  }

  /** The second map's run and prior; null closes it. @param {{run: number, prior: number} | null} other */
  compareWith(other) {
    this.panes[1] = other ? new Pane(this.bundle, other.run, other.prior) : null;
    this.store.set({ other: other ?? this.state.other });
    this.frame?.arrangeMaps();
  }

  /** An image's position in the other pane, if that shows the same image. @param {number} from @param {number} image */
  counterpart(from, image) {
    const [here, there] = [this.panes[from], this.panes[1 - from]];
    if (!here || !there || here.run.data !== there.run.data || here.run.split !== there.run.split) return null;
    if (!this.positions || this.positions.of !== there) {
      this.positions = { of: there, places: new Map(Array.from(there.indices, (index, place) => [index, place])) };
    }
    return this.positions.places.get(here.indices[image]) ?? null;
  }

  /** @type {{of: Pane, places: Map<number, number>} | null} */
  positions = null;

  /** Speak to a screen reader. @param {string} text */
  announce(text) {
    this.frame?.announce(text);
  }

  // --- address, events, end -----------------------------------------------------------------------------------------

  /** @param {ReturnType<typeof readLink>} link */
  applyLink(link) {
    const patch = /** @type {Partial<State>} */ ({});
    if (link.z?.length === this.pane.size) patch.pin = Float32Array.from(link.z);
    if (link.image !== undefined) {
      const place = this.pane.indices.indexOf(link.image);
      if (place >= 0) Object.assign(patch, { pin: this.pane.meanOf(place), pinImage: place });
    }
    if (link.layers) {
      const on = new Set(link.layers);
      const layers = { ...this.state.layers };
      for (const name of Object.keys(layers)) layers[/** @type {keyof typeof layers} */ (name)] = on.has(name);
      patch.layers = layers;
    }
    if (link.tab) patch.tab = link.tab;
    if (link.lang) patch.lang = link.lang;
    if (link.theme) patch.theme = link.theme;
    const prior = this.pane.run.priors.findIndex(({ name }) => name === link.prior);
    if (prior >= 0) {
      this.pane.setPrior(prior);
      patch.prior = prior;
    }
    if (link.epoch !== undefined) {
      const snapshot = this.pane.run.snapshots.findIndex(({ epoch }) => epoch === link.epoch);
      if (snapshot >= 0) patch.epoch = snapshot;
    }
    if (patch.pin && this.pane.size > 2) patch.plane = movedThrough(this.state.plane, patch.pin);
    this.store.set(patch);
  }

  keepAddress() {
    if (!this.options.address || this.state.hover) return;
    history.replaceState(null, "", this.link());
  }

  /** The page's state as an address. */
  link() {
    const { pin, pinImage, layers, tab, lang, theme, prior, epoch } = this.state;
    return writeLink({
      z: Array.from(pin, (value) => Number(value.toFixed(4))),
      image: pinImage === null ? undefined : this.pane.indices[pinImage],
      layers: Object.entries(layers).flatMap(([name, on]) => (on ? [name] : [])),
      tab,
      lang,
      theme,
      prior: prior === this.pane.run.prior ? undefined : this.pane.run.priors[prior]?.name,
      epoch: epoch === null ? undefined : this.pane.run.snapshots[epoch].epoch,
    });
  }

  /** @param {string} name `ready`, `pin`, `select`, `draw`, `problem` @param {(detail: any) => void} handler */
  on(name, handler) {
    const known = this.handlers.get(name) ?? new Set();
    this.handlers.set(name, known.add(handler));
    return () => void known.delete(handler);
  }

  /** @param {string} name @param {object} detail */
  emit(name, detail) {
    for (const handler of this.handlers.get(name) ?? []) handler(detail);
  }

  /** Change part of the state: language, theme, layers, pin, ... @param {Partial<State>} patch */
  update(patch) {
    this.store.set(patch);
  }

  destroy() {
    for (const stop of this.listenings) stop();
    if (this.onHash) window.removeEventListener("hashchange", this.onHash);
    this.frame?.destroy();
    this.page?.close();
    this.server?.close();
    this.host.replaceChildren(element("span"));
    this.host.classList.remove("vx");
  }
}

/** @type {(keyof State & string)[]} */
const LINKED = ["pin", "pinImage", "layers", "tab", "lang", "theme", "prior", "epoch", "hover"];
