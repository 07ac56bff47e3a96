"""The explorer as one file, which opens from the disk and asks for nothing from any network."""

import base64
import gzip
import hashlib
import html
from pathlib import Path

from vaelab.explorer.assemble import page_script, style_sheet
from vaelab.explorer.bundle import Bundle, promised
from vaelab.tensors import write_bytes_safely


def export_html(bundle: Bundle) -> str:
    """The whole page: script, style, columns and weights (half precision), the numbers compressed."""
    script, style = page_script(), style_sheet() + PAGE_STYLE
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "img-src data: blob:; worker-src blob:; connect-src 'none'; base-uri 'none'; form-action 'none'"
    )
    blocks = {"view": bundle.half_view}
    for number, manifest in enumerate(bundle.manifests):
        if manifest["engine"]["place"] == "page":
            blocks[f"weights-{number}"] = bundle.weights(number, half=True)
        for snapshot in promised(manifest["snapshots"]):
            if snapshot["weights"]:
                blocks[f"snapshot-{number}-{snapshot['epoch']}"] = bundle.snapshot(number, snapshot["epoch"])
    holders = "\n".join(
        f'<script type="application/octet-stream" id="{name}">{_packed(content)}</script>'
        for name, content in blocks.items()
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(bundle.name)} · vaelab</title>
<style>{style}</style>
</head>
<body>
<main id="explorer" class="vx"><p class="vx-wait">Preparing the map … &nbsp;·&nbsp; <span lang="zh-CN">正在准备地图……</span></p></main>
{holders}
<script>{script}</script>
</body>
</html>
"""


PAGE_STYLE = """
html, body { margin: 0; height: 100%; }
#explorer { min-height: 100vh; height: 100vh; }
@media (max-width: 860px) { #explorer { height: auto; } }
"""


def write_export(bundle: Bundle, path: Path) -> int:
    """Write the file; its size in bytes."""
    content = export_html(bundle).encode()
    write_bytes_safely(path, content)
    return len(content)


def _packed(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content, 6, mtime=0)).decode()


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
