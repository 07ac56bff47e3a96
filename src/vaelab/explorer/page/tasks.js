/**
 * What the worker does when asked: load weights, decode, encode, weigh an image's likelihood over a table of latents.
 *
 * The same function serves a worker and, where a browser refuses workers, the page itself.
 */

import { likelihoodConstants, logLikelihoods } from "./densities.js";
import { beforeActivation, compile } from "./interpreter.js";
import { firstNotFinite, readSafetensors } from "./safetensors.js";

/** @typedef {import("./interpreter.js").Program} Program */
/** @typedef {{decoder: Program, encoder: Program | null, natural: string | null}} Loaded */
/** @typedef {{id: number, kind: string, key: string, [field: string]: any}} Request */

const BATCH = 32;

/** @returns {(request: Request) => any} */
export function createTasks() {
  /** @type {Map<string, Loaded>} */
  const models = new Map();
  /** @type {Map<string, {natural: Float32Array, constants: Float32Array}>} */
  const tables = new Map();

  /** @param {string} key */
  function modelOf(key) {
    const model = models.get(key);
    if (!model) throw new Error(`the weights of '${key}' are not loaded`);
    return model;
  }

  /** @param {Program} program @param {Float32Array} input @param {Record<string, string>} [wanted] */
  function inBatches(program, input, wanted) {
    const count = input.length / program.inputSize;
    if (count <= BATCH) return program.run(input, count, wanted);
    /** @type {Record<string, Float32Array>} */
    const whole = {};
    for (let start = 0; start < count; start += BATCH) {
      const size = Math.min(BATCH, count - start);
      const part = input.subarray(start * program.inputSize, (start + size) * program.inputSize);
      for (const [name, values] of Object.entries(program.run(part, size, wanted))) {
        whole[name] ??= new Float32Array((values.length / size) * count);
        whole[name].set(values, (values.length / size) * start);
      }
    }
    return whole;
  }

  return function handle(request) {
    if (request.kind === "load") {
      const { metadata, tensors } = readSafetensors(request.file);
      if (!metadata.graph) throw new Error("the weights carry no operation graph");
      const damaged = firstNotFinite(tensors);
      if (damaged) throw new Error(`the weights hold a NaN or an infinity, first in '${damaged}'`);
      const graph = JSON.parse(metadata.graph);
      const logits = beforeActivation(graph.decoder, "mean");
      models.set(request.key, {
        decoder: compile(graph.decoder, tensors),
        encoder: graph.encoder ? compile(graph.encoder, tensors) : null,
        natural: logits ? logits.value : graph.decoder.outputs.mean,
      });
      return { multiplications: modelOf(request.key).decoder.multiplications };
    }
    const model = modelOf(request.key);
    if (request.kind === "decode") return inBatches(model.decoder, request.latents).mean;
    if (request.kind === "encode") {
      if (!model.encoder) throw new Error("these weights hold no encoder");
      return inBatches(model.encoder, request.images);
    }
    if (request.kind === "likelihoods") {
      const name = request.table && `${request.key}/${request.table}`;
      let table = name ? tables.get(name) : undefined;
      if (!table) {
        const wanted = { natural: /** @type {string} */ (model.natural) };
        const { natural } = inBatches(model.decoder, request.latents, wanted);
        table = { natural, constants: likelihoodConstants(natural, request.image.length, request.likelihood) };
        if (name) tables.set(name, table);
      }
      return logLikelihoods(request.image, table.natural, request.likelihood, table.constants);
    }
    throw new Error(`no task is called '${request.kind}'`);
  };
}
