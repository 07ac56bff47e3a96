/** A dropped file as pixels, opened by the browser; its size is read from its header before it is decoded. */

const LARGEST_FILE = 20 * 1024 * 1024;
const MOST_PIXELS = 40e6;
const LONGEST_SIDE = 512;

/** @param {File} file @returns {Promise<import("./digit.js").Picture>} */
export async function openPicture(file) {
  if (file.size > LARGEST_FILE) throw new Error(`it has ${Math.round(file.size / 2 ** 20)} MB; at most 20 MB`);
  const size = sizeInHeader(new Uint8Array(await file.slice(0, 512 * 1024).arrayBuffer()));
  if (!size) throw new Error("it is no PNG, JPEG, GIF, BMP or WebP");
  const [wide, tall] = size;
  if (wide * tall > MOST_PIXELS) throw new Error(`it has ${Math.round((wide * tall) / 1e6)} megapixels; at most 40`);
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Error("it is damaged");
  });
  const ratio = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * ratio));
  canvas.height = Math.max(1, Math.round(bitmap.height * ratio));
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const pixels = new Float32Array((data.length / 4) * 3);
  for (let i = 0; i < data.length / 4; i++) {
    for (let channel = 0; channel < 3; channel++) pixels[3 * i + channel] = data[4 * i + channel] / 255;
  }
  return { width: canvas.width, height: canvas.height, channels: 3, pixels };
}

/**
 * Width and height as a file's header gives them; null for what is no image.
 * @param {Uint8Array} bytes @returns {[number, number] | null}
 */
export function sizeInHeader(bytes) {
  if (bytes.length < 26) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  /** @param {number} from @param {number} to */
  const text = (from, to) => String.fromCharCode(...bytes.subarray(from, to));
  if (text(1, 4) === "PNG") return [view.getUint32(16), view.getUint32(20)];
  if (text(0, 3) === "GIF") return [view.getUint16(6, true), view.getUint16(8, true)];
  if (text(0, 2) === "BM") return [view.getInt32(18, true), Math.abs(view.getInt32(22, true))];
  if (text(0, 4) === "RIFF" && text(8, 12) === "WEBP" && bytes.length >= 30) {
    const kind = text(12, 16);
    if (kind === "VP8 ") return [view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff];
    if (kind === "VP8L") {
      const bits = view.getUint32(21, true);
      return [(bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1];
    }
    return [1 + (view.getUint32(24, true) & 0xffffff), 1 + (view.getUint32(26, true) >>> 8)];
  }
  if (view.getUint16(0) !== 0xffd8) return null;
  for (let at = 2; at + 9 < bytes.length; ) {
    if (bytes[at] !== 0xff) return null;
    const marker = bytes[at + 1];
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return [view.getUint16(at + 7), view.getUint16(at + 5)];
    at += 2 + view.getUint16(at + 2);
  }
  return null;
}
