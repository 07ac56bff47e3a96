/**
 * The operation graph of a model file, run on float32 arrays.
 *
 * A graph is data: a list of operations by name, with the names of the values they read and write. What it means
 * stands in docs/design.md, "Operation graph". `compile` checks every shape once; `run` then only multiplies.
 */

/** @typedef {import("./safetensors.js").Tensor} Tensor */
/** @typedef {{op: string, output: string, [field: string]: any}} Operation */
/** @typedef {{input: {name: string, shape: number[]}, nodes: Operation[], outputs: Record<string, string>}} Graph */
/** @typedef {(values: Map<string, Float32Array>, count: number) => void} Step */
/**
 * @typedef {object} Program
 * @property {number} inputSize numbers in one example
 * @property {Record<string, number[]>} outputShapes
 * @property {number} multiplications multiply-adds for one example
 * @property {(input: Float32Array, count: number, wanted?: Record<string, string>) => Record<string, Float32Array>} run
 */

/** @type {Record<string, (x: number) => number>} */
export const ACTIVATIONS = {
  relu: (x) => (x > 0 ? x : 0),
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  // The mean of a continuous Bernoulli with logit x (Loaiza-Ganem & Cunningham 2019, eq. 8), by series near zero.
  "continuous-bernoulli-mean": (x) =>
    Math.abs(x) < 1e-2 ? 0.5 + x / 12 - (x * x * x) / 720 : 1 / (1 - Math.exp(-x)) - 1 / x,
};

/**
 * The mean of a logistic whose mass outside of [0, 1] lies on its ends (`densities/levels.py`).
 * @param {number} mean @param {number} logScale
 */
function clippedLogisticMean(mean, logScale) {
  const scale = Math.exp(logScale);
  return scale * (ACTIVATIONS.softplus(mean / scale) - ACTIVATIONS.softplus((mean - 1) / scale));
}

const KNOWN = ["dense", "add", "multiply", "affine", "clip", "activation", "reshape", "convolution", "depth-to-space"].concat(
  ["transposed-convolution", "space-to-depth", "group-norm", "crop", "clipped-logistic-mean"],
);

/**
 * Why this page cannot run a graph, or null where it can.
 * @param {Graph} graph @returns {string | null}
 */
export function unknownOperation(graph) {
  for (const node of graph.nodes) {
    if (!KNOWN.includes(node.op)) return node.op;
    if (node.op === "activation" && !(node.kind in ACTIVATIONS)) return `activation ${node.kind}`;
  }
  return null;
}

/** @param {number[]} shape */
const sizeOf = (shape) => shape.reduce((product, axis) => product * axis, 1);

/**
 * @param {Graph} graph
 * @param {Map<string, Tensor>} tensors
 * @returns {Program}
 */
export function compile(graph, tensors) {
  const unknown = unknownOperation(graph);
  if (unknown) throw new Error(`this page does not know the operation '${unknown}'`);
  /** @type {Map<string, number[]>} */
  const shapes = new Map([[graph.input.name, graph.input.shape]]);
  /** @type {Step[]} */
  const steps = [];
  let multiplications = 0;

  /** @param {string} name */
  const shapeOf = (name) => {
    const shape = shapes.get(name);
    if (!shape) throw new Error(`the operation graph reads '${name}' before it is written`);
    return shape;
  };
  /** @param {string} name */
  const weightOf = (name) => {
    const tensor = tensors.get(name);
    if (!tensor) throw new Error(`the model file has no tensor '${name}'`);
    if (!(tensor.data instanceof Float32Array)) throw new Error(`tensor '${name}' is not float32`);
    return { shape: tensor.shape, data: tensor.data };
  };

  for (const node of graph.nodes) {
    const built = build(node, shapeOf, weightOf);
    shapes.set(node.output, built.shape);
    steps.push(built.step);
    multiplications += built.multiplications ?? 0;
  }

  const inputSize = sizeOf(graph.input.shape);
  /** @type {Record<string, number[]>} */
  const outputShapes = {};
  for (const [name, value] of Object.entries(graph.outputs)) outputShapes[name] = shapeOf(value);

  return {
    inputSize,
    outputShapes,
    multiplications,
    run(input, count, wanted = graph.outputs) {
      if (input.length !== count * inputSize) {
        throw new Error(`${count} examples of ${inputSize} numbers were expected; ${input.length} numbers came`);
      }
      const values = new Map([[graph.input.name, input]]);
      for (const step of steps) step(values, count);
      /** @type {Record<string, Float32Array>} */
      const outputs = {};
      for (const [name, value] of Object.entries(wanted)) {
        const found = values.get(value);
        if (!found) throw new Error(`the operation graph has no value '${value}'`);
        outputs[name] = found;
      }
      return outputs;
    },
  };
}

