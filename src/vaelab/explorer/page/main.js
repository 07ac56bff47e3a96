/** The page, served or as a file: find the bundle, then begin. */

import { readBundle } from "./bundle.js";
import { element } from "./dom.js";
import { Explorer } from "./explorer.js";
import { readLink } from "./link.js";
import { serverPictures } from "./server-picture.js";
import { textsFor } from "./texts.js";

/**
 * @typedef {object} Source where the numbers are
 * @property {() => Promise<ArrayBuffer>} view
 * @property {(run: number) => Promise<ArrayBuffer>} weights
 * @property {(run: number, epoch: number) => Promise<ArrayBuffer>} snapshot
 * @property {(run: number, prior: number) => Promise<ArrayBuffer>} prior
 */

/** Milliseconds from one question how far the map is to the next. */
const PATIENCE = 300;

/** The version of the view that this page has: what belongs to another is refused. */
let version = "";

/** The label that the page decodes as, where it was asked for one. */
const label = new URLSearchParams(location.search).get("label");

/** @param {string} address */
function asked(address) {
  const query = new URLSearchParams({ ...(version && { version }), ...(label && { label }) }).toString();
  return query ? `${address}?${query}` : address;
}

/** @param {string} address */
async function answerTo(address) {
  const answer = await fetch(asked(address)).catch(() => {
    throw Object.assign(new Error("the server does not answer"), { name: "ServerAway" });
  });
  if (answer.status === 409) throw Object.assign(new Error(await answer.text()), { name: "RunChanged" });
  if (!answer.ok) throw new Error(`the server refused ${address} (${answer.status}): open the address it printed`);
  return answer;
}

/** @param {string} address */
const fetched = async (address) => (await answerTo(address)).arrayBuffer();

/** @type {Source} */
const FROM_SERVER = {
  async view() {
    const answer = await answerTo("view");
    version = answer.headers.get("x-version") ?? "";
    return answer.arrayBuffer();
  },
  weights: (run) => fetched(`weights/${run}`),
  snapshot: (run, epoch) => fetched(`snapshots/${run}/${epoch}`),
  prior: (run, prior) => fetched(`priors/${run}/${prior}`),
};

/** Whether what the page shows was made anew since. */
const changed = async () => (await (await answerTo("version")).text()) !== version;

/** Say how far the map is until it is there. @param {Element | null} place @param {Promise<unknown>} done */
async function showProgress(place, done) {
  const chinese = navigator.language.toLowerCase().startsWith("zh") || readLink(location.hash).lang === "zh";
  const t = textsFor(chinese && readLink(location.hash).lang !== "en" ? "zh" : "en");
  const bar = element("progress", { max: 1, value: 0 });
  const words = element("span");
  let waiting = true;
  void done.finally(() => (waiting = false)).catch(() => {});
  const rest = () => new Promise((wake) => setTimeout(wake, PATIENCE));
  for (await rest(); waiting && place; await rest()) {
    const answer = await fetch(asked("progress")).catch(() => null);
    if (!answer?.ok || !waiting) continue;
    const { step, share } = await answer.json();
    bar.value = share;
    words.textContent = t.preparing(t.steps[step] ?? "");
    if (!bar.isConnected) place.replaceChildren(words, element("br"), bar);
  }
}

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
  prior: (run, prior) => embedded(`prior-${run}-${prior}`),
};

/** Open the page as another label; what else it shows stays, in its address. @param {number} chosen @param {string} hash */
function chooseLabel(chosen, hash) {
  const address = new URL(location.href);
  address.searchParams.set("label", String(chosen));
  address.hash = hash;
  location.assign(address);
}

/** @param {string | null} workerSource */
export async function begin(workerSource) {
  const host = /** @type {HTMLElement} */ (document.getElementById("explorer"));
  const served = document.documentElement.dataset.served === "yes";
  const source = served ? FROM_SERVER : FROM_FILE;
  try {
    const view = source.view();
    if (served) void showProgress(host.querySelector(".vx-wait"), view);
    const bundle = readBundle(await view, source.weights, source.snapshot, source.prior);
    const explorer = new Explorer(host, bundle, {
      workerSource,
      address: true,
      socket: served ? `${location.protocol.replace("http", "ws")}//${location.host}/${asked("socket")}` : null,
      exportAddress: served ? asked("export") : null,
      chooseLabel: served ? chooseLabel : null,
      readPicture: served ? serverPictures : null,
      token: document.documentElement.dataset.token ?? null,
      changed: served ? changed : null,
    });
    Object.assign(window, { vaelabExplorer: explorer });
    document.title = `${bundle.manifest.runs.map(({ name }) => name).join(", ")} · vaelab`;
  } catch (error) {
    host.textContent = String(/** @type {Error} */ (error).message ?? error);
    host.setAttribute("role", "alert");
  }
}
