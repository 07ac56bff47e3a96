/** The keyboard, from wherever focus is: a control keeps the keys that it uses itself, all others mean the map. */

const SMALL_STEP = 0.1;
const LARGE_STEP = 0.5;
/** @type {Record<string, [number, number]>} */
const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** @param {import("./explorer.js").Explorer} explorer @returns {() => void} to stop */
export function listenToKeys(explorer) {
  const { store, host } = explorer;
  // A page of its own hears them all; in a notebook only what happens inside.
  const place = /** @type {HTMLElement | Document} */ (explorer.options.address ? document : host);

  /** @param {KeyboardEvent} event */
  function key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const at = /** @type {HTMLElement} */ (event.target);
    const inside = host.contains(at);
    if (at.closest?.("textarea, [contenteditable], input:not([type=range])")) return;
    const maps = explorer.frame?.maps.views ?? [];
    const view = maps.find((one) => one?.overlay === at) ?? maps[0];
    if (event.key === "Escape") escape();
    else if (at.closest?.("select")) return;
    else if (event.key in DIRECTIONS) {
      // Sliders, tabs and lists move by arrows themselves; with no focus anywhere they scroll a page that scrolls.
      if (at.closest?.("input, [role=tab], .vx-rows") || (!inside && scrolls(host))) return;
      const { u, v } = explorer.state.plane;
      const [a, b] = DIRECTIONS[event.key];
      const step = event.shiftKey ? LARGE_STEP : SMALL_STEP;
      const z = explorer.state.pin.map((value, i) => value + step * (a * u[i] + b * v[i]));
      explorer.hover(null);
      explorer.pin(z);
      maps[0]?.reveal(...maps[0].planeOf(z));
    } else if ((event.key === " " || event.key === "Enter") && maps.some((one) => one?.overlay === at)) {
      const { hover, hoverPane } = explorer.state;
      if (hover && hoverPane === 0) explorer.pin(hover);
      explorer.announce(explorer.texts.pinned);
    } else if (event.key === "n" || event.key === "N") {
      // From a pinned image on to the one nearest to it.
      const { pin, pinImage } = explorer.state;
      explorer.pin(pin, explorer.pane.around(pin, pinImage).nearest);
    } else if (event.key === "r" || event.key === "R") again();
    else if (event.key === "+" || event.key === "=") view?.zoom(1.25);
    else if (event.key === "-") view?.zoom(1 / 1.25);
    else if (event.key === "0") view?.fit();
    else return;
    event.preventDefault();
  }

  /** What is under way ends; where nothing is, the selections go. */
  function escape() {
    const { tool, hover, playing, notice, along } = explorer.state;
    explorer.emit("cancel", {});
    if (tool !== "explore" || hover || playing || notice || along !== null) {
      store.set({ chosenTool: "explore", hover: null, playing: false, notice: null, along: null });
    } else store.set({ selectionA: null, selectionB: null });
  }

  /** Draw again: from the drawing's posterior, or another sheet from the prior. */
  function again() {
    if (explorer.state.tab === "sample") store.set({ sheet: explorer.state.sheet + 1 });
    else explorer.emit("resample", {});
  }

  place.addEventListener("keydown", /** @type {EventListener} */ (key));
  return () => place.removeEventListener("keydown", /** @type {EventListener} */ (key));
}

/** Whether the wheel and the arrows have something to scroll: the page, or what the component lies in. @param {HTMLElement} host */
export function scrolls(host) {
  for (let node = /** @type {HTMLElement | null} */ (host); node; node = node.parentElement) {
    if (node.scrollHeight <= node.clientHeight + 1) continue;
    const flow = getComputedStyle(node).overflowY;
    if (flow === "auto" || flow === "scroll" || node === document.documentElement) return true;
  }
  return false;
}
