/** The thin header: what is shown, by which prior, who decodes; language, theme, link, export. */

import { button, element, select } from "./dom.js";

/** @param {import("./explorer.js").Explorer} explorer @param {import("./frame.js").Scope} scope */
export function buildHeader(explorer, scope) {
  const { texts: t, state, bundle, options } = explorer;
  const { run } = explorer.pane;
  const facts = [
    run.data,
    t.latentDimensions(run.latent_dim),
    `β = ${Number(run.beta.toPrecision(3))}`,
    run.shown < run.total ? t.imagesOf(run.shown, run.total) : t.images(run.shown),
  ];
  const { left_out: left, image } = run;
  const missing = [
    ...(left?.picture ? [t.smallPictures(`${image.height} × ${image.width}`, left.picture.join(" × "))] : []),
    ...(left?.decoders ? [t.noPastDecoders] : []),
  ];
  const place = element("span.vx-place", {});
  const showPlace = () => {
    const { place: where, reason } = run.engine;
    const nowhere = where === "server" && !options.socket;
    place.textContent = nowhere ? t.byNobody : !explorer.state.ready ? t.loadingWeights : where === "server" ? t.byServer : t.byPage;
    place.title = nowhere ? t.needsServer(reason ?? "") : where === "server" ? t.byServerTip(reason ?? "") : t.byPageTip;
  };
  scope.listen(["ready"], showPlace);
  showPlace();

  const choice = select(
    t.priorTip,
    run.priors.map((view, index) => [String(index), t.priorName(view.name, view.kind)]),
    String(state.prior),
    (value) => explorer.choosePrior(Number(value)),
  );
  scope.listen(["prior"], () => void (choice.value = String(explorer.state.prior)));
  const prior = run.priors.length
    ? element("label.vx-field", {}, element("span", {}, t.prior), choice)
    : element("span.vx-field", {}, t.noPrior);

  const { labels } = run;
  const name = labels ? labels.names[labels.values.indexOf(labels.chosen)] : "";
  const decodedAs =
    labels &&
    element(
      "label.vx-field.vx-as-label",
      { title: t.decodedAsTip },
      element("span", {}, t.decodedAs),
      options.chooseLabel
        ? select(
            t.decodedAsTip,
            labels.values.map((value, place) => [String(value), labels.names[place]]),
            String(labels.chosen),
            (value) => options.chooseLabel?.(Number(value), explorer.link()),
          )
        : element("strong", {}, name),
    );

  const copy = button(t.copyLink, t.copyLinkTip, async () => {
    const address = explorer.address();
    try {
      await navigator.clipboard.writeText(address);
      copy.textContent = t.copied;
    } catch {
      window.prompt(t.copyLinkTip, address);
    }
    setTimeout(() => (copy.textContent = t.copyLink), 1600);
  });

  return element(
    "header.vx-header",
    {},
    element("strong.vx-brand", {}, "vaelab"),
    element("h1.vx-title", {}, bundle.manifest.runs.map(({ name }) => name).join(t.and)),
    element("span.vx-facts", {}, facts.join(" · ")),
    missing.length > 0 && element("span.vx-facts.vx-left-out", { title: t.leftOutTip }, missing.join(" · ")),
    prior,
    decodedAs,
    place,
    element("span.vx-spring"),
    button(state.lang === "zh" ? "English" : "中文", t.languageTip, () =>
      explorer.update({ lang: state.lang === "zh" ? "en" : "zh" }),
    ),
    button("◐", t.themeTip, () => explorer.update({ theme: explorer.state.theme === "dark" ? "light" : "dark" })),
    options.address && copy,
    options.exportAddress &&
      element("a.vx-button", { href: options.exportAddress, download: `${run.name}.html`, title: t.exportTip }, t.export),
  );
}
