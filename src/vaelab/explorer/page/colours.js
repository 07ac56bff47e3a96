/**
 * Colours of classes that stay apart for colour-blind eyes, on light and on dark ground.
 *
 * After Paul Tol's "muted" scheme (Tol 2021, "Colour schemes", SRON technical note 09-002), with a tenth; the dark set is
 * the same hues, lighter. Beyond ten the colours return, and the class's name stands at its centre as the second cue.
 */

/** @type {Record<"light" | "dark", string[]>} */
export const CLASS_COLOURS = {
  light: ["#332288", "#d98032", "#44aa99", "#882255", "#88bbdd", "#117733", "#cc6677", "#aa44c0", "#8a8a22", "#5c6670"],
  dark: ["#8d83e6", "#e59a56", "#55c2b0", "#c2558c", "#9bd0f0", "#4db06c", "#e58494", "#cf84de", "#cfc75a", "#a4b0bc"],
};

/** @param {string} colour `#rrggbb` @returns {[number, number, number]} */
export function channelsOf(colour) {
  const value = Number.parseInt(colour.trim().slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}