/**
 * The value that the last activation before an output reads (its logits), and which activation that is.
 * @param {Graph} graph @param {string} output @returns {{value: string, kind: string} | null}
 */
export function beforeActivation(graph, output) {
  let value = graph.outputs[output];
  for (let index = graph.nodes.length - 1; index >= 0; index--) {
    const node = graph.nodes[index];
    if (node.output !== value) continue;
    if (node.op === "reshape") value = node.input;
    else if (node.op === "clipped-logistic-mean" && node.input) return { value: node.input, kind: node.op };
    else return node.op === "activation" ? { value: node.input, kind: node.kind } : null;
  }
  return null;
}

/**
 * @param {Operation} node
 * @param {(name: string) => number[]} shapeOf
 * @param {(name: string) => {shape: number[], data: Float32Array}} weightOf
 * @returns {{shape: number[], step: Step, multiplications?: number}}
 */
function build(node, shapeOf, weightOf) {
  switch (node.op) {
    case "dense":
      return buildDense(node, shapeOf(node.input), weightOf(node.weight), node.bias ? weightOf(node.bias) : null);
    case "add":
      return buildPair(node, shapeOf(node.inputs[0]), shapeOf(node.inputs[1]), (a, b) => a + b);
    case "multiply":
      return buildPair(node, shapeOf(node.inputs[0]), shapeOf(node.inputs[1]), (a, b) => a * b);
    case "clipped-logistic-mean":
      return node.inputs
        ? buildPair(node, shapeOf(node.inputs[0]), shapeOf(node.inputs[1]), clippedLogisticMean)
        : buildEach(node, shapeOf(node.input), ((logScale) => (x) => clippedLogisticMean(x, logScale))(weightOf(node.weight).data[0]));
    case "affine":
      return buildEach(node, shapeOf(node.input), (x) => x * node.scale + node.shift);
    case "clip":
      return buildEach(node, shapeOf(node.input), (x) => Math.min(Math.max(x, node.low), node.high));
    case "activation":
      return buildEach(node, shapeOf(node.input), ACTIVATIONS[node.kind]);
    case "reshape":
      return buildReshape(node, shapeOf(node.input));
    case "convolution":
      return buildConvolution(node, shapeOf(node.input), weightOf(node.weight), node.bias ? weightOf(node.bias) : null);
    case "transposed-convolution":
      return buildTransposed(node, shapeOf(node.input), weightOf(node.weight), node.bias ? weightOf(node.bias) : null);
    case "space-to-depth":
      return buildSpaceToDepth(node, shapeOf(node.input));
    case "group-norm":
      return buildGroupNorm(node, shapeOf(node.input), weightOf(node.weight).data, weightOf(node.bias).data);
    case "crop":
      return buildCrop(node, shapeOf(node.input));
    default:
      return buildDepthToSpace(node, shapeOf(node.input));
  }
}

/** @param {Map<string, Float32Array>} values @param {string} name */
const read = (values, name) => /** @type {Float32Array} */ (values.get(name));

/**
 * @param {Operation} node @param {number[]} shape @param {(x: number) => number} apply
 * @returns {{shape: number[], step: Step}}
 */
