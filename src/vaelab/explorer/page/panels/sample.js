/** A sheet of draws from any prior of the run; where it is emptiest of data, if one likes. */

import { button, element, number, select } from "../dom.js";
import { writeLatent } from "../readout.js";
import { drawsOf } from "../samples.js";
import { joined, pictureButton, rowsOf } from "./pictures.js";

/** @param {import("../explorer.js").Explorer} explorer @param {import("../frame.js").Scope} scope */
export function buildSample(explorer, scope) {
  const { texts: t, store, pane } = explorer;
  const { priors } = pane.run;
  if (!priors.length) return { node: element("p.vx-words", {}, t.noPriorToSample) };
  const grid = element("div.vx-sheet");
  const words = element("p.vx-words");
  let version = 0;

  async function draw() {
    const mine = ++version;
    const { samples, epoch, order, prior } = explorer.state;
    priorChoice.value = String(prior);
    orderChoice.value = order;
    if (!samples.length) {
      grid.replaceChildren();
      words.textContent = t.priorOnItsWay;
      return;
    }
    const pictures = rowsOf(await explorer.decode(joined(samples)), pane.pixels);
    if (mine !== version) return;
    // How empty a place is beside the data's own is known of the trained model.
    const shares = epoch === null ? samples.map((z) => pane.familiarity(z, "draws")) : null;
    grid.replaceChildren(
      ...samples.map((z, place) =>
        pictureButton(explorer, { values: pictures[place], z, label: shares ? t.drawLabel(number(100 * shares[place], 0)) : writeLatent(z) }),
      ),
    );
    words.textContent = shares
      ? t.sampleWords(samples.length, drawsOf(pane, prior).length, shares.filter((share) => share < 0.01).length)
      : t.sampleWordsPast(samples.length);
  }
  const refresh = () => {
    if (explorer.state.tab === "sample") void draw().catch((error) => explorer.fail(error));
  };
  scope.listen(["samples"], refresh);
  const priorChoice = select(
    t.samplePriorTip,
    priors.map((view, index) => [String(index), t.priorName(view.name, view.kind)]),
    String(explorer.state.prior),
    (value) => explorer.choosePrior(Number(value)),
  );
  const orderChoice = select(
    t.orderTip,
    [
      ["drawn", t.asDrawn],
      ["holes", t.emptiestFirst],
      ["dense", t.densestFirst],
    ],
    explorer.state.order,
    (order) => store.set({ order }),
  );

  const node = element(
    "div",
    {},
    element(
      "div.vx-actions",
      {},
      priorChoice,
      orderChoice,
      button(t.drawAgain, t.drawAgainTip, () => store.set({ sheet: explorer.state.sheet + 1, order: "drawn" })),
    ),
    grid,
    words,
  );
  return { node, open: refresh };
}
