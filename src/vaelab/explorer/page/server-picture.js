/** A dropped file as pixels, opened by the server (which knows more formats), where there is one. */

import { openPicture } from "./open-picture.js";

const LARGEST_FILE = 20 * 1024 * 1024;

/** @param {File} file @returns {Promise<import("./digit.js").Picture>} */
export async function serverPictures(file) {
  if (file.size > LARGEST_FILE) throw new Error(`it has ${Math.round(file.size / 2 ** 20)} MB; at most 20 MB`);
  let answer;
  try {
    answer = await fetch("picture", { method: "POST", body: file, headers: { "content-type": "application/octet-stream" } });
  } catch {
    return openPicture(file);
  }
  if (!answer.ok) throw new Error(await answer.text());
  const [width, height] = ["x-width", "x-height"].map((name) => Number(answer.headers.get(name)));
  const bytes = new Uint8Array(await answer.arrayBuffer());
  return { width, height, channels: 3, pixels: Float32Array.from(bytes, (byte) => byte / 255) };
}
