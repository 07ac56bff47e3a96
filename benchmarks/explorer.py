"""How long the explorer takes from a pointer's move to the painted picture, and how its points are drawn.

    python -m benchmarks.explorer [RUN] [--scatterplot BUNDLE.js]       # default: pretrained:tutorial; needs Chromium, playwright

Prints and stores (benchmarks/explorer.json), all in milliseconds:

- `work_ms`: from the beginning of the pointer's frame until the picture is on its canvas (the budget: 95 % under 8);
- `frame_work_ms`: all that the page does for one move, from the handling of the event until the frame is handed over: the picture,
  and then marks, texts, style, layout, painting, commit;
- `pointer_to_picture_ms`: from the event's own time, so with the wait for the next frame, of which there are 60 a second;
- `frames_dropped_share`: frames that came late while the pointer moved (the budget: under 1 %);
- `panning`: frames of a map of 870 by 700 pixels that shifts and grows, with 10,000 to 70,000 points, on screens of one and of
  two pixels to a unit: by our splats, by the canvas's own arcs, and by regl-scatterplot where BUNDLE.js has it as `createScatterplot`:
      npm i regl-scatterplot regl pub-sub-es esbuild
      echo 'import c from "regl-scatterplot"; window.createScatterplot = c' | npx esbuild --bundle --minify --outfile=BUNDLE.js
- the bytes of page, bundle and exported file.
"""

import argparse
import json
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np

MOVES = 600
COUNTS = (10_000, 20_000, 70_000)
CHROMIUM = "/usr/bin/chromium"

FRAMES = """
() => {
  window.frameTimes = []; window.frameWork = []; window.watching = true;
  let last = performance.now(), began = 0;
  addEventListener("pointermove", () => (began ||= performance.now()), true);
  // A message that is sent while a frame is made comes when it is handed over: after style, layout, painting, commit.
  const over = new MessageChannel();
  over.port1.onmessage = ({ data }) => window.frameWork.push(performance.now() - data);
  const tick = (now) => {
    window.frameTimes.push(now - last);
    last = now;
    if (began) over.port2.postMessage(began);
    began = 0;
    if (window.watching) requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}
"""

PAN = """
async ({ count, kind }) => {
  const ratio = devicePixelRatio;
  const [width, height] = [870, 700];
  let seed = 1;
  const random = () => ((seed = (seed * 1664525 + 1013904223) >>> 0) + 1) / 4294967297;
  const gaussian = () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
  const palette = [0xe08a1f, 0x9b3a2c, 0x2ba6cb, 0x5f7a1e, 0xa0409f, 0x3c5fc4, 0x7d7d7d, 0xc05a80, 0x208f6a, 0xb0a030];
  const places = Float32Array.from({ length: 2 * count }, gaussian);
  const colours = Uint32Array.from({ length: count }, (_, n) => ((205 << 24) | palette[n % 10]) >>> 0);
  const names = palette.map((colour) => "#" + colour.toString(16).padStart(6, "0"));
  const canvas = document.createElement("canvas");
  canvas.style.cssText = `width: ${width}px; height: ${height}px`;
  [canvas.width, canvas.height] = [width * ratio, height * ratio];
  document.body.replaceChildren(canvas);
  let draw;
  if (kind === "splats") {
    const painter = points.splatPainter(canvas);
    draw = (shift, zoom) => {
      const [left, top] = [(width / 2 + shift) * ratio, (height / 2) * ratio];
      painter.draw({ places, colours, scale: 100 * ratio * zoom, left, top, radius: 1.9 * ratio });
    };
  } else if (kind === "arcs") {
    const context = canvas.getContext("2d");
    draw = (shift, zoom) => {
      context.clearRect(0, 0, canvas.width, canvas.height);
      for (let n = 0; n < count; n++) {
        const x = (width / 2 + shift + 100 * zoom * places[2 * n]) * ratio;
        const y = (height / 2 - 100 * zoom * places[2 * n + 1]) * ratio;
        context.fillStyle = names[n % 10];
        context.beginPath();
        context.arc(x, y, 1.9 * ratio, 0, 2 * Math.PI);
        context.fill();
      }
    };
  } else {
    const plot = createScatterplot({ canvas, width, height, pointSize: 3.8, pointColor: names, colorBy: "valueA", opacity: 0.8 });
    const axis = (which) => Array.from({ length: count }, (_, n) => places[2 * n + which] / 4);
    await plot.draw({ x: axis(0), y: axis(1), valueA: Array.from({ length: count }, (_, n) => n % 10) });
    const home = Array.from(plot.get("cameraView"));
    draw = (shift, zoom) => {
      const view = home.slice();
      view[0] *= zoom;
      view[5] *= zoom;
      view[12] += shift / 400;
      plot.view(Float32Array.from(view));
    };
  }
  const [calls, frames] = [[], []];
  let last = 0;
  await new Promise((done) => {
    let step = 0;
    const end = performance.now() + 3000;
    const tick = (now) => {
      if (step > 3) frames.push(now - last);
      last = now;
      if (++step > 64 || now > end) return done();
      const start = performance.now();
      draw(3 * step, 1 + 0.005 * step);
      calls.push(performance.now() - start);
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  });
  const quantile = (values, share) => values.sort((a, b) => a - b)[Math.floor(share * (values.length - 1))];
  return { page_p50: quantile(calls, 0.5), frame_p50: quantile(frames, 0.5), frame_p95: quantile(frames, 0.95) };
}
"""


