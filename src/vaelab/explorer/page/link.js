/** What the page shows, written into its address, so that it can be sent to someone. */

/**
 * @typedef {object} Link
 * @property {number[]} [z] @property {number} [image] the number of a test image
 * @property {string[]} [layers] @property {string} [tab]
 * @property {"en" | "zh"} [lang] @property {"light" | "dark"} [theme]
 * @property {string} [prior] @property {number} [epoch]
 */

/** @param {Link} link */
export function writeLink(link) {
  const parts = [];
  if (link.image !== undefined) parts.push(`image=${link.image}`);
  else if (link.z) parts.push(`z=${link.z.join(",")}`);
  if (link.layers) parts.push(`layers=${link.layers.join(",")}`);
  for (const key of /** @type {const} */ (["tab", "prior", "epoch", "lang", "theme"])) {
    if (link[key] !== undefined) parts.push(`${key}=${encodeURIComponent(String(link[key]))}`);
  }
  return `#${parts.join("&")}`;
}

/** What cannot be read is left out. @param {string} hash @returns {Link} */
export function readLink(hash) {
  const values = new URLSearchParams(hash.replace(/^#/, ""));
  /** @type {Link} */
  const link = {};
  const z = values.get("z")?.split(",").map(Number);
  if (z?.every(Number.isFinite)) link.z = z;
  const image = Number(values.get("image") ?? NaN);
  if (Number.isInteger(image) && image >= 0) link.image = image;
  const layers = values.get("layers");
  if (layers !== null) link.layers = layers.split(",");
  const tab = values.get("tab");
  if (tab && TABS.includes(tab)) link.tab = tab;
  const [lang, theme, prior] = [values.get("lang"), values.get("theme"), values.get("prior")];
  if (lang === "en" || lang === "zh") link.lang = lang;
  if (theme === "light" || theme === "dark") link.theme = theme;
  if (prior) link.prior = prior;
  const epoch = Number(values.get("epoch") ?? NaN);
  if (Number.isInteger(epoch)) link.epoch = epoch;
  return link;
}

export const TABS = ["draw", "interpolate", "select", "traverse", "sample", "compare"];
