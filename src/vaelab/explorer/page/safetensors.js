/**
 * Named arrays in one file: the safetensors format, read with care.
 *
 * Eight bytes of header length, a JSON header, then the numbers. Half precision is widened to single, so that
 * everything behind this file sees Float32Array (or integers).
 */

/** @typedef {{dtype: string, shape: number[], data: Float32Array | Float64Array | Uint8Array | Int32Array}} Tensor */
/** @typedef {{metadata: Record<string, string>, tensors: Map<string, Tensor>}} TensorFile */

const LARGEST_HEADER = 100 * 1024 * 1024;

/** @type {Record<string, number>} */
const BYTES = { F16: 2, F32: 4, F64: 8, U8: 1, I8: 1, I32: 4, I64: 8 };

/**
 * @param {ArrayBuffer | Uint8Array | DataView} source a whole file
 * @returns {TensorFile}
 */
export function readSafetensors(source) {
  const bytes = asBytes(source);
  if (bytes.byteLength < 8) throw new Error("not a safetensors file: shorter than its own header");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = Number(view.getBigUint64(0, true));
  if (headerLength > LARGEST_HEADER || 8 + headerLength > bytes.byteLength) {
    throw new Error("not a safetensors file, or cut short: its header does not fit");
  }
  const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, 8 + headerLength));
  const header = JSON.parse(text);
  const body = bytes.subarray(8 + headerLength);
  const tensors = new Map();
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    tensors.set(name, readTensor(name, entry, body));
  }
  return { metadata: header.__metadata__ ?? {}, tensors };
}

/**
 * @param {string} name
 * @param {{dtype: string, shape: number[], data_offsets: [number, number]}} entry
 * @param {Uint8Array} body
 * @returns {Tensor}
 */
function readTensor(name, { dtype, shape, data_offsets: [start, end] }, body) {
  const size = shape.reduce((product, axis) => product * axis, 1);
  if (!(dtype in BYTES)) throw new Error(`tensor '${name}' has the type ${dtype}, which this page does not read`);
  if (end - start !== size * BYTES[dtype] || end > body.byteLength) {
    throw new Error(`tensor '${name}' is cut short`);
  }
  // A copy, because a typed array must start at a multiple of its element size and a tensor in a file need not.
  const raw = body.slice(start, end).buffer;
  if (dtype === "F16") return { dtype, shape, data: widen(new Uint16Array(raw)) };
  if (dtype === "F32") return { dtype, shape, data: new Float32Array(raw) };
  if (dtype === "F64") return { dtype, shape, data: new Float64Array(raw) };
  if (dtype === "U8") return { dtype, shape, data: new Uint8Array(raw) };
  if (dtype === "I32") return { dtype, shape, data: new Int32Array(raw) };
  if (dtype === "I8") return { dtype, shape, data: Int32Array.from(new Int8Array(raw)) };
  return { dtype, shape, data: Int32Array.from(new BigInt64Array(raw), Number) };
}

/** @param {ArrayBuffer | Uint8Array | DataView} source @returns {Uint8Array} */
function asBytes(source) {
  if (source instanceof Uint8Array) return source;
  if (source instanceof DataView) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  return new Uint8Array(source);
}

/** @type {Float32Array | null} */
let halves = null;

/**
 * IEEE half precision to single, through a table of all 65,536 values.
 * @param {Uint16Array} bits @returns {Float32Array}
 */
export function widen(bits) {
  if (!halves) {
    halves = new Float32Array(65536);
    for (let value = 0; value < 65536; value++) {
      const sign = value & 0x8000 ? -1 : 1;
      const exponent = (value >> 10) & 0x1f;
      const fraction = value & 0x3ff;
      if (exponent === 0) halves[value] = sign * fraction * 2 ** -24;
      else if (exponent === 31) halves[value] = fraction ? NaN : sign * Infinity;
      else halves[value] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
    }
  }
  const wide = new Float32Array(bits.length);
  for (let index = 0; index < bits.length; index++) wide[index] = halves[bits[index]];
  return wide;
}

/**
 * The name of the first tensor that holds a number which is not finite, or null.
 * @param {Map<string, Tensor>} tensors @returns {string | null}
 */
export function firstNotFinite(tensors) {
  for (const [name, { data }] of tensors) {
    for (let index = 0; index < data.length; index++) if (!Number.isFinite(data[index])) return name;
  }
  return null;
}
