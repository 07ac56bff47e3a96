/** The left two thirds: tools, layers, one map or two, and the legend. */

import { CLASS_COLOURS } from "./colours.js";
import { button, element, number, select } from "./dom.js";
import { exactPosterior } from "./exact.js";
import { MapView, subscript } from "./map.js";
import { listenToMap } from "./map-input.js";
import { mosaicKeeper } from "./mosaic.js";
import { between } from "./path.js";
import { paint } from "./picture.js";
import { distanceFrom } from "./plane.js";

/** @typedef {import("./map.js").Layers} Layers */

/** Farther from the plane than this a place lies beside it. */
const BESIDE = 1e-3;

/** @param {import("./explorer.js").Explorer} explorer @param {import("./frame.js").Scope} scope */
export function buildMaps(explorer, scope) {
  const { texts: t, store } = explorer;
  const hosts = [0, 1].map(() => element("div.vx-map"));
  const names = hosts.map(() => element("div.vx-map-name"));
  const boxes = hosts.map((host, index) => element("div.vx-map-box", { hidden: index === 1 }, names[index], host));
  /** @type {(MapView | null)[]} */
  const views = [null, null];

  /** @param {number} index */
  function marksOf(index) {
    const { state, pane } = explorer;
    const own = state.hoverPane === index;
    const main = index === 0;
    const other = state.hover && !own && state.nearest !== null ? explorer.counterpart(state.hoverPane, state.nearest) : null;
    const image = state.pinImage !== null && state.pinImage < pane.count ? state.pinImage : null;
    const { a, b } = state.ends;
    return {
      pin: main ? state.pin : null,
      off: distanceFrom(state.plane, state.pin) > BESIDE,
      pinImage: main || image === null ? image : explorer.counterpart(0, image),
      hover: own ? state.hover : null,
      nearest: own && state.hover ? state.nearest : null,
      lit: other,
      drawn: main ? state.drawn : null,
      path: {
        ...state.ends,
        way: a && b ? Array.from({ length: 41 }, (_, i) => between(a, b, i / 40, state.way)) : [],
        at: state.look.by === "way" ? state.look.z : null,
      },
      ghosts: main && state.tab === "interpolate",
      selection: main ? { a: pane.present(state.selectionA), b: pane.present(state.selectionB) } : { a: null, b: null },
      samples: main ? state.samples : [],
      corners: main ? state.corners : [],
    };
  }

  /** @param {(view: MapView, index: number) => void} act */
  const each = (act) => views.forEach((view, index) => view && act(view, index));

  function redraw() {
    each((view, index) => {
      view.layers = explorer.state.layers;
      view.muted = new Set(explorer.state.muted);
      view.marks = marksOf(index);
      view.draw();
    });
  }
  const redrawMarks = () => each((view, index) => view.drawOverlay(marksOf(index)));
  const redrawPointer = () => each((view, index) => view.drawPointer(marksOf(index)));

  /** @type {{cancelled: boolean} | null} */
  let exactTask = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let exactDelay;
  function refreshExact() {
    clearTimeout(exactDelay);
    if (exactTask) exactTask.cancelled = true;
    const view = views[0];
    if (!view) return;
    view.exact = [];
    gap.hidden = true;
    const { state } = explorer;
    if (!state.layers.exact || explorer.pane.size !== 2 || explorer.pane.unscored || state.epoch !== null) return view.drawOverlay(marksOf(0));
    const task = (exactTask = { cancelled: false });
    exactDelay = setTimeout(async () => {
      try {
        const found = await exactPosterior(explorer, task);
        if (task.cancelled) return;
        if (!found) return showGap(t.exactNeedsPin);
        view.exact = [found.field];
        view.drawOverlay(marksOf(0));
        const { pinImage } = explorer.state;
        const whose = pinImage === null ? t.theDrawing : t.testImage(explorer.pane.indices[pinImage], "");
        const nll = number(found.negativeLogLikelihood);
        showGap(Number.isFinite(found.gap) ? t.exactGap(whose, number(found.gap), nll) : t.exactNoGap(whose, nll));
      } catch (error) {
        explorer.fail(/** @type {Error} */ (error));
      }
    }, 120);
  }
  const gap = element("p.vx-gap", { hidden: true, "aria-live": "polite" });
  /** @param {string} text */
  function showGap(text) {
    gap.textContent = text;
    gap.hidden = false;
  }

  // --- tools ----------------------------------------------------------------------------------------------------------

  /** @type {["explore" | "pan" | "lasso", string][]} */
  const tools = [
    ["explore", "✛"],
    ["pan", "✥"],
    ["lasso", "⌇"],
  ];
  const toolButtons = tools.map(([tool, sign]) =>
    button(`${sign} ${t.toolNames[tool]}`, t.toolTips[tool], () => store.set(tool === "lasso" ? { chosenTool: tool, tab: "select" } : { chosenTool: tool })),
  );
  const showTool = () => {
    tools.forEach(([tool], place) => toolButtons[place].setAttribute("aria-pressed", String(tool === explorer.state.tool)));
    for (const host of hosts) host.dataset.tool = explorer.state.tool;
  };

  const planes =
    explorer.pane.size > 2
      ? select(
          t.planeTip,
          [
            ["pair", t.planeNames.pair],
            ["pca", t.planeNames.pca],
            ["points", t.planeNames.points],
          ],
          explorer.state.planeKind,
          (kind) => {
            explorer.choosePlane(/** @type {any} */ (kind));
            showPlane();
          },
        )
      : null;
  const corner = planes ? button(t.addCorner, t.addCornerTip, () => explorer.addCorner()) : null;

  const caption = element("span.vx-plane", { title: t.planeTip });
  const showPlane = () => {
    const { plane, pin, notice, planeKind } = explorer.state;
    const [i, j] = plane.pair ?? [0, 0];
    const off = plane.offset.some((value) => Math.abs(value) > 1e-6);
    const beside = distanceFrom(plane, pin);
    const names = {
      whole: () => t.wholePlane(explorer.pane.priorView?.kind === "normal"),
      pair: () => t.pairPlane(`z${subscript(i + 1)}`, `z${subscript(j + 1)}`, off),
      pca: () => t.pcaPlane,
      points: () => `${t.pointsPlane}${beside > BESIDE ? t.pinBeside(number(beside)) : ""}`,
    };
    caption.textContent = notice ? t[notice] : names[plane.kind]();
    caption.classList.toggle("vx-notice", notice !== null);
    if (planes) planes.value = planeKind;
    if (corner) corner.textContent = `${t.addCorner} ${explorer.state.corners.length}/3`;
  };

  /** @type {(keyof Layers)[]} */
  const layerNames = ["points", "ellipses", "exact", "prior", "aggregate", "holes", "manifold"];
  /** @param {keyof Layers} name @returns {string | null} why a layer cannot be had */
  const missing = (name) => {
    const { pane } = explorer;
    if (["ellipses", "aggregate", "holes"].includes(name) && !pane.logVariances) return t.noSpread;
    if (["aggregate", "holes"].includes(name) && pane.size < 2) return t.densityNeedsTwo;
    if (name === "exact" && pane.size !== 2) return t.exactNeedsTwo;
    if (name === "exact" && pane.unscored) return t[pane.unscored];
    if (name === "exact" && !pane.priorView) return t.noPrior;
    if (["prior", "holes"].includes(name) && !pane.priorView) return t.noPrior;
    if (["prior", "holes"].includes(name) && pane.priorView?.pending) return t.onItsWay;
    if (["prior", "holes"].includes(name) && !pane.mixture && pane.size > 2) return t.noShadow;
    return null;
  };
  const chips = layerNames.map((name) => {
    const why = missing(name);
    return button(
      t.layers[name],
      why ?? t.layerTips[name],
      () => store.set({ layers: { ...explorer.state.layers, [name]: !explorer.state.layers[name] } }),
      { className: "vx-chip", role: "switch", disabled: why !== null },
    );
  });
  const showChips = () =>
    layerNames.forEach((name, place) => {
      const why = missing(name);
      chips[place].disabled = why !== null;
      chips[place].title = why ?? t.layerTips[name];
      chips[place].setAttribute("aria-checked", String(explorer.state.layers[name]));
      if (name === "manifold") spacing.classList.toggle("vx-unseen", !explorer.state.layers.manifold);
    });
  const spacing = select(
    t.spacingTip,
    [
      ["even", t.evenSpacing],
      ["quantile", t.quantileSpacing],
    ],
    explorer.state.spacing,
    (value) => store.set({ spacing: value }),
  );

  // On a narrow page the picture lies upon the map, on the side where no finger is.
  const inset = element("canvas.vx-inset", { "aria-hidden": "true" });
  /** @param {Float32Array} image */
  const showInset = (image) => paint(inset, image, explorer.pane.run.image);
  const placeInset = () => {
    const { hover, hoverPane, pin } = explorer.state;
    const [x] = views[0]?.placeOf(hover && hoverPane === 0 ? hover : pin) ?? [0];
    const side = hover ? (x > (views[0]?.width ?? 0) / 2 ? "left" : "right") : inset.dataset.side;
    if (inset.dataset.side !== side) inset.dataset.side = side ?? "right";
  };
  scope.listen(["hover"], placeInset);

  const legend = element("div.vx-legend", { role: "group", "aria-label": t.legend });
  function showLegend() {
    const { pane, state } = explorer;
    const colours = CLASS_COLOURS[state.theme];
    const count = pane.labelCount;
    const toggle = (/** @type {number} */ label, /** @type {boolean} */ solo) => {
      const all = Array.from({ length: pane.labelCount }, (_, index) => index);
      let muted = new Set(state.muted);
      if (solo) {
        const alone = all.filter((one) => !muted.has(one));
        muted = alone.length === 1 && alone[0] === label ? new Set() : new Set(all.filter((one) => one !== label));
      } else if (!muted.delete(label)) muted.add(label);
      store.set({ muted });
    };
    const focused = legend.contains(document.activeElement)
      ? Array.from(legend.children).indexOf(/** @type {Element} */ (document.activeElement))
      : -1;
    legend.replaceChildren(
      ...Array.from({ length: count }, (_, label) => {
        const swatch = element("i");
        swatch.style.background = colours[label % colours.length];
        return element(
          "button.vx-legend-item",
          {
            type: "button",
            title: t.legendTip(pane.labelName(label)),
            "aria-pressed": String(!state.muted.has(label)),
            onclick: (/** @type {MouseEvent} */ event) => toggle(label, event.shiftKey || event.altKey),
            ondblclick: () => toggle(label, true),
          },
          swatch,
          pane.labelName(label),
        );
      }),
    );
    if (focused >= 0) /** @type {HTMLElement | undefined} */ (legend.children[focused])?.focus();
  }

  function showNames() {
    const { second } = explorer.state;
    const title = (/** @type {import("./pane.js").Pane} */ pane) =>
      `${pane.run.name}${pane.priorView ? ` · ${t.priorName(pane.priorView.name, pane.priorView.kind)}` : ""}${
        explorer.state.epoch !== null ? ` · ${pane.epoch === null ? t.trainedModel : t.epoch(pane.run.snapshots[pane.epoch].epoch)}` : ""
      }`;
    names[0].textContent = second ? title(explorer.pane) : "";
    names[1].textContent = second ? title(second) : "";
  }

  function arrange() {
    const { second } = explorer.state;
    boxes[1].hidden = !second;
    stopSecond();
    views[1]?.destroy();
    views[1] = second ? new MapView(hosts[1], second, t.secondMapLabel, explorer.sights[1]) : null;
    if (views[1]) {
      stopSecond = listenToMap(explorer, views[1], 1);
      views[1].whenDrawn = mosaicKeeper(explorer, views[1], 1);
    }
    showNames();
    views[0]?.resize();
    redraw();
    each((view) => view.fitted && view.fit());
  }
  /** @type {() => void} */
  let stopSecond = () => {};

  scope.listen(["layers", "muted", "prior", "plane", "selectionA", "selectionB", "spacing", "theme", "epoch", "arrived"], redraw);
  scope.listen(["hover", "hoverPane", "nearest"], redrawPointer);
  scope.listen(["pin", "pinImage", "drawn", "ends", "way", "samples", "corners", "tab", "look"], redrawMarks);
  scope.listen(["pin", "pinImage", "drawn", "layers", "prior", "epoch", "ready"], () => {
    if (explorer.state.layers.exact || views[0]?.exact.length) refreshExact();
    else gap.hidden = true;
  });
  scope.listen(["second"], arrange);
  scope.listen(["prior", "epoch"], showNames);
  scope.listen(["tool"], showTool);
  scope.listen(["plane", "planeKind", "corners", "notice", "prior"], showPlane);
  scope.listen(["layers", "prior", "arrived"], showChips);
  scope.listen(["muted", "theme"], showLegend);
  scope.atEnd(() => {
    stopSecond();
    clearTimeout(exactDelay);
    if (exactTask) exactTask.cancelled = true;
    each((view) => view.destroy());
  });
  showTool();
  showPlane();
  showChips();
  showLegend();

  const node = element(
    "section.vx-maps",
    { "aria-label": t.map },
    element(
      "div.vx-toolbar",
      {},
      element("div.vx-group", { role: "group", "aria-label": t.tool }, ...toolButtons),
      element(
        "div.vx-group",
        { role: "group", "aria-label": t.zoom },
        button("+", t.zoomIn, () => each((view) => view.zoom(1.4))),
        button("−", t.zoomOut, () => each((view) => view.zoom(1 / 1.4))),
        button("⤢", t.zoomFit, () => each((view) => view.fit())),
      ),
      planes,
      corner,
      caption,
    ),
    element("div.vx-chips", { role: "group", "aria-label": t.layersTitle }, ...chips, spacing),
    element("div.vx-map-row", {}, ...boxes),
    gap,
    legend,
  );

  return {
    node,
    views,
    showInset,
    fit: () => each((view) => view.fit()),
    settle() {
      views[0] = new MapView(hosts[0], explorer.pane, t.mapLabel, explorer.sights[0]);
      views[0].whenDrawn = mosaicKeeper(explorer, views[0], 0);
      scope.atEnd(listenToMap(explorer, views[0], 0));
      hosts[0].append(inset);
      if (explorer.decodedImage) showInset(explorer.decodedImage);
      arrange();
    },
  };
}
