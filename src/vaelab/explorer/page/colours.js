/**
 * Colours of classes that stay apart for colour-blind eyes, on light and on dark ground.
 *
 * Petroff's ten (Petroff 2021, "Accessible color sequences for data visualization"), as in the figures that Python draws; the dark
 * set is the same hues, lighter. Beyond ten the colours return, and the class's name stands at its centre as the second cue.
 */

/** @type {Record<"light" | "dark", string[]>} */
export const CLASS_COLOURS = {
  light: ["#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd"],
  dark: ["#5aa6ee", "#ffb733", "#e0452a", "#b4c2c0", "#a860d8", "#c48a7a", "#ff7f1f", "#d0c78c", "#9a9eaa", "#a8e4e6"],
};

/** @param {string} colour `#rrggbb` @returns {[number, number, number]} */
export function channelsOf(colour) {
  const value = Number.parseInt(colour.trim().slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}
