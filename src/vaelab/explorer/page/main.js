/** The page, served or as a file: find the bundle, then begin. */

import { readBundle } from "./bundle.js";
import { Explorer } from "./explorer.js";
import { serverPictures } from "./server-picture.js";

/**
 * @typedef {object} Source where the numbers are
 * @property {() => Promise<ArrayBuffer>} view
 * @property {(run: number) => Promise<ArrayBuffer>} weights
 * @property {(run: number, epoch: number) => Promise<ArrayBuffer>} snapshot
 */

/** @param {string} address */
async function fetched(address) {
  const answer = await fetch(address).catch(() => {
    throw Object.assign(new Error("the server does not answer"), { name: "ServerAway" });
  });
  if (!answer.ok) throw new Error(`the server refused ${address} (${answer.status}): open the address it printed`);
  return answer.arrayBuffer();
}

/** @type {Source} */
const FROM_SERVER = {
  view: () => fetched("view"),
  weights: (run) => fetched(`weights/${run}`),
  snapshot: (run, epoch) => fetched(`snapshots/${run}/${epoch}`),
};

/** @param {string} name what stands in the file itself, compressed */
async function embedded(name) {
  const holder = document.getElementById(name);
  if (!holder) throw new Error(`this file holds no ${name}`);
  const text = atob((holder.textContent ?? "").trim());
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

/** @type {Source} */
const FROM_FILE = {
  view: () => embedded("view"),
  weights: (run) => embedded(`weights-${run}`),
  snapshot: (run, epoch) => embedded(`snapshot-${run}-${epoch}`),
};

/** @param {string | null} workerSource */
export async function begin(workerSource) {
  const host = /** @type {HTMLElement} */ (document.getElementById("explorer"));
  const served = document.documentElement.dataset.served === "yes";
  const source = served ? FROM_SERVER : FROM_FILE;
  try {
    const bundle = readBundle(await source.view(), source.weights, source.snapshot);
    const explorer = new Explorer(host, bundle, {
      workerSource,
      address: true,
      socket: served ? `${location.protocol.replace("http", "ws")}//${location.host}/socket` : null,
      exportAddress: served ? "export" : null,
      readPicture: served ? serverPictures : null,
    });
    Object.assign(window, { vaelabExplorer: explorer });
    document.title = `${bundle.manifest.runs.map(({ name }) => name).join(", ")} · vaelab`;
  } catch (error) {
    host.textContent = String(/** @type {Error} */ (error).message ?? error);
    host.setAttribute("role", "alert");
  }
}
