/** One dimension at a time: pictures along each axis through the pinned point, by KL. */

import { element, number } from "../dom.js";
import { COLLAPSED } from "../bars.js";
import { newestWins } from "../latest.js";
import { subscript } from "../map.js";
import { joined, pictureButton, rowsOf } from "./pictures.js";

const STEPS = [-3, -2, -1, 0, 1, 2, 3];
const MOST_ROWS = 12;

/** @param {import("../explorer.js").Explorer} explorer @param {import("../frame.js").Scope} scope */
export function buildTraverse(explorer, scope) {
  const { texts: t, pane } = explorer;
  const body = element("div.vx-traversals");
  const dimensions = pane.order.slice(0, MOST_ROWS);

  const decodeSoon = newestWins(
    async (/** @type {Float32Array} */ pin) => {
      const latents = dimensions.flatMap((dimension) =>
        STEPS.map((step) => {
          const z = Float32Array.from(pin);
          z[dimension] = step;
          return z;
        }),
      );
      return { latents, pictures: rowsOf(await explorer.decode(joined(latents)), pane.pixels) };
    },
    ({ latents, pictures }) =>
      body.replaceChildren(
        ...dimensions.map((dimension, row) => {
          const kl = pane.shown.kl[dimension];
          const name = `z${subscript(dimension + 1)}`;
          return element(
            `div.vx-traversal${kl < COLLAPSED ? ".vx-collapsed" : ""}`,
            {},
            element("span.vx-name", { title: t.nats(number(kl)) }, name),
            element(
              "div.vx-strip",
              {},
              ...STEPS.map((step, place) =>
                pictureButton(explorer, {
                  values: pictures[row * STEPS.length + place],
                  z: latents[row * STEPS.length + place],
                  label: `${name} = ${number(step, 1)}`,
                }),
              ),
            ),
          );
        }),
      ),
    (error) => explorer.fail(error),
  );
  const update = () => explorer.state.tab === "traverse" && decodeSoon(explorer.state.pin);
  scope.listen(["pin", "epoch", "tab"], update);
  const node = element("div", {}, element("p.vx-words", {}, t.traverseHow), body);
  return { node, open: () => void update() };
}
