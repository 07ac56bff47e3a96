/** A sheet of draws from any prior of the run; where it is emptiest of data, if one likes. */

import { column } from "../bundle.js";
import { button, element, number, select } from "../dom.js";
import { joined, pictureButton, rowsOf } from "./pictures.js";

const SHEET = 40;

/** @param {import("../explorer.js").Explorer} explorer @param {import("../frame.js").Scope} scope */
export function buildSample(explorer, scope) {
  const { texts: t, store, pane } = explorer;
  const { priors } = pane.run;
  if (!priors.length) return { node: element("p.vx-words", {}, t.noPriorToSample) };
  const grid = element("div.vx-sheet");
  const words = element("p.vx-words");
  let prior = Math.max(pane.prior, 0);
  let order = "drawn";
  let version = 0;

  /** @param {number} which @returns {Float32Array[]} all the draws that Python made */
  function bank(which) {
    /** @type {Float32Array} */
    const draws = column(explorer.bundle, pane.index, `prior/${which}/draws`);
    return rowsOf(draws, pane.size);
  }

  async function draw() {
    const mine = ++version;
    const all = bank(prior);
    let chosen;
    if (order === "drawn") chosen = Array.from({ length: SHEET }, () => all[Math.floor(Math.random() * all.length)]);
    else {
      const familiar = all.map((z) => pane.familiarity(z) + 1e-9 * pane.around(z).logDensity);
      const sorted = all.map((_, place) => place).sort((a, b) => familiar[a] - familiar[b]);
      if (order === "dense") sorted.reverse();
      chosen = sorted.slice(0, SHEET).map((place) => all[place]);
    }
    const pictures = rowsOf(await explorer.decode(joined(chosen)), pane.pixels);
    if (mine !== version) return;
    const holes = chosen.filter((z) => pane.familiarity(z) < 0.01).length;
    grid.replaceChildren(
      ...chosen.map((z, place) =>
        pictureButton(explorer, { values: pictures[place], z, label: t.drawLabel(number(100 * pane.familiarity(z), 0)) }),
      ),
    );
    words.textContent = t.sampleWords(SHEET, all.length, holes);
    store.set({ samples: chosen });
  }
  const refresh = () => {
    if (explorer.state.tab === "sample") void draw().catch((error) => explorer.fail(error));
  };
  scope.listen(["epoch", "tab"], refresh);

  const node = element(
    "div",
    {},
    element(
      "div.vx-actions",
      {},
      select(t.samplePriorTip, priors.map((view, index) => [String(index), t.priorName(view.name, view.kind)]), String(prior), (value) => {
        prior = Number(value);
        explorer.choosePrior(prior);
        refresh();
      }),
      select(
        t.orderTip,
        [
          ["drawn", t.asDrawn],
          ["holes", t.emptiestFirst],
          ["dense", t.densestFirst],
        ],
        order,
        (value) => {
          order = value;
          refresh();
        },
      ),
      button(t.drawAgain, t.drawAgainTip, refresh),
    ),
    grid,
    words,
  );
  return { node, open: refresh, close: () => store.set({ samples: [] }) };
}
