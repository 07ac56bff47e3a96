/** Six tabs under the readout. */

import { element } from "./dom.js";
import { TABS } from "./link.js";
import { buildCompare } from "./panels/compare.js";
import { buildDraw } from "./panels/draw.js";
import { buildInterpolate } from "./panels/interpolate.js";
import { buildSample } from "./panels/sample.js";
import { buildSelect } from "./panels/select.js";
import { buildTraverse } from "./panels/traverse.js";

/**
 * @typedef {object} Panel
 * @property {HTMLElement} node
 * @property {() => void} [open] @property {() => void} [close]
 * @property {(image: Float32Array) => void} [decoded] the main picture was decoded anew
 */

/** @type {Record<string, (explorer: import("./explorer.js").Explorer, scope: import("./frame.js").Scope) => Panel>} */
const BUILDERS = {
  draw: buildDraw,
  interpolate: buildInterpolate,
  select: buildSelect,
  traverse: buildTraverse,
  sample: buildSample,
  compare: buildCompare,
};

/** @param {import("./explorer.js").Explorer} explorer @param {import("./frame.js").Scope} scope */
export function buildTabs(explorer, scope) {
  const { texts: t, store } = explorer;
  const id = `vx-${Math.random().toString(36).slice(2, 8)}`;
  /** @type {Record<string, Panel>} */
  const panels = {};
  for (const name of TABS) panels[name] = BUILDERS[name](explorer, scope);
  /** @type {HTMLButtonElement[]} */
  const buttons = TABS.map((name, place) =>
    element(
      "button.vx-tab",
      {
        type: "button",
        role: "tab",
        id: `${id}-${name}`,
        "aria-controls": `${id}-${name}-panel`,
        title: t.tabTips[name],
        onclick: () => store.set({ tab: name }),
        onkeydown: (/** @type {KeyboardEvent} */ event) => {
          const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
          if (!step) return;
          const next = (place + step + TABS.length) % TABS.length;
          store.set({ tab: TABS[next] });
          buttons[next].focus();
          event.preventDefault();
        },
      },
      t.tabs[name],
    ),
  );
  const bodies = TABS.map((name) =>
    element(
      "div.vx-panel",
      { role: "tabpanel", id: `${id}-${name}-panel`, "aria-labelledby": `${id}-${name}` },
      panels[name].node,
    ),
  );
  /** @type {string | null} */
  let open = null;
  function show() {
    const { tab } = explorer.state;
    if (tab === open) return;
    if (open) panels[open].close?.();
    open = tab;
    TABS.forEach((name, place) => {
      buttons[place].setAttribute("aria-selected", String(name === tab));
      buttons[place].tabIndex = name === tab ? 0 : -1;
      bodies[place].hidden = name !== tab;
    });
    panels[tab].open?.();
  }
  scope.listen(["tab"], show);
  scope.atEnd(() => open && panels[open].close?.());
  queueMicrotask(show);
  return {
    node: element("section.vx-tabs", {}, element("div.vx-tablist", { role: "tablist", "aria-label": t.tools }, ...buttons), ...bodies),
    /** @param {Float32Array} image */
    decoded: (image) => open && panels[open].decoded?.(image),
  };
}
