/** The pointer upon a map: a mouse, a pen, one finger or two. The keyboard is in keys.js. */

import { scrolls } from "./keys.js";
import { indicesInside } from "./lasso.js";

/** Farther than so many pixels a press is a drag. */
const SLACK = 4;
const GRIP = 14;
/** Milliseconds for which the page says how to zoom. */
const HINT = 2500;

/**
 * @param {import("./explorer.js").Explorer} explorer @param {import("./map.js").MapView} view @param {number} index
 * @returns {() => void} to stop
 */
export function listenToMap(explorer, view, index) {
  const { overlay } = view;
  const { store } = explorer;
  /** @type {{x: number, y: number, moved: boolean, what: "pan" | "decode" | "lasso" | "a" | "b", touch: boolean} | null} */
  let press = null;
  /** The fingers on the map, by pointer. @type {Map<number, [number, number]>} */
  const fingers = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let hint;

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

  /** Two fingers: their middle carries the map, their distance zooms it. @param {PointerEvent} event */
  function pinch(event) {
    const [[x1, y1], [x2, y2]] = [...fingers.values()];
    fingers.set(event.pointerId, placeOf(event));
    const [[x3, y3], [x4, y4]] = [...fingers.values()];
    view.pan((x3 + x4 - x1 - x2) / 2, (y3 + y4 - y1 - y2) / 2);
    const before = Math.hypot(x2 - x1, y2 - y1);
    if (before > 1) view.zoom(Math.hypot(x4 - x3, y4 - y3) / before, (x3 + x4) / 2, (y3 + y4) / 2);
  }

  /** @param {PointerEvent} event */
  function move(event) {
    if (fingers.size === 2 && fingers.has(event.pointerId)) return pinch(event);
    if (event.pointerType === "touch" && !press) return;
    if (fingers.has(event.pointerId)) fingers.set(event.pointerId, placeOf(event));
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
    overlay.setPointerCapture(event.pointerId);
    overlay.focus({ preventScroll: true });
    if (touch) {
      fingers.set(event.pointerId, [x, y]);
      // A second finger: whatever the first began, it does not pin.
      if (fingers.size > 1) return cancel();
    }
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
    if (touch) move(event);
  }

  /** @param {PointerEvent} event */
  function up(event) {
    fingers.delete(event.pointerId);
    if (!press) return;
    const { what, moved, touch } = press;
    press = null;
    const [x, y] = placeOf(event);
    if (what === "lasso") finishLasso(moved);
    else if (what === "a" || what === "b") return;
    else if (!moved || what === "decode") click(x, y);
    if (touch) explorer.hover(null);
  }

  /** What is under way ends and leaves nothing. */
  function cancel() {
    press = null;
    if (view.lasso.length) {
      view.lasso = [];
      view.drawOverlay(view.marks);
    }
    if (explorer.state.hover) explorer.hover(null);
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
    explorer.pin(z, image);
  }

  /** @param {boolean} moved a click draws no line: what was selected stays */
  function finishLasso(moved) {
    const outline = view.lasso;
    view.lasso = [];
    view.drawOverlay(view.marks);
    if (!moved) return;
    const { muted, lassoInto } = explorer.state;
    const { places, labels } = view.pane;
    const chosen = indicesInside(outline, places, (n) => !labels || !muted.has(labels[n]));
    explorer.announce(explorer.texts.selected(chosen.length));
    if (!chosen.length) return;
    store.set(lassoInto === "a" ? { selectionA: chosen } : { selectionB: chosen });
    explorer.emit("select", { into: lassoInto, indices: Array.from(chosen, (n) => view.pane.indices[n]) });
  }

  /** Where the page scrolls, the wheel scrolls it, and zooms with Ctrl (as two fingers on a touchpad say it). @param {WheelEvent} event */
  function wheel(event) {
    const meant = event.ctrlKey || event.metaKey;
    if (!meant && scrolls(explorer.host)) {
      store.set({ notice: "ctrlZooms" });
      clearTimeout(hint);
      hint = setTimeout(() => explorer.state.notice === "ctrlZooms" && store.set({ notice: null }), HINT);
      return;
    }
    event.preventDefault();
    // A touchpad's pinch comes in small steps.
    const pace = event.deltaMode === 1 ? 0.05 : meant && Math.abs(event.deltaY) < 40 ? 0.01 : 0.0016;
    view.zoom(Math.exp(-event.deltaY * pace), ...placeOf(event));
  }

  const leave = () => {
    if (!press && explorer.state.hoverPane === index) explorer.hover(null, index);
  };
  const listeners = /** @type {[string, any, any?][]} */ ([
    ["pointermove", move],
    ["pointerdown", down],
    ["pointerup", up],
    [
      "pointercancel",
      (/** @type {PointerEvent} */ event) => {
        fingers.delete(event.pointerId);
        cancel();
      },
    ],
    ["pointerleave", leave],
    ["wheel", wheel, { passive: false }],
  ]);
  for (const [name, listener, options] of listeners) overlay.addEventListener(name, listener, options);
  const stopCancel = explorer.on("cancel", cancel);
  return () => {
    clearTimeout(hint);
    stopCancel();
    for (const [name, listener, options] of listeners) overlay.removeEventListener(name, listener, options);
  };
}
