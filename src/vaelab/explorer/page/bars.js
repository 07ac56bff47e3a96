/** KL of each dimension as bars, largest first, each with its slider: the bars are the controls. */

import { element, number, write } from "./dom.js";
import { subscript } from "./map.js";

/** Below so many nats a dimension says nothing about the image. */
export const COLLAPSED = 0.01;

/** @param {import("./explorer.js").Explorer} explorer @param {import("./frame.js").Scope} scope */
export function buildBars(explorer, scope) {
  const { texts: t, pane } = explorer;
  // A whole number of steps, so that 0 is one of them.
  const reach = Math.ceil(Math.max(3, ...Float32Array.from(pane.means, Math.abs).sort().slice(-Math.ceil(pane.means.length / 200)).slice(0, 1)));
  const rows = pane.order.map((dimension) => {
    const name = `z${subscript(dimension + 1)}`;
    const bar = element("i");
    const amount = element("span.vx-amount");
    const slider = element("input.vx-slider", {
      type: "range",
      min: String(-reach),
      max: String(reach),
      step: "0.01",
      title: t.sliderTip(name),
      "aria-label": t.sliderTip(name),
      oninput: () => {
        const z = Float32Array.from(explorer.state.pin);
        z[dimension] = Number(slider.value);
        explorer.hover(null);
        explorer.pin(z);
      },
    });
    const value = element("output.vx-value");
    const row = element("div.vx-bar", {}, element("span.vx-name", {}, name), element("span.vx-track", {}, bar), amount, slider, value);
    return { dimension, bar, amount, slider, value, row };
  });

  function showAmounts() {
    const { kl } = pane.shown;
    const largest = Math.max(...kl, 1e-6);
    for (const { dimension, bar, amount, row } of rows) {
      bar.style.width = `${(100 * Math.max(kl[dimension], 0)) / largest}%`;
      amount.textContent = number(kl[dimension]);
      row.classList.toggle("vx-collapsed", kl[dimension] < COLLAPSED);
      row.title = kl[dimension] < COLLAPSED ? t.collapsed : "";
    }
  }
  function showPlace() {
    const { z } = explorer.state.look;
    for (const { dimension, slider, value } of rows) {
      slider.value = String(z[dimension]);
      write(value, number(z[dimension]));
    }
  }
  scope.listen(["look"], showPlace);
  scope.listen(["epoch"], showAmounts);
  showAmounts();
  showPlace();
  return element(
    "section.vx-bars",
    { "aria-label": pane.logVariances ? t.klTitle(pane.run.split) : t.spreadTitle },
    element("h2", { title: t.klTip }, pane.logVariances ? t.klTitle(pane.run.split) : t.spreadTitle),
    element("div.vx-rows", { tabIndex: rows.length > 6 ? 0 : undefined }, ...rows.map(({ row }) => row)),
  );
}
