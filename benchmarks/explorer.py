"""How long the explorer takes from a pointer's move to the painted picture, and how its points are drawn.

    python -m benchmarks.explorer [RUN]          # default: pretrained:tutorial; needs Chromium and playwright

Prints and stores (benchmarks/explorer.json): milliseconds of work from the frame's beginning to the painted picture (the
budget: 95 % under 8 ms), the share of frames dropped while the pointer moves (under 1 %), milliseconds to draw 10,000 to
70,000 points anew by our splats and by the canvas's own arcs, and the bytes of page, bundle and exported file.
"""

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np

MOVES = 600
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

REDRAW = """
(count) => {
  const view = vaelabExplorer.frame.maps.views[0];
  const { pane } = view;
  const [places, labels] = [pane.places, pane.labels];
  const many = new Float32Array(2 * count), names = new Int32Array(count);
  for (let n = 0; n < count; n++) {
    const from = n % (places.length / 2);
    many[2 * n] = places[2 * from] + 0.03 * Math.sin(n);
    many[2 * n + 1] = places[2 * from + 1] + 0.03 * Math.cos(3 * n);
    names[n] = labels ? labels[from] : 0;
  }
  pane.placesCache = many;
  pane.labels = names;
  const timed = (draw) => {
    const times = [];
    for (let k = 0; k < 9; k++) { const start = performance.now(); draw(); times.push(performance.now() - start); }
    return times.sort((a, b) => a - b)[4];
  };
  const context = view.dots.getContext("2d");
  const splats = timed(() => { view.drawPoints(); context.getImageData(0, 0, 1, 1); });
  const arcs = timed(() => {
    context.clearRect(0, 0, view.dots.width, view.dots.height);
    for (let n = 0; n < count; n++) {
      const [x, y] = view.toScreen(many[2 * n], many[2 * n + 1]);
      context.fillStyle = view.colourOf(names[n]);
      context.beginPath(); context.arc(x, y, 1.9, 0, 2 * Math.PI); context.fill();
    }
    context.getImageData(0, 0, 1, 1);
  });
  pane.placesCache = places;
  pane.labels = labels;
  view.draw();
  return { splats, arcs };
}
"""


def main() -> None:
    import uvicorn
    from playwright.sync_api import sync_playwright

    from vaelab.explorer import bundle_of
    from vaelab.explorer.assemble import page_script, style_sheet
    from vaelab.explorer.export import export_html
    from vaelab.explorer.server import free_port, make_app

    bundle = bundle_of([sys.argv[1] if len(sys.argv) > 1 else "pretrained:tutorial"])
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
        page = browser.new_page(viewport={"width": 1360, "height": 900})
        page.goto(f"http://127.0.0.1:{port}/?token=benchmark")
        while not page.evaluate("Boolean(window.vaelabExplorer && vaelabExplorer.state.decoded > 0)"):
            page.wait_for_timeout(20)
        results["first_picture_ms"] = page.evaluate("performance.now()")
        box = page.locator(".vx-overlay").first.bounding_box()
        assert box is not None
        page.evaluate(FRAMES)
        for k in range(MOVES):
            angle, radius = k / 40.0, 0.42 * (1 - k / (1.2 * MOVES))
            page.mouse.move(
                box["x"] + box["width"] / 2 + radius * box["height"] * np.cos(angle),
                box["y"] + box["height"] / 2 + radius * box["height"] * np.sin(angle),
            )
        page.evaluate("window.watching = false")
        timings = page.evaluate("vaelabExplorer.timings")
        work = np.array([one["painted"] - one["frame"] for one in timings])
        whole = np.array([one["painted"] - one["pointer"] for one in timings])
        frames = np.array(page.evaluate("window.frameTimes.slice(2)"))
        frame_work = np.array(page.evaluate("window.frameWork.slice(2)"))
        results |= {
            "moves": MOVES,
            "decoded": len(timings),
            "work_ms": {f"p{q}": float(np.percentile(work, q)) for q in (5, 50, 95, 99)},
            "frame_work_ms": {f"p{q}": float(np.percentile(frame_work, q)) for q in (5, 50, 95, 99)},
            "pointer_to_picture_ms": {f"p{q}": float(np.percentile(whole, q)) for q in (5, 50, 95, 99)},
            "frames": len(frames),
            "frames_dropped_share": float((frames > 25).mean()),
            "redraw_ms": {str(count): page.evaluate(REDRAW, count) for count in (10_000, 20_000, 70_000)},
        }
        browser.close()
    server.should_exit = True
    text = json.dumps(results, indent=2)
    Path(__file__).with_suffix(".json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
