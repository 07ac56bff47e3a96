/** From one pinned point to another: a strip of pictures, and the norm and densities along the way. */

import { button, element, number, select } from "../dom.js";
import { newestWins } from "../latest.js";
import { between, norm } from "../path.js";
import { writeLatent } from "../readout.js";
import { joined, pictureButton, rowsOf } from "./pictures.js";

const PICTURES = 11;
const STATIONS = 61;

/** @param {import("../explorer.js").Explorer} explorer @param {import("../frame.js").Scope} scope */
export function buildInterpolate(explorer, scope) {
  const { texts: t, store } = explorer;
  const strip = element("div.vx-strip");
  const chart = element("canvas.vx-chart", { role: "img", "aria-label": t.alongTip });
  const words = element("p.vx-words", {}, t.interpolateHow);
  const slider = element("input.vx-epochs", {
    type: "range",
    min: "0",
    max: "1",
    step: "0.005",
    value: String(explorer.state.along ?? 0.5),
    title: t.alongSlider,
    "aria-label": t.alongSlider,
    oninput: () => store.set({ along: Number(slider.value), hover: null }),
  });
  const legend = element(
    "div.vx-curve-names",
    { "aria-hidden": "true" },
    ...[
      ["ink", "‖z‖"],
      ["prior", "log p(z)"],
      ["accent", "log q(z)"],
    ].map(([ink, name]) => {
      const swatch = element("i");
      swatch.style.borderColor = `var(--vx-${ink})`;
      if (ink === "prior") swatch.style.borderTopStyle = "dashed";
      return element("span", {}, swatch, name);
    }),
  );

  const decodeSoon = newestWins(
    async (/** @type {Float32Array[]} */ way) => explorer.decode(joined(way)),
    (values, way) =>
      strip.replaceChildren(
        ...rowsOf(values, explorer.pane.pixels).map((picture, place) =>
          pictureButton(explorer, {
            values: picture,
            z: way[place],
            label: t.stationOf(number(place / (PICTURES - 1)), writeLatent(way[place])),
          }),
        ),
      ),
    (error) => explorer.fail(error),
  );

  /** @param {number} count */
  function wayOf(count) {
    const { ends, way } = explorer.state;
    const { a, b } = ends;
    if (!a || !b) return null;
    return Array.from({ length: count }, (_, i) => between(a, b, i / (count - 1), way));
  }

  function update() {
    if (explorer.state.tab !== "interpolate") return;
    const way = wayOf(PICTURES);
    words.hidden = way !== null;
    slider.disabled = way === null;
    slider.value = String(explorer.state.along ?? 0.5);
    drawChart();
    if (way) decodeSoon(way);
    else strip.replaceChildren();
  }

  function drawChart() {
    const way = wayOf(STATIONS);
    const { clientWidth: width, clientHeight: height } = chart;
    const ratio = window.devicePixelRatio || 1;
    chart.width = width * ratio;
    chart.height = height * ratio;
    if (!way || !width) return;
    const { pane } = explorer;
    const context = /** @type {CanvasRenderingContext2D} */ (chart.getContext("2d"));
    context.scale(ratio, ratio);
    const style = getComputedStyle(chart);
    /** @type {[string, number[], number[]][]} */
    const curves = [
      ["ink", way.map(norm), []],
      ["prior", way.map((z) => pane.logPrior(z)), [6, 3]],
      ["accent", way.map((z) => pane.around(z).logDensity), []],
    ];
    const densities = [...curves[1][1], ...curves[2][1]].filter(Number.isFinite);
    const [low, high] = [Math.max(Math.min(...densities), Math.max(...densities) - 30), Math.max(...densities)];
    curves.forEach(([ink, values, dash], which) => {
      if (!values.every(Number.isFinite)) return;
      const [bottom, top] = which === 0 ? [0, Math.max(...values) * 1.05] : [low, high];
      context.beginPath();
      values.forEach((value, i) => {
        const y = 4 + (1 - Math.max(value - bottom, 0) / (top - bottom || 1)) * (height - 8);
        context.lineTo(4 + (i / (STATIONS - 1)) * (width - 8), y);
      });
      context.strokeStyle = style.getPropertyValue(`--vx-${ink}`).trim();
      context.setLineDash(dash);
      context.lineWidth = 1.6;
      context.stroke();
    });
    context.setLineDash([]);
    const at = 4 + Number(slider.value) * (width - 8);
    context.strokeStyle = style.getPropertyValue("--vx-quiet").trim();
    context.beginPath();
    context.moveTo(at, 0);
    context.lineTo(at, height);
    context.stroke();
    const z = between(way[0], way[STATIONS - 1], Number(slider.value), explorer.state.way);
    slider.setAttribute("aria-valuetext", `${Math.round(100 * Number(slider.value))} %, ${writeLatent(z)}`);
    numbers.textContent = t.alongNumbers(number(norm(z)), number(pane.logPrior(z)), number(pane.around(z).logDensity));
  }
  const numbers = element("p.vx-words");

  /** @param {"a" | "b"} name */
  const take = (name) => store.set({ ends: { ...explorer.state.ends, [name]: Float32Array.from(explorer.state.pin) } });
  scope.listen(["ends", "way", "tab", "prior", "epoch", "arrived"], update);
  const showAlong = () => {
    slider.value = String(explorer.state.along ?? slider.value);
    drawChart();
  };
  scope.listen(["along"], () => explorer.state.tab === "interpolate" && showAlong());
  scope.listen(["theme"], drawChart);

  const node = element(
    "div",
    {},
    element(
      "div.vx-actions",
      {},
      button(t.takeA, t.takeTip("A"), () => take("a")),
      button(t.takeB, t.takeTip("B"), () => take("b")),
      select(
        t.wayTip,
        [
          ["straight", t.straight],
          ["spherical", t.spherical],
        ],
        explorer.state.way,
        (way) => store.set({ way: /** @type {any} */ (way) }),
      ),
      button(t.clear, t.clearEnds, () => store.set({ ends: { a: null, b: null }, along: null })),
    ),
    words,
    strip,
    slider,
    chart,
    legend,
    numbers,
  );
  return { node, open: update };
}
