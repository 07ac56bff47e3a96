/** Small pictures in a row or a sheet: rest on one to see where it lies, press it to pin it. */

import { element } from "../dom.js";
import { paint } from "../picture.js";

/**
 * @param {import("../explorer.js").Explorer} explorer
 * @param {{values: Float32Array | Uint8Array, bytes?: boolean, label: string, z?: Float32Array | null, image?: number | null, strong?: boolean}} picture
 */
export function pictureButton(explorer, { values, bytes, label, z = null, image = null, strong }) {
  const canvas = element("canvas", { "aria-hidden": "true" });
  paint(canvas, values, explorer.pane.run.image, bytes);
  return element(
    `button.vx-picture${strong ? ".vx-strong" : ""}`,
    {
      type: "button",
      title: label,
      "aria-label": label,
      onpointerenter: () => z && explorer.hover(z),
      onpointerleave: () => z && explorer.hover(null),
      onfocus: () => z && explorer.hover(z),
      onblur: () => z && explorer.hover(null),
      onclick: () => z && explorer.pin(Float32Array.from(z), image),
    },
    canvas,
  );
}

/**
 * The rows of one array. @template {Float32Array | Uint8Array} Numbers
 * @param {Numbers} values @param {number} size @returns {Numbers[]}
 */
export function rowsOf(values, size) {
  return Array.from({ length: values.length / size }, (_, row) => /** @type {Numbers} */ (values.subarray(row * size, (row + 1) * size)));
}

/** @param {Float32Array[]} rows @returns {Float32Array} */
export function joined(rows) {
  const size = rows[0]?.length ?? 0;
  const whole = new Float32Array(rows.length * size);
  rows.forEach((row, place) => whole.set(row, place * size));
  return whole;
}
