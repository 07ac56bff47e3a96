// The classes' colours and what is written upon them, as JSON: `node colour_facts.mjs MODULES`.
import { pathToFileURL } from "node:url";

const { CLASS_COLOURS, inkOn } = await import(pathToFileURL(`${process.argv[2]}/colours.js`).href);
const inks = Object.fromEntries(Object.entries(CLASS_COLOURS).map(([theme, colours]) => [theme, colours.map(inkOn)]));
console.log(JSON.stringify({ ...CLASS_COLOURS, inks }));
