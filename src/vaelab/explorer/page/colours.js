/**
 * Colours of classes that stay apart for colour-blind eyes, on light and on dark ground.
 *
 * Petroff's ten (Petroff 2021, "Accessible color sequences for data visualization"), his two greys replaced: among ten thousand points
 * they look muted. The dark set is the same hues, lighter. Beyond ten the colours return, and the class's name stands at its centre.
 */

/** @type {Record<"light" | "dark", string[]>} */
export const CLASS_COLOURS = {
  light: ["#3f90da", "#ffa90e", "#bd1f01", "#006b4f", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#d6409f", "#92dadd"],
  dark: ["#6cb6ff", "#ffb733", "#e0452a", "#6f7bff", "#9a50cf", "#c48a7a", "#ff7f1f", "#d0c78c", "#d6409f", "#a8e4e6"],
};

/** What is written upon a colour: dark or white, whichever stands out more (WCAG 2.2, contrast ratio). @param {string} colour */
export function inkOn(colour) {
  const light = luminance(colour) + 0.05;
  return 1.05 / light > light / (luminance(DARK_INK) + 0.05) ? "#ffffff" : DARK_INK;
}

const DARK_INK = "#10151b";

/** @param {string} colour */
function luminance(colour) {
  const [red, green, blue] = channelsOf(colour).map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** @param {string} colour `#rrggbb` @returns {[number, number, number]} */
export function channelsOf(colour) {
  const value = Number.parseInt(colour.trim().slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}
