// Runs operation graphs by the page's own interpreter: `node run_graph.mjs MODULES FOLDER`, jobs in FOLDER/jobs.json.
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [modules, folder] = process.argv.slice(2);
const { compile } = await import(pathToFileURL(`${modules}/interpreter.js`).href);
const { readSafetensors } = await import(pathToFileURL(`${modules}/safetensors.js`).href);

const bytes = (path) => new Uint8Array(readFileSync(path)).slice().buffer;
for (const { weights, part, input, count, output } of JSON.parse(readFileSync(`${folder}/jobs.json`, "utf8"))) {
  const { metadata, tensors } = readSafetensors(bytes(`${folder}/${weights}`));
  const program = compile(JSON.parse(metadata.graph)[part], tensors);
  const outputs = program.run(new Float32Array(bytes(`${folder}/${input}`)), count);
  for (const [name, values] of Object.entries(outputs)) writeFileSync(`${folder}/${output}.${name}`, new Uint8Array(values.buffer));
}
