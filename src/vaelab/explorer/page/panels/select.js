/** What was caught with the lasso: its images, its mean, its classes; and the direction from one catch to another. */

import { button, element, number } from "../dom.js";
import { meanOf } from "../lasso.js";
import { joined, pictureButton, rowsOf } from "./pictures.js";

const MOST_PICTURES = 60;
const STEPS = [-1, -0.5, 0, 0.5, 1, 1.5, 2];

/** @param {import("../explorer.js").Explorer} explorer @param {import("../frame.js").Scope} scope */
export function buildSelect(explorer, scope) {
  const { texts: t, store, pane } = explorer;
  const body = element("div.vx-select-body");
  const into = (/** @type {"a" | "b"} */ name) =>
    button(t.lassoInto(name.toUpperCase()), t.lassoIntoTip(name.toUpperCase()), () =>
      store.set({ lassoInto: name, chosenTool: "lasso", tab: "select" }),
    );
  const buttons = [into("a"), into("b")];
  let version = 0;

  async function update() {
    const { selectionA, selectionB, lassoInto, tool, tab } = explorer.state;
    buttons.forEach((one, place) =>
      one.setAttribute("aria-pressed", String(tool === "lasso" && lassoInto === ["a", "b"][place])),
    );
    if (tab !== "select") return;
    const mine = ++version;
    const parts = [];
    for (const [name, chosen] of /** @type {[string, Int32Array | null][]} */ ([
      ["A", selectionA],
      ["B", selectionB],
    ])) {
      const present = pane.present(chosen);
      if (present && chosen?.length) parts.push(await describe(name, present, chosen.length));
    }
    const [a, b] = [selectionA, selectionB].map((chosen) => pane.present(chosen));
    if (a?.length && b?.length) parts.push(await direction(a, b));
    if (mine !== version) return;
    body.replaceChildren(...(parts.length ? parts : [element("p.vx-words", {}, t.lassoHow)]));
  }

  /** @param {string} name @param {Int32Array} chosen those that are on the map @param {number} all how many were chosen */
  async function describe(name, chosen, all) {
    const fewer = chosen.length < all && element("p.vx-words", {}, t.followedOf(chosen.length, all));
    if (!chosen.length) return element("section.vx-catch", {}, element("h3", {}, t.catchTitle(name, 0)), fewer);
    const mean = meanOf(pane.shown.means, pane.size, chosen);
    const decoded = await explorer.decode(mean);
    const counts = new Map();
    if (pane.labels) for (const n of chosen) counts.set(pane.labels[n], (counts.get(pane.labels[n]) ?? 0) + 1);
    const rows = [...counts].sort((a, b) => b[1] - a[1]).map(([label, count]) => {
      const bar = element("i");
      bar.style.width = `${(100 * count) / chosen.length}%`;
      return element("div.vx-count", {}, element("span.vx-name", {}, pane.labelName(label)), element("span.vx-track", {}, bar), element("span", {}, String(count)));
    });
    const pictures = Array.from(chosen.subarray(0, MOST_PICTURES), (n) =>
      pictureButton(explorer, {
        values: pane.thumbnailOf(n),
        bytes: true,
        z: pane.meanOf(n),
        image: n,
        label: t.testImage(pane.indices[n], pane.labelOf(n)),
      }),
    );
    return element(
      "section.vx-catch",
      {},
      element("h3", {}, t.catchTitle(name, chosen.length)),
      fewer,
      element(
        "div.vx-row",
        {},
        element(
          "figure.vx-figure.vx-small",
          {},
          pictureButton(explorer, { values: decoded, z: mean, label: t.meanOfCatch }),
          element("figcaption", {}, t.meanOfCatch),
        ),
        element("div.vx-counts", {}, ...rows),
      ),
      element("div.vx-sheet", {}, ...pictures),
      chosen.length > MOST_PICTURES && element("p.vx-words", {}, t.firstOf(MOST_PICTURES, chosen.length)),
    );
  }

  /** @param {Int32Array} a @param {Int32Array} b */
  async function direction(a, b) {
    const from = meanOf(pane.shown.means, pane.size, a);
    const to = meanOf(pane.shown.means, pane.size, b);
    const way = to.map((value, i) => value - from[i]);
    const start = explorer.state.pin;
    const latents = STEPS.map((step) => start.map((value, i) => value + step * way[i]));
    const pictures = rowsOf(await explorer.decode(joined(latents)), pane.pixels);
    return element(
      "section.vx-catch",
      {},
      element("h3", { title: t.directionTip }, t.direction(number(Math.hypot(...way)))),
      element(
        "div.vx-strip",
        {},
        ...pictures.map((values, place) =>
          pictureButton(explorer, {
            values,
            z: latents[place],
            strong: STEPS[place] === 0,
            label: t.directionStep(number(STEPS[place], 1)),
          }),
        ),
      ),
    );
  }

  const refresh = () => void update().catch((error) => explorer.fail(error));
  scope.listen(["selectionA", "selectionB", "pin", "tab", "epoch", "tool", "lassoInto"], refresh);
  const node = element(
    "div",
    {},
    element(
      "div.vx-actions",
      {},
      ...buttons,
      button(t.clear, t.clearLasso, () => store.set({ selectionA: null, selectionB: null, chosenTool: "explore" })),
    ),
    body,
  );
  return { node, open: refresh };
}
