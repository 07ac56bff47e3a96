"""Draw the pictures that the README shows, from two finished runs.

    vaelab train --recipe autoencoder
    vaelab train
    python scripts/draw_pictures.py runs/autoencoder-mnist runs/tutorial-mnist

They go to docs/pictures, with 256 colours, so that none is larger than 300 kB.
"""

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image

from vaelab.cli.demo_autoencoder import autoencoder
from vaelab.plotting import write_figures
from vaelab.runs import Run

PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
LARGEST = 300_000


def main(plain: str, variational: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        autoencoder(out=Path(folder) / "autoencoder.png", runs=(plain, variational), seed=0)
        write_figures(Run.open(variational), ["latent", "manifold"], folder=Path(folder))
        for path in sorted(Path(folder).glob("*.png")):
            content = _smaller(path)
            if len(content) > LARGEST:
                raise SystemExit(f"{path.name}: {len(content):,} bytes, more than {LARGEST:,}")
            (PICTURES / path.name).write_bytes(content)
            print(f"{PICTURES / path.name}: {len(content):,} bytes")


def _smaller(path: Path) -> bytes:
    buffer = io.BytesIO()
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


if __name__ == "__main__":
    main(*sys.argv[1:])