function buildEach(node, shape, apply) {
  return {
    shape,
    step(values) {
      const input = read(values, node.input);
      const output = new Float32Array(input.length);
      for (let index = 0; index < input.length; index++) output[index] = apply(input[index]);
      values.set(node.output, output);
    },
  };
}

/**
 * @param {Operation} node @param {number[]} left @param {number[]} right @param {(a: number, b: number) => number} apply
 * @returns {{shape: number[], step: Step}}
 */
function buildPair(node, left, right, apply) {
  if (sizeOf(left) !== sizeOf(right)) throw new Error(`'${node.op}' of shapes ${left} and ${right}`);
  return {
    shape: left,
    step(values) {
      const a = read(values, node.inputs[0]);
      const b = read(values, node.inputs[1]);
      const output = new Float32Array(a.length);
      for (let index = 0; index < a.length; index++) output[index] = apply(a[index], b[index]);
      values.set(node.output, output);
    },
  };
}

/** @param {Operation} node @param {number[]} shape @returns {{shape: number[], step: Step}} */
function buildReshape(node, shape) {
  if (sizeOf(node.shape) !== sizeOf(shape)) throw new Error(`a reshape of ${shape} to ${node.shape}`);
  return { shape: node.shape, step: (values) => void values.set(node.output, read(values, node.input)) };
}

/**
 * Of all numbers or, of a map that has more, at each of its places along the last axis.
 * @param {Operation} node @param {number[]} shape
 * @param {{shape: number[], data: Float32Array}} weight @param {{data: Float32Array} | null} bias
 */
function buildDense(node, shape, weight, bias) {
  const [rows, columns] = weight.shape;
  const places = sizeOf(shape) / rows;
  if (places !== 1 && shape[shape.length - 1] !== rows) throw new Error(`'${node.weight}' takes ${rows} numbers; ${shape} came`);
  return {
    shape: places === 1 ? [columns] : [...shape.slice(0, -1), columns],
    multiplications: places * rows * columns,
    /** @type {Step} */
    step(values, count) {
      const output = new Float32Array(count * places * columns);
      if (bias) for (let n = 0; n < count * places; n++) output.set(bias.data, n * columns);
      multiply(read(values, node.input), weight.data, output, count * places, rows, columns);
      values.set(node.output, output);
    },
  };
}

/**
 * output += input @ weight, four examples at a time, so that a row of the weight is read once for four.
 * @param {Float32Array} input (count, rows) @param {Float32Array} weight (rows, columns)
 * @param {Float32Array} output (count, columns)
 * @param {number} count @param {number} rows @param {number} columns
 */
function multiply(input, weight, output, count, rows, columns) {
  if (count >= 4 && columns >= 4) return multiplyByTiles(input, weight, output, count, rows, columns);
  let n = 0;
  for (; n + 4 <= count; n += 4) {
    const out0 = output.subarray(n * columns, (n + 1) * columns);
    const out1 = output.subarray((n + 1) * columns, (n + 2) * columns);
    const out2 = output.subarray((n + 2) * columns, (n + 3) * columns);
    const out3 = output.subarray((n + 3) * columns, (n + 4) * columns);
    for (let row = 0; row < rows; row++) {
      const x0 = input[n * rows + row];
      const x1 = input[(n + 1) * rows + row];
      const x2 = input[(n + 2) * rows + row];
      const x3 = input[(n + 3) * rows + row];
      // Half of a ReLU's outputs and most pixels of a digit are zero.
      if (x0 === 0 && x1 === 0 && x2 === 0 && x3 === 0) continue;
      const start = row * columns;
      for (let column = 0; column < columns; column++) {
        const w = weight[start + column];
        out0[column] += x0 * w;
        out1[column] += x1 * w;
        out2[column] += x2 * w;
        out3[column] += x3 * w;
      }
    }
  }
  for (; n < count; n++) {
    const out = output.subarray(n * columns, (n + 1) * columns);
    for (let row = 0; row < rows; row++) {
      const x = input[n * rows + row];
      if (x === 0) continue;
      const start = row * columns;
      for (let column = 0; column < columns; column++) out[column] += x * weight[start + column];
    }
  }
}

