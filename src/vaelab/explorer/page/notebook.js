/** The widget's front end, as anywidget calls it: the same component, its numbers from Python. */

import { readBundle } from "./bundle.js";
import { Explorer } from "./explorer.js";

/** @param {DataView} view @returns {ArrayBuffer} */
const wholeOf = (view) =>
  /** @type {ArrayBuffer} */ (view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));

/** @param {string | null} workerSource */
export function widget(workerSource) {
  return {
    /** @param {{model: any, el: HTMLElement}} given */
    render({ model, el }) {
      const weights = /** @type {DataView[]} */ (model.get("weights"));
      const bundle = readBundle(
        model.get("view"),
        async (run) => wholeOf(weights[run]),
        async () => {
          throw new Error("a notebook holds no weights of past epochs");
        },
      );
      for (const run of bundle.manifest.runs) for (const snapshot of run.snapshots) snapshot.weights = false;
      const host = document.createElement("div");
      host.style.height = model.get("height");
      el.append(host);
      const explorer = new Explorer(host, bundle, {
        workerSource,
        address: false,
        lang: model.get("lang") || undefined,
        theme: model.get("theme") || undefined,
      });
      explorer.on("pin", ({ z, image }) => {
        model.set("pinned", z);
        model.set("pinned_image", image);
        model.save_changes();
      });
      explorer.on("select", ({ indices }) => {
        model.set("selected", indices);
        model.save_changes();
      });
      model.on("change:lang", () => explorer.update({ lang: model.get("lang") || "en" }));
      model.on("change:theme", () => explorer.update({ theme: model.get("theme") || "light" }));
      return () => explorer.destroy();
    },
  };
}