def main() -> None:
    import uvicorn
    from playwright.sync_api import sync_playwright

    from vaelab.explorer import bundle_of
    from vaelab.explorer.assemble import assemble, page_script, style_sheet
    from vaelab.explorer.export import export_html
    from vaelab.explorer.server import free_port, make_app

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs="?", default="pretrained:tutorial")
    parser.add_argument("--scatterplot", type=Path, help="regl-scatterplot as one script, to measure beside ours")
    given = parser.parse_args()

    bundle = bundle_of([given.run])
    listener = free_port(0)
    port = listener.getsockname()[1]
    config = uvicorn.Config(
        make_app(bundle, token="benchmark", port=port), log_level="error", lifespan="off", ws="websockets-sansio"
    )
    server = uvicorn.Server(config)
    threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True).start()

    results: dict[str, Any] = {
        "load": os.getloadavg()[0],
        "cores": os.cpu_count(),
        "page_bytes": len(page_script().encode()) + len(style_sheet().encode()),
        "view_bytes": len(bundle.view),
        "export_bytes": len(export_html(bundle).encode()),
    }
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        results["browser"] = browser.version
        page = browser.new_page(viewport={"width": 1360, "height": 900})
        page.goto(f"http://127.0.0.1:{port}/?token=benchmark")
        while not page.evaluate("Boolean(window.vaelabExplorer && vaelabExplorer.state.decoded > 0)"):
            page.wait_for_timeout(20)
        results["first_picture_ms"] = page.evaluate("performance.now()")
        results |= pointer_times(page)
        page.close()
        results["panning"] = panning_times(browser, assemble("points.js"), given.scatterplot)
        browser.close()
    server.should_exit = True
    text = json.dumps(rounded(results), indent=2)
    Path(__file__).with_suffix(".json").write_text(text + "\n")
    print(text)


def pointer_times(page: Any) -> dict[str, Any]:
    """What a pointer costs that spirals over the map."""
    box = page.locator(".vx-overlay").first.bounding_box()
    page.evaluate(FRAMES)
    for k in range(MOVES):
        angle, radius = k / 40.0, 0.42 * (1 - k / (1.2 * MOVES))
        page.mouse.move(
            box["x"] + box["width"] / 2 + radius * box["height"] * np.cos(angle),
            box["y"] + box["height"] / 2 + radius * box["height"] * np.sin(angle),
        )
    page.evaluate("window.watching = false")
    timings = page.evaluate("vaelabExplorer.timings")
    frames = np.array(page.evaluate("window.frameTimes.slice(2)"))
    return {
        "moves": MOVES,
        "decoded": len(timings),
        "work_ms": quantiles([one["painted"] - one["frame"] for one in timings]),
        "frame_work_ms": quantiles(page.evaluate("window.frameWork.slice(2)")),
        "pointer_to_picture_ms": quantiles([one["painted"] - one["pointer"] for one in timings]),
        "frames": len(frames),
        "frames_dropped_share": float((frames > 25).mean()),
    }


def panning_times(browser: Any, points: str, scatterplot: Path | None) -> dict[str, Any]:
    kinds = ["splats", "arcs"] + (["regl_scatterplot"] if scatterplot else [])
    found: dict[str, Any] = {}
    for ratio in (1, 2):
        page = browser.new_page(viewport={"width": 1000, "height": 800}, device_scale_factor=ratio)
        page.evaluate(f"window.points = {points}")
        if scatterplot:
            page.evaluate(scatterplot.read_text(encoding="utf-8"))
        for count in COUNTS:
            found[f"{count} points, {ratio} pixel{'s' * (ratio > 1)} a unit"] = {
                kind: page.evaluate(PAN, {"count": count, "kind": kind}) for kind in kinds
            }
        page.close()
    return found


def quantiles(values: list[float]) -> dict[str, float]:
    return {f"p{q}": float(np.percentile(values, q)) for q in (5, 50, 95, 99)}


def rounded(value: Any) -> Any:
    """Numbers to what a browser's clock can tell, a tenth of a millisecond; shares to four places."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    return round(value, 4 if 0 < abs(value) < 0.05 else 1) if isinstance(value, float) else value


if __name__ == "__main__":
    main()
