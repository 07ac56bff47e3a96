/**
 * A drawing as the network expects it: what was done to MNIST's digits, done to it.
 *
 * LeCun, Cortes and Burges, "The MNIST database": the digit is scaled to fit a 20x20 box with its proportions kept,
 * anti-aliased, and placed in the 28x28 field with its centre of mass at the centre. Other sizes in proportion.
 */

/** @typedef {{width: number, height: number, channels: number, pixels: Float32Array}} Picture values in [0, 1], row-major */

/** What is darker is no ink: of a drawing, and of a photograph or a compressed file, whose ground is never quite even. */
export const DRAWN_INK = 1 / 512;
export const PICTURED_INK = 0.12;

/**
 * @param {Picture} picture grey, light ink on dark ground
 * @param {number} height @param {number} width of the network's field
 * @param {number} [ink] least value that counts as ink
 * @returns {Float32Array | null} (height * width) in [0, 1]; null where there is no ink
 */
export function normaliseDigit(picture, height, width, ink = DRAWN_INK) {
  const box = inkBox(picture, ink);
  if (!box) return null;
  const scale = ((20 / 28) * Math.min(height, width)) / Math.max(box.right - box.left, box.bottom - box.top);
  const tall = Math.max(1, (box.bottom - box.top) * scale);
  const wide = Math.max(1, (box.right - box.left) * scale);
  // Where the mass lies, in pixels of the field, measured from the box's corner.
  let [mass, across, down] = [0, 0, 0];
  for (let y = box.top; y < box.bottom; y++) {
    for (let x = box.left; x < box.right; x++) {
      const value = picture.pixels[y * picture.width + x];
      mass += value;
      across += value * (x + 0.5 - box.left);
      down += value * (y + 0.5 - box.top);
    }
  }
  // Whole pixels: MNIST's digits were shifted, not interpolated again. In all of them the centre of mass lies from 14.0 to
  // 15.0, measured from the field's edge.
  const left = Math.ceil(width / 2 - (across / mass) * (wide / (box.right - box.left)) - 1e-6);
  const top = Math.ceil(height / 2 - (down / mass) * (tall / (box.bottom - box.top)) - 1e-6);
  const field = new Float32Array(height * width);
  const ratio = (box.right - box.left) / wide;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      field[y * width + x] = average(
        picture,
        box,
        box.left + (x - left) * ratio,
        box.top + (y - top) * ratio,
        ratio,
      );
    }
  }
  return field;
}

/**
 * A picture of any kind, fitted into the network's field as it is: scaled by area, centred, proportions kept.
 * @param {Picture} picture @param {number} height @param {number} width @param {number} channels
 * @returns {Float32Array} (height * width * channels)
 */
export function fitPicture(picture, height, width, channels) {
  const source = withChannels(picture, channels);
  const ratio = Math.max(source.width / width, source.height / height);
  const left = (width * ratio - source.width) / 2;
  const top = (height * ratio - source.height) / 2;
  const whole = { left: 0, top: 0, right: source.width, bottom: source.height };
  const field = new Float32Array(height * width * channels);
  for (let channel = 0; channel < channels; channel++) {
    const layer = channels === 1 ? source : oneChannel(source, channel);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        field[(y * width + x) * channels + channel] = average(layer, whole, x * ratio - left, y * ratio - top, ratio);
      }
    }
  }
  return field;
}

/** Ink light on dark: turned round where the border is light. @param {Picture} picture @returns {Picture} */
export function lightOnDark(picture) {
  const { width, height, pixels } = picture;
  let border = 0;
  for (let x = 0; x < width; x++) border += pixels[x] + pixels[(height - 1) * width + x];
  for (let y = 0; y < height; y++) border += pixels[y * width] + pixels[y * width + width - 1];
  if (border / (2 * width + 2 * height) < 0.5) return picture;
  return { ...picture, pixels: pixels.map((value) => 1 - value) };
}

/** Grey of RGB by Rec. 601, or RGB of grey. @param {Picture} picture @param {number} channels @returns {Picture} */
export function withChannels(picture, channels) {
  if (picture.channels === channels) return picture;
  const count = picture.width * picture.height;
  const pixels = new Float32Array(count * channels);
  for (let i = 0; i < count; i++) {
    if (channels === 1) {
      const [red, green, blue] = picture.pixels.subarray(i * picture.channels, i * picture.channels + 3);
      pixels[i] = 0.299 * red + 0.587 * green + 0.114 * blue;
    } else pixels.fill(picture.pixels[i], i * channels, (i + 1) * channels);
  }
  return { ...picture, channels, pixels };
}

/** @param {Picture} picture @param {number} channel @returns {Picture} */
function oneChannel(picture, channel) {
  const pixels = new Float32Array(picture.width * picture.height);
  for (let i = 0; i < pixels.length; i++) pixels[i] = picture.pixels[i * picture.channels + channel];
  return { ...picture, channels: 1, pixels };
}

/** @typedef {{left: number, top: number, right: number, bottom: number}} PixelBox */

/** @param {Picture} picture @param {number} ink @returns {PixelBox | null} */
function inkBox({ width, height, pixels }, ink) {
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (pixels[y * width + x] <= ink) continue;
      left = Math.min(left, x);
      right = Math.max(right, x + 1);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y + 1);
    }
  }
  return right > left ? { left, top, right, bottom } : null;
}

/**
 * The mean ink of a square of the picture (anti-aliasing by area); what lies outside the box is empty.
 * @param {Picture} picture @param {PixelBox} box @param {number} x @param {number} y @param {number} side
 */
function average({ width, pixels }, box, x, y, side) {
  const [first, last] = [Math.max(box.left, Math.floor(x)), Math.min(box.right, Math.ceil(x + side))];
  const [low, high] = [Math.max(box.top, Math.floor(y)), Math.min(box.bottom, Math.ceil(y + side))];
  let sum = 0;
  for (let row = low; row < high; row++) {
    const tall = Math.min(row + 1, y + side) - Math.max(row, y);
    for (let column = first; column < last; column++) {
      const wide = Math.min(column + 1, x + side) - Math.max(column, x);
      if (tall > 0 && wide > 0) sum += tall * wide * pixels[row * width + column];
    }
  }
  return sum / (side * side);
}
