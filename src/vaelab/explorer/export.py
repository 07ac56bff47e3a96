"""The explorer as one file, which opens from the disk and asks for nothing from any network."""

import base64
import gzip
import hashlib
import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from vaelab.explorer.assemble import page_script, style_sheet
from vaelab.explorer.bundle import Bundle
from vaelab.explorer.economy import Economy, economies, words_of
from vaelab.tensors import write_bytes_safely

MOST_BYTES = 12_000_000
"""Of a file, unless it is asked for whole."""


@dataclass(frozen=True)
class Export:
    """- `html`: the whole page; `left_out`: what it does without, in words, by model
    - `not_decoded`: in words, which models it only shows
    - `economy`: how much that is
    """

    html: str
    left_out: tuple[str, ...]
    not_decoded: tuple[str, ...]
    economy: Economy

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.html.encode())


def export(bundle: Bundle, most: int | None = MOST_BYTES) -> Export:
    """The page as one file, of `most` bytes where leaving things out can bring it there; with None, nothing is left out but the decoders
    of all but four epochs.
    """
    script, style = page_script(), style_sheet() + PAGE_STYLE
    blocks, economy = _fitting(bundle, None if most is None else most - len(script) - len(style) - SLACK)
    left_out = dict.fromkeys(words for manifest in bundle.light_manifests(economy) for words in words_of(manifest))
    return Export(_page(bundle, script, style, blocks), tuple(left_out), bundle.not_decoded, economy)


def export_html(bundle: Bundle) -> str:
    """`export(bundle)` as text."""
    return export(bundle).html


SLACK = 10_000
"""Bytes for what stands round the blocks."""


def _fitting(bundle: Bundle, most: int | None) -> tuple[dict[str, str], Economy]:
    """The blocks of the file, packed, with the least left out that makes them fit."""
    economy = Economy()
    shapes = [one.model.image_shape for one in bundle.explored]
    for economy in economies(shapes, networks=bundle.networks_can_be_smaller):
        blocks = _packed_within(_blocks(bundle, economy), most)
        if blocks is not None:
            return blocks, economy
    blocks = _packed_within(_blocks(bundle, economy), None)  # as little as there is
    assert blocks is not None
    return blocks, economy


def _blocks(bundle: Bundle, economy: Economy) -> Iterator[tuple[str, bytes]]:
    """What the page reads: weights and columns (half precision), the heaviest first."""
    for number, manifest in enumerate(bundle.light_manifests(economy)):
        if manifest["engine"]["place"] == "page":
            yield f"weights-{number}", bundle.weights(number, half=True, economy=economy)
        for snapshot in manifest["snapshots"]:
            if snapshot["weights"]:
                yield f"snapshot-{number}-{snapshot['epoch']}", bundle.snapshot(number, snapshot["epoch"])
    yield "view", bundle.light_view(economy)


def _packed_within(blocks: Iterator[tuple[str, bytes]], most: int | None) -> dict[str, str] | None:
    """All of them packed; None as soon as they are more than `most` bytes."""
    found, size = {}, 0
    for name, content in blocks:
        found[name] = _packed(content)
        size += len(found[name])
        if most is not None and size > most:
            return None
    return found


def _page(bundle: Bundle, script: str, style: str, blocks: Mapping[str, str]) -> str:
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "img-src data: blob:; worker-src blob:; connect-src 'none'; base-uri 'none'; form-action 'none'"
    )
    holders = "\n".join(
        f'<script type="application/octet-stream" id="{name}">{content}</script>' for name, content in blocks.items()
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
#explorer { height: 100vh; }
@media (max-width: 860px) { #explorer { height: auto; } }
"""


def write_export(bundle: Bundle, path: Path, most: int | None = MOST_BYTES) -> Export:
    """Write the file; what became of it."""
    made = export(bundle, most)
    write_bytes_safely(path, made.html.encode())
    return made


def _packed(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content, 6, mtime=0)).decode()


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
