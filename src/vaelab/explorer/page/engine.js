/**
 * Who decodes and encodes: a worker of this page, this page itself, or the server.
 *
 * All three answer the same questions, and all arrays are float32: latents (count, latent), images (count, pixels) in
 * [0, 1].
 */

import { createTasks } from "./tasks.js";

/**
 * @typedef {object} Engine
 * @property {"worker" | "page" | "server"} place
 * @property {(key: string, file: ArrayBuffer) => Promise<{multiplications: number}>} load multiply-adds of decoding one latent
 * @property {(key: string, latents: Float32Array) => Promise<Float32Array>} decode
 * @property {(key: string, latents: Float32Array) => Float32Array | null} decodeNow the same at once, where that is quick
 * @property {(key: string, images: Float32Array) => Promise<{mean: Float32Array, log_variance?: Float32Array}>} encode
 * @property {(key: string, table: string | null, latents: Float32Array, image: Float32Array,
 *   likelihood: {kind: string, form: string | null, scale?: number}) => Promise<Float32Array>} likelihoods log p(image|z) for each z, nats
 * @property {() => void} close
 */

/**
 * @param {(request: any) => Promise<any>} ask @param {Engine["place"]} place @param {() => void} close
 * @returns {Engine}
 */
function engineFrom(ask, place, close) {
  return {
    place,
    load: (key, file) => ask({ kind: "load", key, file }),
    decode: (key, latents) => ask({ kind: "decode", key, latents }),
    decodeNow: () => null,
    encode: (key, images) => ask({ kind: "encode", key, images }),
    likelihoods: (key, table, latents, image, likelihood) =>
      ask({ kind: "likelihoods", key, table, latents, image, likelihood }),
    close,
  };
}

/**
 * A decoder of at most so many multiply-adds decodes the pointer's latent in the page's own thread. That takes about a
 * millisecond; a worker's answer waits until the page has painted its frame, and so comes one frame late.
 */
const QUICK = 1_000_000;

/**
 * The interpreter in a worker, or in the page where the browser refuses one.
 * @param {string | null} source the worker's whole program @returns {Engine}
 */
export function pageEngine(source) {
  const worker = source ? startWorker(source) : null;
  if (!worker) {
    const handle = createTasks();
    return {
      ...engineFrom(async (request) => handle(request), "page", () => {}),
      decodeNow: (key, latents) => handle({ id: 0, kind: "decode", key, latents }),
    };
  }
  /** @type {Map<number, {resolve: (answer: any) => void, reject: (error: Error) => void}>} */
  const open = new Map();
  let last = 0;
  worker.onmessage = ({ data: { id, answer, error } }) => {
    const waiting = open.get(id);
    open.delete(id);
    if (error) waiting?.reject(new Error(error));
    else waiting?.resolve(answer);
  };
  const far = engineFrom(
    (request) =>
      new Promise((resolve, reject) => {
        open.set(++last, { resolve, reject });
        worker.postMessage({ ...request, id: last });
      }),
    "worker",
    () => worker.terminate(),
  );
  const near = createTasks();
  const quick = new Set();
  return {
    ...far,
    async load(key, file) {
      const { multiplications } = await far.load(key, file);
      if (multiplications > QUICK) return { multiplications };
      near({ id: 0, kind: "load", key, file });
      quick.add(key);
      return { multiplications };
    },
    decodeNow: (key, latents) => (quick.has(key) ? near({ id: 0, kind: "decode", key, latents }) : null),
  };
}

/** @param {string} source */
function startWorker(source) {
  try {
    const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const worker = new Worker(address);
    URL.revokeObjectURL(address);
    return worker;
  } catch {
    return null;
  }
}

const LONGEST_WAIT = 8000;

/**
 * The server's own JAX, over a WebSocket. Frames are a length, a JSON header of that length, and float32 numbers.
 * @param {string} address @param {(connected: boolean) => void} onState @returns {Engine}
 */
export function serverEngine(address, onState) {
  /** @type {WebSocket | null} */
  let socket = null;
  /** @type {Map<number, {resolve: (answer: any) => void, reject: (error: Error) => void}>} */
  const open = new Map();
  /** @type {Promise<WebSocket> | null} */
  let opening = null;
  let last = 0;
  let wait = 250;
  let closed = false;

  function connect() {
    opening ??= new Promise((resolve, reject) => {
      const next = new WebSocket(address);
      next.binaryType = "arraybuffer";
      next.onopen = () => {
        socket = next;
        wait = 250;
        onState(true);
        resolve(next);
      };
      next.onmessage = ({ data }) => {
        const [header, numbers] = readFrame(data);
        const waiting = open.get(header.id);
        open.delete(header.id);
        if (header.error) return waiting?.reject(Object.assign(new Error(header.error), header.changed ? { name: "RunChanged" } : {}));
        waiting?.resolve(splitAnswer(header, numbers));
      };
      next.onclose = () => {
        socket = opening = null;
        for (const { reject: refuse } of open.values()) refuse(new Error("the server does not answer"));
        open.clear();
        reject(new Error("the server does not answer"));
        if (closed) return;
        onState(false);
        setTimeout(() => void connect().catch(() => {}), wait);
        wait = Math.min(2 * wait, LONGEST_WAIT);
      };
    });
    return opening;
  }

  void connect().catch(() => {});

  /** @param {any} request */
  async function ask({ kind, key, latents, images, image, likelihood }) {
    if (kind === "load") return;
    const channel = socket ?? (await connect());
    const numbers = kind === "encode" ? images : latents;
    return new Promise((resolve, reject) => {
      open.set(++last, { resolve, reject });
      const extra = kind === "likelihoods" ? image : new Float32Array(0);
      channel.send(writeFrame({ id: last, kind, key, likelihood, image: extra.length }, numbers, extra));
    });
  }
  return engineFrom(ask, "server", () => {
    closed = true;
    socket?.close();
  });
}

/** @param {object} header @param {Float32Array[]} arrays @returns {ArrayBuffer} */
export function writeFrame(header, ...arrays) {
  let text = JSON.stringify(header);
  while ((text.length + 4) % 4) text += " ";
  const bytes = new TextEncoder().encode(text);
  const count = arrays.reduce((sum, array) => sum + array.length, 0);
  const frame = new ArrayBuffer(4 + bytes.length + 4 * count);
  new DataView(frame).setUint32(0, bytes.length, true);
  new Uint8Array(frame, 4, bytes.length).set(bytes);
  let at = 4 + bytes.length;
  for (const array of arrays) {
    new Float32Array(frame, at, array.length).set(array);
    at += 4 * array.length;
  }
  return frame;
}

/** @param {ArrayBuffer} frame @returns {[any, Float32Array]} */
export function readFrame(frame) {
  const length = new DataView(frame).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(frame, 4, length)));
  return [header, new Float32Array(frame, 4 + length)];
}

/** @param {{arrays?: Record<string, number>}} header @param {Float32Array} numbers */
function splitAnswer(header, numbers) {
  if (!header.arrays) return numbers;
  /** @type {Record<string, Float32Array>} */
  const answer = {};
  let at = 0;
  for (const [name, size] of Object.entries(header.arrays)) {
    answer[name] = numbers.subarray(at, at + size);
    at += size;
  }
  return answer;
}
