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

import { addPrior } from "./bundle.js";
import { element } from "./dom.js";
import { pageEngine, serverEngine } from "./engine.js";
import { buildFrame } from "./frame.js";
import { listenToKeys } from "./keys.js";
import { newestWins } from "./latest.js";
import { readLink, writeLink } from "./link.js";
import { Pane } from "./pane.js";
import { between } from "./path.js";
import { movedThrough, pairPlane, planeThrough } from "./plane.js";
import { chosenSamples } from "./samples.js";
import { createStore, remembered } from "./store.js";
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
 * @property {((label: number, hash: string) => void) | null} [chooseLabel] decode as another label, of a model that sees labels
 * @property {string | null} [token] what opens the server's page elsewhere
 * @property {(() => Promise<boolean>) | null} [changed] whether what is shown was made anew since
 */
/**
 * What the page is showing: first the facts, each of which stands here and nowhere else, then what follows from them (`derived`).
 * @typedef {object} State
 * @property {"en" | "zh"} lang @property {"light" | "dark"} theme
 * @property {number} prior
 * @property {{z: Float32Array} | {image: number}} pinned a place, or an image of the map, wherever it lies
 * @property {Float32Array | null} hover what the pointer is over, on the map or in a panel @property {number} hoverPane
 * @property {"pair" | "pca" | "points"} planeKind @property {[number, number] | null} planePair @property {Float32Array[]} planeThrough
 * @property {import("./map.js").Layers} layers @property {ReadonlySet<number>} muted
 * @property {"explore" | "pan" | "lasso"} chosenTool @property {string} tab
 * @property {{a: Float32Array | null, b: Float32Array | null}} ends @property {"straight" | "spherical"} way
 * @property {number | null} along where on the way from A to B one looks, 0 to 1
 * @property {Int32Array | null} selectionA @property {Int32Array | null} selectionB @property {"a" | "b"} lassoInto
 * @property {string} order of the sheet of draws @property {number} sheet which one
 * @property {Float32Array[]} corners
 * @property {{image: Float32Array, mean: Float32Array, logVariance: Float32Array | null, z: Float32Array} | null} drawing
 * @property {number | null} epoch index of the snapshot shown; null: the trained model
 * @property {{run: number, prior: number} | null} other what the second map shows @property {string} spacing of the decoded grid
 * @property {string | null} problem @property {boolean} stale whether the run was trained anew since
 * @property {"needsThree" | "ctrlZooms" | null} notice @property {boolean} connected @property {boolean} ready
 * @property {boolean} playing whether the replay runs on by itself
 * @property {number} decoded counts the pictures decoded @property {number} arrived counts the priors that came after the map
 *
 * @property {number | null} pinImage the image pinned
 * @property {Float32Array} pin the pinned place: of an image, where it lay at the epoch shown
 * @property {import("./plane.js").Plane} plane
 * @property {{z: Float32Array, by: "hover" | "way" | "pin", image: number | null}} look the place whose picture is shown, and the image that it is the mean of
 * @property {number | null} nearest image to what the pointer is over
 * @property {"explore" | "pan" | "lasso"} tool the lasso belongs to its tab
 * @property {Float32Array[]} samples @property {Pane | null} second the second map
 * @property {State["drawing"]} drawn where the trained model is shown: earlier encoders were not kept
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
    this.pane = new Pane(bundle, 0, () => {
      const { prior, epoch, plane } = this.state;
      return { prior, epoch, plane };
    });
    /** Of each map what it shows of its plane: kept while the page changes its language. @type {import("./map.js").Sight[]} */
    this.sights = [0, 1].map(() => ({ centre: [0, 0], scale: 100, fitted: true }));
    this.store = createStore(this.initialState(), this.derived(), (error) => this.fail(error));
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
      this.store.listen(["look", "epoch"], () => this.decodeSoon()),
      this.store.listen(["lang"], () => this.build()),
      this.store.listen(["theme"], () => this.host.setAttribute("data-theme", this.state.theme)),
      this.store.listen(LINKED, () => this.keepAddress()),
      listenToKeys(this),
    ];
    if (options.changed) {
      const ask = options.changed;
      this.onFocus = () => void ask().then((stale) => this.store.set({ stale }), () => {});
      window.addEventListener("focus", this.onFocus);
    }
    this.build();
    void this.begin();
    void this.gatherPriors();
  }

  get state() {
    return this.store.state;
  }

  /** @returns {State} */
  initialState() {
    const dark = typeof matchMedia === "function" && matchMedia("(prefers-color-scheme: dark)").matches;
    const chinese = typeof navigator === "object" && navigator.language?.toLowerCase().startsWith("zh");
    const { runs } = this.bundle.manifest;
    const others = runs[0].priors.map((_, index) => index).filter((index) => index !== runs[0].prior);
    const other = runs.length > 1 ? { run: 1, prior: runs[1].prior } : others.length ? { run: 0, prior: others[0] } : null;
    /** @type {Partial<State>} */
    const facts = {
      lang: this.options.lang ?? (chinese ? "zh" : "en"),
      theme: this.options.theme ?? (dark ? "dark" : "light"),
      prior: runs[0].prior,
      pinned: { z: new Float32Array(runs[0].latent_dim) },
      hover: null,
      hoverPane: 0,
      planeKind: "pair",
      planePair: null,
      planeThrough: [],
      layers: { points: true, ellipses: false, exact: false, prior: true, aggregate: false, holes: false, manifold: false },
      muted: new Set(),
      chosenTool: "explore",
      tab: "draw",
      ends: { a: null, b: null },
      way: "straight",
      along: null,
      selectionA: null,
      selectionB: null,
      lassoInto: "a",
      order: "drawn",
      sheet: 1,
      corners: [],
      drawing: null,
      epoch: null,
      other,
      spacing: "even",
      problem: null,
      stale: false,
      notice: null,
      connected: true,
      ready: false,
      playing: false,
      decoded: 0,
      arrived: 0,
    };
    return /** @type {State} */ (facts);
  }

  /** What follows from the facts of the state. @returns {Record<string, import("./store.js").Derived>} */
  derived() {
    const { pane } = this;
    const now = () => this.state;
    return {
      pinImage: { of: ["pinned"], value: () => imageOf(now().pinned) },
      pin: {
        of: ["pinned", "epoch"],
        value() {
          const { pinned } = now();
          if ("z" in pinned) return pinned.z;
          // An image that the replay does not follow stays where the trained model has it.
          return pinned.image < pane.count ? pane.meanOf(pinned.image) : meanAt(pane.means, pane.size, pinned.image);
        },
      },
      plane: { of: ["planeKind", "planePair", "planeThrough", "pin"], value: () => this.planeChosen() },
      look: {
        of: ["hover", "hoverPane", "along", "ends", "way", "tab", "pin", "pinImage", "epoch"],
        value() {
          const { hover, hoverPane, along, ends, way, tab, pin, pinImage } = now();
          if (hover && hoverPane === 0) return { z: hover, by: "hover", image: null };
          if (tab === "interpolate" && along !== null && ends.a && ends.b) {
            return { z: between(ends.a, ends.b, along, way), by: "way", image: null };
          }
          return { z: pin, by: "pin", image: pinImage !== null && pinImage < pane.count ? pinImage : null };
        },
      },
      second: { of: ["tab", "other"], value: () => this.secondPane() },
      nearest: {
        of: ["hover", "hoverPane", "epoch", "second"],
        value: () => {
          const { hover, hoverPane } = now();
          return hover ? (this.panes[hoverPane]?.around(hover).nearest ?? null) : null;
        },
      },
      tool: { of: ["chosenTool", "tab"], value: () => (now().chosenTool === "lasso" && now().tab !== "select" ? "explore" : now().chosenTool) },
      drawn: { of: ["drawing", "epoch"], value: () => (now().epoch === null ? now().drawing : null) },
      samples: { of: ["tab", "prior", "order", "sheet", "epoch", "arrived"], value: () => (now().tab === "sample" ? chosenSamples(pane, now()) : NONE) },
    };
  }

  /** The main map and, where there is one, the second. @returns {(Pane | null)[]} */
  get panes() {
    return [this.pane, this.state.second];
  }

  secondPane() {
    const { tab, other } = this.state;
    if (tab !== "compare" || !other) return null;
    const { run, prior } = other;
    const own = run === this.pane.index;
    // The same run is seen on the same plane at the same epoch; another at its own epoch of the same number, where it was kept.
    return new Pane(this.bundle, run, () => ({
      prior,
      plane: own ? this.state.plane : null,
      epoch: own ? this.state.epoch : this.sameEpoch(run),
    }));
  }

  /** The snapshot of another run at the epoch shown; null: the trained model. @param {number} run */
  sameEpoch(run) {
    const { epoch } = this.state;
    if (epoch === null) return null;
    const number = this.pane.run.snapshots[epoch].epoch;
    const found = this.bundle.manifest.runs[run].snapshots.findIndex((snapshot) => snapshot.epoch === number);
    return found < 0 ? null : found;
  }

  /** @returns {import("./plane.js").Plane} */
  planeChosen() {
    const { pane } = this;
    const { planeKind, planePair, planeThrough: corners, pin } = this.state;
    if (pane.size <= 2) return pane.ownPlane;
    const through = planeKind === "points" ? this.keptCorners([corners], () => planeThrough(corners[0], corners[1], corners[2])) : null;
    if (through) return through;
    if (planeKind === "pca") return movedThrough(pane.principalPlane(), pin);
    const pair = this.keptPair([planePair], () => (planePair ? pairPlane(pane.size, ...planePair) : pane.ownPlane));
    return movedThrough(pair, pin);
  }

  /** @type {ReturnType<typeof remembered<import("./plane.js").Plane>>} */ keptPair = remembered();
  /** @type {ReturnType<typeof remembered<import("./plane.js").Plane | null>>} */ keptCorners = remembered();

  /** The page's texts in the language chosen. */
  get texts() {
    return textsFor(this.state.lang);
  }

  build() {
    const focused = focusables(this.host).indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const scrolled = this.host.querySelector(".vx-side")?.scrollTop ?? 0;
    this.frame?.destroy();
    this.host.classList.add("vx");
    this.host.setAttribute("data-theme", this.state.theme);
    this.host.setAttribute("lang", this.state.lang === "zh" ? "zh-CN" : "en");
    this.frame = buildFrame(this);
    this.host.replaceChildren(this.frame.node);
    this.frame.settle();
    if (focused >= 0) focusables(this.host)[focused]?.focus({ preventScroll: true });
    const side = this.host.querySelector(".vx-side");
    if (side) side.scrollTop = scrolled;
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

  /** Priors that did not come with the map: the one chosen first, then the others in their order. */
  async gatherPriors() {
    const { runs } = this.bundle.manifest;
    const ask = this.bundle.prior;
    const waiting = () => runs.flatMap(({ priors }, run) => priors.flatMap((view, prior) => (view.pending && !given.has(`${run}/${prior}`) ? [{ run, prior }] : [])));
    /** Those that the server refused: asked for once. @type {Set<string>} */
    const given = new Set();
    for (let left = waiting(); ask && left.length; left = waiting()) {
      const { prior: chosen, other } = this.state;
      const next = left.find(({ run, prior }) => run === 0 && prior === chosen) ?? left.find(({ run, prior }) => run === other?.run && prior === other.prior) ?? left[0];
      given.add(`${next.run}/${next.prior}`);
      try {
        addPrior(this.bundle, next.run, next.prior, await ask(next.run, next.prior));
        this.store.set({ arrived: this.state.arrived + 1 });
      } catch (error) {
        this.fail(/** @type {Error} */ (error));
      }
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
    const shown = this.panes[pane] ?? this.pane;
    const { engine, key } = await this.ready(shown.index, shown.epoch);
    return engine.decode(key, latents);
  }

  /** @param {Float32Array} images (count, pixels) in [0, 1] */
  async encode(images) {
    const { engine, key } = await this.ready(0);
    return engine.encode(key, images);
  }

  /** Whether the pictures are the trained decoder's, where an earlier epoch is shown: its own was left out, or is the server's. */
  get standsIn() {
    const { epoch } = this.state;
    const { engine, snapshots } = this.pane.run;
    return epoch !== null && (engine.place === "server" || !snapshots[epoch].weights);
  }

  /** What lies round the place that is looked at: an image is left out of the average of its own mean. */
  surroundings() {
    const { z, image } = this.state.look;
    return this.pane.around(z, image);
  }

  /** Decode what is shown: in this frame where the decoder is small, else as soon as its worker or the server answers. */
  decodeSoon() {
    const request = { z: this.state.look.z, turn: ++this.turn, pointer: this.pointerTime, frame: this.store.frameBegan() };
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

  /** Counts what the pad was cleared for: an answer about what stood there before comes too late. */
  padVersion = 0;

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

  /** @param {Error} error @returns {void} */
  fail(error) {
    if (error.name === "RunChanged") {
      this.store.set({ stale: true });
      return;
    }
    const message = error.name === "ServerAway" ? this.texts.serverAway : error.message;
    this.store.set({ problem: message });
    this.emit("problem", { message });
  }

  // --- what panels and keys ask for ---------------------------------------------------------------------------------

  /** Pin a place, or an image of the map. @param {Float32Array} z @param {number | null} [image] */
  pin(z, image = null) {
    this.store.set({ pinned: image === null ? { z } : { image }, along: null });
    this.emit("pin", { z: Array.from(this.state.pin), image: image === null ? null : this.pane.indices[image] });
  }

  /** @param {Float32Array | null} z @param {number} [pane] */
  hover(z, pane = 0) {
    this.store.set({ hover: z, hoverPane: pane });
  }

  /** Another prior for the main map. @param {number} prior */
  choosePrior(prior) {
    this.store.set({ prior });
  }

  /** @param {"pair" | "pca" | "points"} kind @param {[number, number] | null} [pair] */
  choosePlane(kind, pair = null) {
    const { corners } = this.state;
    if (kind === "points") {
      const [a, b, c] = corners;
      if (!c || !planeThrough(a, b, c)) {
        this.store.set({ notice: "needsThree" });
        return this.announce(this.texts.needsThree);
      }
    }
    this.store.set({ planeKind: kind, planePair: pair, planeThrough: kind === "points" ? corners : [], notice: null });
    this.frame?.fit();
  }

  /** Remember the pinned place as one of the three that a plane goes through. */
  addCorner() {
    const { corners, pin } = this.state;
    this.store.set({ corners: [...corners, Float32Array.from(pin)].slice(-3), notice: null });
  }

  /** What the second map shows. @param {{run: number, prior: number}} other */
  compareWith(other) {
    this.store.set({ other });
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
    const { run, indices, size } = this.pane;
    const patch = /** @type {Partial<State>} */ ({});
    if (link.z?.length === size) patch.pinned = { z: Float32Array.from(link.z) };
    if (link.image !== undefined) {
      const place = indices.indexOf(link.image);
      if (place >= 0) patch.pinned = { image: place };
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
    // An address without them means the prior that the page begins with, and the trained model.
    const prior = run.priors.findIndex(({ name }) => name === link.prior);
    patch.prior = prior >= 0 ? prior : run.prior;
    const snapshot = run.snapshots.findIndex(({ epoch }) => epoch === link.epoch);
    patch.epoch = snapshot >= 0 && snapshot < run.snapshots.length - 1 ? snapshot : null;
    this.store.set(patch);
  }

  /**
   * Write the address once the state has come to rest: Safari takes a hundred in thirty seconds and throws at the next
   * (https://bugs.webkit.org/show_bug.cgi?id=156115).
   */
  keepAddress() {
    if (!this.options.address) return;
    clearTimeout(this.addressDelay);
    this.addressDelay = setTimeout(() => {
      try {
        if (location.hash !== this.link()) history.replaceState(null, "", this.link());
      } catch {
        // The address stays behind; the link that is copied is right.
      }
    }, ADDRESS_REST);
  }

  /** @type {ReturnType<typeof setTimeout> | undefined} */ addressDelay;

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

  /** The whole address of exactly this view: with the token, for a browser that has not opened the page. */
  address() {
    const address = new URL(this.link(), location.href);
    if (this.options.token) address.searchParams.set("token", this.options.token);
    return address.href;
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
    clearTimeout(this.addressDelay);
    for (const stop of this.listenings) stop();
    if (this.onHash) window.removeEventListener("hashchange", this.onHash);
    if (this.onFocus) window.removeEventListener("focus", this.onFocus);
    this.frame?.destroy();
    this.page?.close();
    this.server?.close();
    this.host.replaceChildren(element("span"));
    this.host.classList.remove("vx");
  }
}

/** @type {(keyof State & string)[]} */
const LINKED = ["pinned", "layers", "tab", "lang", "theme", "prior", "epoch"];
/** Milliseconds without a change before the address is written. */
const ADDRESS_REST = 400;
/** @type {Float32Array[]} */
const NONE = [];

/** @param {State["pinned"]} pinned */
const imageOf = (pinned) => ("image" in pinned ? pinned.image : null);

/** @param {Float32Array} means @param {number} size @param {number} image */
const meanAt = (means, size, image) => means.slice(image * size, (image + 1) * size);

/** What the keyboard reaches, in its order. @param {HTMLElement} host @returns {HTMLElement[]} */
const focusables = (host) => Array.from(host.querySelectorAll("button, select, input, a, [tabindex]"));
