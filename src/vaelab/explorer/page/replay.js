/** The foot: the training as it happened. A slider over epochs moves points, grid, bars and loss curves together. */

import { button, element, number } from "./dom.js";

const STEP_MILLISECONDS = 450;
/** @type {[string, string, number[]][]} */
const CURVES = [
  ["loss", "ink", []],
  ["val_loss", "accent", []],
  ["reconstruction", "quiet", [5, 3]],
  ["kl", "prior", [2, 3]],
];

const TRAINING = ["loss", "reconstruction", "kl"];

/** @param {import("./explorer.js").Explorer} explorer @param {import("./frame.js").Scope} scope */
export function buildReplay(explorer, scope) {
  const { texts: t, pane, store } = explorer;
  const { snapshots, metrics } = pane.run;
  const canvas = element("canvas.vx-curves", { role: "img", "aria-label": t.curves });
  const caption = element("output.vx-epoch");
  const legend = element(
    "div.vx-curve-names",
    { "aria-hidden": "true" },
    ...CURVES.filter(([name]) => metrics.some((record) => name in record)).map(([name, ink, dash]) => {
      const swatch = element("i");
      swatch.style.borderColor = `var(--vx-${ink})`;
      swatch.style.borderTopStyle = dash.length === 0 ? "solid" : dash[0] > 3 ? "dashed" : "dotted";
      return element("span", {}, swatch, t.curveNames[name]);
    }),
  );
  const last = snapshots.length - 1;
  const slider = element("input.vx-epochs", {
    type: "range",
    min: "0",
    max: String(Math.max(last, 0)),
    step: "1",
    title: t.replayTip,
    "aria-label": t.replayTip,
    disabled: snapshots.length === 0,
    // A hand on the slider takes over.
    onpointerdown: () => store.set({ playing: false }),
    oninput: () => {
      store.set({ playing: false });
      move(Number(slider.value));
    },
  });
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let clock;
  const play = button("▶", t.play, () => (explorer.state.playing ? store.set({ playing: false }) : start()), { disabled: snapshots.length < 2 });

  /** @param {number} snapshot */
  function move(snapshot) {
    store.set({ epoch: snapshot >= last ? null : snapshot });
  }
  function start() {
    if (explorer.state.epoch === null) move(0);
    store.set({ playing: true });
  }
  function showPlaying() {
    const { playing } = explorer.state;
    clearInterval(clock);
    play.textContent = playing ? "❚❚" : "▶";
    play.setAttribute("aria-pressed", String(playing));
    if (!playing) return;
    clock = setInterval(() => {
      const now = explorer.state.epoch;
      if (now === null) store.set({ playing: false });
      else move(now + 1);
    }, STEP_MILLISECONDS);
  }

  function show() {
    const { epoch } = explorer.state;
    const at = epoch ?? last;
    slider.value = String(Math.max(at, 0));
    const epochNumber = snapshots[at]?.epoch ?? metrics.at(-1)?.epoch;
    caption.textContent = epochNumber === undefined ? "" : t.epoch(epochNumber);
    slider.setAttribute("aria-valuetext", caption.textContent);
    drawCurves();
  }

  function drawCurves() {
    const { clientWidth: width, clientHeight: height } = canvas;
    if (!width || !metrics.length) return;
    const ratio = window.devicePixelRatio || 1;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    context.scale(ratio, ratio);
    const style = getComputedStyle(canvas);
    /** @param {string} name */
    const ink = (name) => style.getPropertyValue(`--vx-${name}`).trim();
    const epochs = metrics.map(({ epoch }) => epoch);
    const [first, end] = [Math.min(epochs[0], snapshots[0]?.epoch ?? Infinity), epochs[epochs.length - 1]];
    /** @param {number} epoch */
    const across = (epoch) => 4 + (end > first ? (epoch - first) / (end - first) : 1) * (width - 8);
    // One scale for what is of one size (loss, validation, reconstruction), the KL on its own below them.
    const large = metrics.flatMap(({ loss, val_loss, reconstruction }) => [loss, val_loss, reconstruction]).filter(Number.isFinite);
    const [low, high] = [Math.min(...large), Math.max(...large.slice().sort((a, b) => a - b).slice(0, Math.ceil(large.length * 0.97)))];
    const rates = metrics.map(({ kl }) => kl).filter(Number.isFinite);
    for (const [name, colour, dash] of CURVES) {
      const [bottom, top] = name === "kl" ? [0, Math.max(...rates)] : [low, high];
      context.beginPath();
      let begun = 0;
      for (const record of metrics) {
        const value = record[name];
        if (!Number.isFinite(value)) continue;
        const y = 5 + (1 - Math.min((value - bottom) / (top - bottom || 1), 1)) * (height - 10);
        if (begun++) context.lineTo(across(record.epoch), y);
        else context.moveTo(across(record.epoch), y);
        // One epoch makes no line.
        if (metrics.length === 1) context.lineTo(across(record.epoch) - 12, y);
      }
      context.strokeStyle = ink(colour);
      context.lineWidth = 1.5;
      context.setLineDash(dash);
      context.stroke();
    }
    context.setLineDash([]);
    const now = snapshots[explorer.state.epoch ?? last]?.epoch ?? end;
    context.strokeStyle = ink("accent");
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(across(now), 0);
    context.lineTo(across(now), height);
    context.stroke();
    showLosses(now);
  }

  /** What was measured in this epoch and no other. @param {number} epoch */
  function showLosses(epoch) {
    const record = metrics.find((one) => one.epoch === epoch);
    const parts = TRAINING.filter((name) => Number.isFinite(record?.[name])).map((name) => `${t.curveNames[name]}\u00a0${number(record?.[name] ?? NaN, 1)}`);
    const words = [];
    if (parts.length) words.push(`${t.inTraining} ${parts.join("  ")}`);
    if (Number.isFinite(record?.val_loss)) words.push(`${t.curveNames.val_loss}\u00a0${number(record?.val_loss ?? NaN, 1)}`);
    if (!record && metrics.length) words.push(epoch < metrics[0].epoch ? t.beforeTraining : t.notMeasured);
    if (explorer.standsIn) words.push(t.trainedPictures);
    if (explorer.state.epoch !== null && pane.followed < pane.run.shown) words.push(t.followedImages(pane.followed, pane.run.shown));
    values.textContent = words.join("  ·  ");
  }

  const values = element("span.vx-losses");
  scope.listen(["epoch"], show);
  scope.listen(["theme"], drawCurves);
  scope.listen(["playing"], showPlaying);
  scope.atEnd(() => clearInterval(clock));
  showPlaying();
  const observer = new ResizeObserver(drawCurves);
  observer.observe(canvas);
  scope.atEnd(() => observer.disconnect());
  queueMicrotask(show);

  return {
    node: element(
      "footer.vx-replay",
      { "aria-label": t.replay },
      element("div.vx-replay-controls", {}, play, slider, caption),
      element("div.vx-replay-curves", {}, canvas, legend),
      element("div.vx-replay-words", {}, snapshots.length ? values : element("span", {}, t.noSnapshots)),
    ),
  };
}
