/** The pointer and the keyboard upon a map. */

import { indicesInside } from "./lasso.js";

/** Farther than so many pixels a press is a drag. */
const SLACK = 4;
const GRIP = 14;
const SMALL_STEP = 0.1;
const LARGE_STEP = 0.5;

/**
 * @param {import("./explorer.js").Explorer} explorer @param {import("./map.js").MapView} view @param {number} index
 * @returns {() => void} to stop
 */
export function listenToMap(explorer, view, index) {
  const { overlay } = view;
  const { store } = explorer;
  /** @type {{x: number, y: number, moved: boolean, what: "pan" | "decode" | "lasso" | "a" | "b", touch: boolean} | null} */
  let press = null;

  /** @param {PointerEvent | WheelEvent | MouseEvent} event @returns {[number, number]} */
  function placeOf(event) {
    const box = overlay.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  /** The interpolation's end under the pointer, if any. @param {number} x @param {number} y @returns {"a" | "b" | null} */
  function endAt(x, y) {
    if (index !== 0 || explorer.state.tab !== "interpolate") return null;
    for (const name of /** @type {const} */ (["a", "b"])) {
      const z = explorer.state.ends[name];
      if (!z) continue;
      const [a, b] = view.placeOf(z);
      if (Math.hypot(a - x, b - y) < GRIP) return name;
    }
    return null;
  }

  /** @param {PointerEvent} event */
  function move(event) {
    const [x, y] = placeOf(event);
    if (press && Math.hypot(x - press.x, y - press.y) > SLACK) press.moved = true;
    if (press?.moved && press.what === "pan") {
      view.pan(x - press.x, y - press.y);
      [press.x, press.y] = [x, y];
      return;
    }
    if (press?.what === "lasso") {
      view.lasso.push(view.toPlane(x, y));
      view.drawOverlay(view.marks);
      return;
    }
    if (press?.what === "a" || press?.what === "b") {
      store.set({ ends: { ...explorer.state.ends, [press.what]: view.latentAt(x, y) } });
      return;
    }
    if (explorer.state.tool === "pan") return;
    explorer.pointerTime = event.timeStamp;
    explorer.hover(view.latentAt(x, y), index);
  }

  /** @param {PointerEvent} event */
  function down(event) {
    if (event.button > 1) return;
    const [x, y] = placeOf(event);
    const touch = event.pointerType === "touch";
    const { tool } = explorer.state;
    const end = endAt(x, y);
    /** @type {"pan" | "decode" | "lasso" | "a" | "b"} */
    let what = touch && tool === "explore" ? "decode" : "pan";
    if (end && tool === "explore") what = end;
    if (tool === "lasso" && index === 0 && event.button === 0) {
      what = "lasso";
      view.lasso = [view.toPlane(x, y)];
    }
    press = { x, y, moved: false, what, touch };
    overlay.setPointerCapture(event.pointerId);
    overlay.focus({ preventScroll: true });
    if (touch) move(event);
  }

  /** @param {PointerEvent} event */
  function up(event) {
    if (!press) return;
    const { what, moved, touch } = press;
    press = null;
    const [x, y] = placeOf(event);
    if (what === "lasso") finishLasso();
    else if (what === "a" || what === "b") return;
    else if (!moved || what === "decode") click(x, y);
    if (touch) explorer.hover(null);
  }

  /** @param {number} x @param {number} y */
  function click(x, y) {
    if (explorer.state.tool !== "explore") return;
    const image = view.layers.points ? view.pointAt(x, y) : null;
    if (index === 1) {
      const twin = image === null ? null : explorer.counterpart(1, image);
      if (twin !== null) explorer.pin(explorer.pane.meanOf(twin), twin);
      return;
    }
    const z = image === null ? view.latentAt(x, y) : view.pane.meanOf(image);
    const { ends, tab } = explorer.state;
    if (tab === "interpolate" && !ends.a) store.set({ ends: { ...ends, a: z } });
    else if (tab === "interpolate" && !ends.b) store.set({ ends: { ...ends, b: z } });
    explorer.pin(z, explorer.state.epoch === null ? image : null);
  }

  function finishLasso() {
    const outline = view.lasso;
    view.lasso = [];
    const { muted, lassoInto } = explorer.state;
    const { places, labels } = view.pane;
    const chosen = outline.length > 2 ? indicesInside(outline, places, (n) => !labels || !muted.has(labels[n])) : new Int32Array(0);
    const found = chosen.length ? chosen : null;
    store.set(lassoInto === "a" ? { selectionA: found, tab: "select" } : { selectionB: found, tab: "select" });
    explorer.emit("select", { into: lassoInto, indices: Array.from(chosen, (n) => view.pane.indices[n]) });
    explorer.announce(explorer.texts.selected(chosen.length));
    view.drawOverlay(view.marks);
  }

  /** @param {KeyboardEvent} event */
  function key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const directions = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const direction = directions[/** @type {keyof typeof directions} */ (event.key)];
    if (direction && index === 0) {
      const step = event.shiftKey ? LARGE_STEP : SMALL_STEP;
      const { u, v } = explorer.state.plane;
      const from = explorer.state.hover ?? explorer.state.pin;
      const z = from.map((value, i) => value + step * (direction[0] * u[i] + direction[1] * v[i]));
      store.set({ hover: null, nearest: null });
      explorer.pin(z);
      const [a, b] = view.toPlane(...view.placeOf(z));
      view.reveal(a, b);
    } else if ((event.key === " " || event.key === "Enter") && index === 0) {
      explorer.pin(explorer.state.hover ?? explorer.state.pin, explorer.state.hover ? null : explorer.state.pinImage);
      explorer.announce(explorer.texts.pinned);
    } else if (event.key === "n" || event.key === "N") {
      const { nearest } = explorer.pane.around(explorer.state.pin);
      explorer.pin(explorer.pane.meanOf(nearest), nearest);
    } else if (event.key === "r" || event.key === "R") explorer.emit("resample", {});
    else if (event.key === "+" || event.key === "=") view.zoom(1.25);
    else if (event.key === "-") view.zoom(1 / 1.25);
    else if (event.key === "0") view.fit();
    else if (event.key === "Escape") store.set({ hover: null, nearest: null, selectionA: null, selectionB: null });
    else return;
    event.preventDefault();
  }

  /** @param {WheelEvent} event */
  function wheel(event) {
    event.preventDefault();
    view.zoom(Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.0016)), ...placeOf(event));
  }

  const leave = () => {
    if (!press) explorer.hover(null, index);
  };
  const listeners = /** @type {[string, any, any?][]} */ ([
    ["pointermove", move],
    ["pointerdown", down],
    ["pointerup", up],
    ["pointercancel", () => (press = null)],
    ["pointerleave", leave],
    ["keydown", key],
    ["wheel", wheel, { passive: false }],
  ]);
  for (const [name, listener, options] of listeners) overlay.addEventListener(name, listener, options);
  return () => {
    for (const [name, listener, options] of listeners) overlay.removeEventListener(name, listener, options);
  };
}