/**
 * The same by squares of 4 x 4 numbers of the output, which stay in registers while a column of the input and a row of the weight
 * are read: two numbers read for a product of four.
 * @param {Float32Array} input @param {Float32Array} weight @param {Float32Array} output
 * @param {number} count @param {number} rows @param {number} columns
 */
function multiplyByTiles(input, weight, output, count, rows, columns) {
  const wide = columns - (columns % 4);
  const tall = count - (count % 4);
  for (let column = 0; column < wide; column += 4) {
    for (let n = 0; n < tall; n += 4) {
      let a0 = 0, a1 = 0, a2 = 0, a3 = 0, b0 = 0, b1 = 0, b2 = 0, b3 = 0;
      let c0 = 0, c1 = 0, c2 = 0, c3 = 0, d0 = 0, d1 = 0, d2 = 0, d3 = 0;
      let a = n * rows, b = a + rows, c = b + rows, d = c + rows;
      for (let row = 0, at = column; row < rows; row++, at += columns, a++, b++, c++, d++) {
        const w0 = weight[at], w1 = weight[at + 1], w2 = weight[at + 2], w3 = weight[at + 3];
        const xa = input[a], xb = input[b], xc = input[c], xd = input[d];
        a0 += xa * w0; a1 += xa * w1; a2 += xa * w2; a3 += xa * w3;
        b0 += xb * w0; b1 += xb * w1; b2 += xb * w2; b3 += xb * w3;
        c0 += xc * w0; c1 += xc * w1; c2 += xc * w2; c3 += xc * w3;
        d0 += xd * w0; d1 += xd * w1; d2 += xd * w2; d3 += xd * w3;
      }
      let at = n * columns + column;
      output[at] += a0; output[at + 1] += a1; output[at + 2] += a2; output[at + 3] += a3;
      at += columns;
      output[at] += b0; output[at + 1] += b1; output[at + 2] += b2; output[at + 3] += b3;
      at += columns;
      output[at] += c0; output[at + 1] += c1; output[at + 2] += c2; output[at + 3] += c3;
      at += columns;
      output[at] += d0; output[at + 1] += d1; output[at + 2] += d2; output[at + 3] += d3;
    }
  }
  for (let n = 0; n < count; n++) {
    for (let column = n < tall ? wide : 0; column < columns; column++) {
      let sum = 0;
      for (let row = 0; row < rows; row++) sum += input[n * rows + row] * weight[row * columns + column];
      output[n * columns + column] += sum;
    }
  }
}

/**
 * A convolution as a gather of patches and one matrix product.
 * `stride` is a number or [down, across]; `padding` a number or [[top, bottom], [left, right]].
 * @param {Operation} node @param {number[]} shape
 * @param {{shape: number[], data: Float32Array}} weight @param {{data: Float32Array} | null} bias
 */
function buildConvolution(node, shape, weight, bias) {
  const [height, width, channels] = shape;
  const [tall, wide, inputs, filters] = weight.shape;
  if (shape.length !== 3 || channels !== inputs) throw new Error(`'${node.weight}' on an image of shape ${shape}`);
  const [down, across] = Array.isArray(node.stride) ? node.stride : [node.stride ?? 1, node.stride ?? 1];
  const padding = node.padding ?? 0;
  const [[top, bottom], [left, right]] = Array.isArray(padding)
    ? padding
    : [
        [padding, padding],
        [padding, padding],
      ];
  const rows = Math.floor((height + top + bottom - tall) / down) + 1;
  const columns = Math.floor((width + left + right - wide) / across) + 1;
  const patch = tall * wide * channels;
  return {
    shape: [rows, columns, filters],
    multiplications: rows * columns * patch * filters,
    /** @type {Step} */
    step(values, count) {
      const input = read(values, node.input);
      const patches = new Float32Array(rows * columns * patch);
      const output = new Float32Array(count * rows * columns * filters);
      for (let n = 0; n < count; n++) {
        const image = input.subarray(n * height * width * channels, (n + 1) * height * width * channels);
        patches.fill(0);
        let place = 0;
        for (let row = 0; row < rows; row++) {
          for (let column = 0; column < columns; column++) {
            for (let y = row * down - top, dy = 0; dy < tall; dy++, y++) {
              for (let x = column * across - left, dx = 0; dx < wide; dx++, x++, place += channels) {
                if (y < 0 || y >= height || x < 0 || x >= width) continue;
                const from = (y * width + x) * channels;
                for (let channel = 0; channel < channels; channel++) patches[place + channel] = image[from + channel];
              }
            }
          }
        }
        const out = output.subarray(n * rows * columns * filters, (n + 1) * rows * columns * filters);
        if (bias) for (let spot = 0; spot < rows * columns; spot++) out.set(bias.data, spot * filters);
        multiply(patches, weight.data, out, rows * columns, patch, filters);
      }
      values.set(node.output, output);
    },
  };
}

