// What the page's modules compute, as JSON, for Python to check: `node page_facts.mjs MODULES FOLDER`.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [modules, folder] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(`${modules}/${name}.js`).href);
const given = JSON.parse(readFileSync(`${folder}/given.json`, "utf8"));
const [densities, plane, digit, lasso, path, link, pictures, contours, pane, texts, elbo, dom] = await Promise.all(
  ["densities", "plane", "digit", "lasso", "path", "link", "open-picture", "contours", "pane", "texts", "elbo", "dom"].map(load),
);
const { widen, readSafetensors } = await load("safetensors");
const flat = (rows) => Float32Array.from(rows.flat(3));

const facts = {};
const { mixture, points } = given;
facts.mixture = points.map((z) =>
  densities.mixtureLogProb(
    { count: mixture.means.length, size: 2, logWeights: flat(mixture.logWeights), means: flat(mixture.means), factors: flat(mixture.factors), diagonal: false },
    z,
  ),
);
facts.aggregate = points.map((z) => densities.surroundings(z, flat(given.means), flat(given.logVariances)));
facts.without = points.map((z) => densities.surroundings(z, flat(given.means), flat(given.logVariances), 3).logDensity);
const field = densities.emptyField({ left: -6, right: 6, bottom: -6, top: 6 }, 240, 240);
const whole = plane.pairPlane(2, 0, 1);
densities.fillMixture(field, flat(given.means), plane.projectVariances(whole, flat(given.logVariances)));
facts.field = points.map(([x, y]) => densities.fieldAt(field, x, y));
facts.mass = field.values.reduce((sum, value) => sum + Math.exp(value), 0) * (12 / 240) ** 2;
const gaussian = densities.emptyField({ left: -6, right: 6, bottom: -6, top: 6 }, 240, 240);
densities.fillMixture(gaussian, new Float32Array(2), Float32Array.from([1, 0, 1]));
const levels = contours.massLevels(gaussian, pane.SIGMA_SHARES);
facts.contours = levels.map((level) =>
  contours.contour(gaussian, level).map(({ points, closed }) => {
    const radii = points.map(([x, y]) => Math.hypot(x, y));
    const steps = points.slice(1).map(([x, y], i) => Math.hypot(x - points[i][0], y - points[i][1]));
    return { closed, radii: [Math.min(...radii), Math.max(...radii)], longest: Math.max(...steps), length: steps.reduce((sum, step) => sum + step, 0) };
  }),
);
const slope = densities.emptyField({ left: -1, right: 1, bottom: -1, top: 1 }, 20, 20);
slope.values.set(slope.values.map((_, cell) => cell % 20));
facts.openLine = contours.contour(slope, 9.5).map(({ points, closed }) => ({ closed, count: points.length }));
facts.hermite = [1, 2, 5, 20, 48].map(elbo.gaussHermite);
facts.numbers = [0, -1.234, 999999, -1e6, -812231904995.03, 3e-9, NaN, -Infinity].map((value) => dom.number(value));

facts.likelihoods = Object.fromEntries(
  given.likelihoods.map((likelihood) => {
    const natural = flat(given.natural);
    const constants = densities.likelihoodConstants(natural, given.image.length, likelihood);
    return [likelihood.kind, Array.from(densities.logLikelihoods(flat(given.image), natural, likelihood, constants))];
  }),
);

const tilted = plane.planeThrough([1, 2, 3, 4], [2, 2, 3, 5], [0, 1, 1, 1]);
facts.plane = {
  inside: [[1, 2, 3, 4], [2, 2, 3, 5], [0, 1, 1, 1]].map((z) => Array.from(plane.lift(tilted, ...plane.project(tilted, z)))),
  lengths: [plane.dot(tilted.u, tilted.u), plane.dot(tilted.v, tilted.v), plane.dot(tilted.u, tilted.v)],
  line: plane.planeThrough([0, 0, 0], [1, 1, 1], [2, 2, 2]),
};
const principal = plane.principalPlane(flat(given.cloud), 3);
facts.principal = { u: Array.from(principal.u), v: Array.from(principal.v) };
facts.ellipse = plane.ellipseOf(4, 0, 1);

facts.digits = given.drawings.map(({ width, height, pixels }) =>
  Array.from(digit.normaliseDigit({ width, height, channels: 1, pixels: flat(pixels) }, 28, 28) ?? []),
);
facts.lasso = Array.from(lasso.indicesInside([[0, 0], [4, 0], [4, 4], [2, 1], [0, 4]], flat(given.spots)));
facts.paths = ["straight", "spherical"].map((kind) => [0, 0.25, 1].map((t) => Array.from(path.between([2, 0], [0, 2], t, kind))));
facts.opposite = Array.from(path.between([1, 0], [-1, 0], 0.5, "spherical"));
facts.link = link.readLink(link.writeLink({ image: 12, layers: ["points", "holes"], tab: "sample", lang: "zh", theme: "dark", prior: "mixture 50", epoch: 3 }));
facts.badLink = link.readLink("#z=1,zwei&image=-3&tab=nowhere&lang=fr&epoch=x");
facts.halves = Array.from(widen(Uint16Array.from(given.halves)));
facts.sizes = given.headers.map((text) => pictures.sizeInHeader(Uint8Array.from(Buffer.from(text, "base64"))));
facts.rank = [-1, 0, 0.5, 2.5, 9].map((value) => pane.rank([0, 1, 2, 3, 4], value));
facts.refusals = given.damaged.map((text) => {
  try {
    readSafetensors(Uint8Array.from(Buffer.from(text, "base64")));
    return "";
  } catch (error) {
    return error.message;
  }
});
const keys = (value, prefix = "") =>
  Object.entries(value).flatMap(([key, inner]) => (typeof inner === "object" ? keys(inner, `${prefix}${key}.`) : [prefix + key]));
facts.texts = { en: keys(texts.textsFor("en")), zh: keys(texts.textsFor("zh")) };
facts.chinese = Object.values(texts.textsFor("zh")).filter((text) => typeof text === "string" && !/[\u4e00-\u9fff]/.test(text));
console.log(JSON.stringify(facts));