/** @param {Operation} node @param {number[]} shape @returns {{shape: number[], step: Step}} */
function buildDepthToSpace(node, shape) {
  const [height, width, depth] = shape;
  const { block } = node;
  const channels = depth / (block * block);
  if (!Number.isInteger(channels)) throw new Error(`depth-to-space of ${depth} channels by blocks of ${block}`);
  return {
    shape: [height * block, width * block, channels],
    step(values, count) {
      const input = read(values, node.input);
      const output = new Float32Array(input.length);
      let from = 0;
      for (let n = 0; n < count; n++) {
        for (let y = 0; y < height; y++) {
          for (let x = 0; x < width; x++) {
            // Channels of the input are ordered (channel, row in block, column in block), as (H, W, C b b) says.
            for (let channel = 0; channel < channels; channel++) {
              for (let dy = 0; dy < block; dy++) {
                for (let dx = 0; dx < block; dx++, from++) {
                  const row = n * height * block + y * block + dy;
                  output[(row * width * block + x * block + dx) * channels + channel] = input[from];
                }
              }
            }
          }
        }
      }
      values.set(node.output, output);
    },
  };
}

/**
 * y[k, l] = sum over i, j of x[i, j] W[k + top - stride i, l + left - stride j], for k, l below `size`: at each place of the map a product
 * with all of the weight, and its squares added up where they lie.
 * @param {Operation} node @param {number[]} shape
 * @param {{shape: number[], data: Float32Array}} weight @param {{data: Float32Array} | null} bias
 */
function buildTransposed(node, shape, weight, bias) {
  const [height, width, channels] = shape;
  const [tall, wide, inputs, filters] = weight.shape;
  if (shape.length !== 3 || channels !== inputs) throw new Error(`'${node.weight}' on a map of shape ${shape}`);
  const [down, across] = node.stride;
  const [top, left] = node.crop;
  const [rows, columns] = node.size;
  const square = tall * wide * filters;
  // (rows, columns, in, out) as (in, rows * columns * out): one product for all places of the weight
  const turned = new Float32Array(channels * square);
  for (let place = 0; place < tall * wide; place++) {
    for (let channel = 0; channel < channels; channel++) {
      const from = (place * channels + channel) * filters;
      turned.set(weight.data.subarray(from, from + filters), channel * square + place * filters);
    }
  }
  return {
    shape: [rows, columns, filters],
    multiplications: height * width * channels * square,
    /** @type {Step} */
    step(values, count) {
      const input = read(values, node.input);
      const output = new Float32Array(count * rows * columns * filters);
      const squares = new Float32Array(height * width * square);
      for (let n = 0; n < count; n++) {
        const out = output.subarray(n * rows * columns * filters, (n + 1) * rows * columns * filters);
        if (bias) for (let spot = 0; spot < rows * columns; spot++) out.set(bias.data, spot * filters);
        squares.fill(0);
        const map = input.subarray(n * height * width * channels, (n + 1) * height * width * channels);
        multiply(map, turned, squares, height * width, channels, square);
        let from = 0;
        for (let i = 0; i < height; i++) {
          for (let j = 0; j < width; j++) {
            for (let k = i * down - top, dy = 0; dy < tall; dy++, k++) {
              for (let l = j * across - left, dx = 0; dx < wide; dx++, l++, from += filters) {
                if (k < 0 || k >= rows || l < 0 || l >= columns) continue;
                const to = (k * columns + l) * filters;
                for (let filter = 0; filter < filters; filter++) out[to + filter] += squares[from + filter];
              }
            }
          }
        }
      }
      values.set(node.output, output);
    },
  };
}

/**
 * Squares as channels, (channel, row in block, column in block); zeros below and on the right where a side is no multiple.
 * @param {Operation} node @param {number[]} shape @returns {{shape: number[], step: Step}}
 */
function buildSpaceToDepth(node, shape) {
  const [height, width, channels] = shape;
  const { block } = node;
  const rows = Math.ceil(height / block);
  const columns = Math.ceil(width / block);
  const depth = channels * block * block;
  return {
    shape: [rows, columns, depth],
    step(values, count) {
      const input = read(values, node.input);
      const output = new Float32Array(count * rows * columns * depth);
      let from = 0;
      for (let n = 0; n < count; n++) {
        for (let y = 0; y < height; y++) {
          for (let x = 0; x < width; x++) {
            const spot = (n * rows + Math.floor(y / block)) * columns + Math.floor(x / block);
            const place = (y % block) * block + (x % block);
            for (let channel = 0; channel < channels; channel++, from++) {
              output[spot * depth + channel * block * block + place] = input[from];
            }
          }
        }
      }
      values.set(node.output, output);
    },
  };
}

/**
 * (x - mean) / sqrt(variance + 1e-5) * weight + bias, over all places and a group of channels.
 * @param {Operation} node @param {number[]} shape @param {Float32Array} weight @param {Float32Array} bias
 * @returns {{shape: number[], step: Step}}
 */
function buildGroupNorm(node, shape, weight, bias) {
  const channels = shape[shape.length - 1];
  const { group } = node;
  const places = sizeOf(shape) / channels;
  if (channels % group !== 0) throw new Error(`groups of ${group} among ${channels} channels`);
  return {
    shape,
    step(values, count) {
      const input = read(values, node.input);
      const output = new Float32Array(input.length);
      for (let n = 0; n < count; n++) {
        const start = n * places * channels;
        for (let first = 0; first < channels; first += group) {
          let sum = 0;
          for (let place = 0; place < places; place++) {
            for (let channel = first; channel < first + group; channel++) sum += input[start + place * channels + channel];
          }
          const mean = sum / (places * group);
          let squares = 0;
          for (let place = 0; place < places; place++) {
            for (let channel = first; channel < first + group; channel++) {
              squares += (input[start + place * channels + channel] - mean) ** 2;
            }
          }
          const scale = 1 / Math.sqrt(squares / (places * group) + 1e-5);
          for (let place = 0; place < places; place++) {
            for (let channel = first; channel < first + group; channel++) {
              const at = start + place * channels + channel;
              output[at] = (input[at] - mean) * scale * weight[channel] + bias[channel];
            }
          }
        }
      }
      values.set(node.output, output);
    },
  };
}

/** The first rows and columns of a map. @param {Operation} node @param {number[]} shape @returns {{shape: number[], step: Step}} */
function buildCrop(node, shape) {
  const [height, width, channels] = shape;
  const [rows, columns] = node.size;
  return {
    shape: [rows, columns, channels],
    step(values, count) {
      const input = read(values, node.input);
      const output = new Float32Array(count * rows * columns * channels);
      for (let n = 0; n < count; n++) {
        for (let row = 0; row < rows; row++) {
          const from = (n * height + row) * width * channels;
          output.set(input.subarray(from, from + columns * channels), (n * rows + row) * columns * channels);
        }
      }
      values.set(node.output, output);
    },
  };
}
