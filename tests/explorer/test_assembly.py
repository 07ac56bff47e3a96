"""The page as one script: small, closed in itself, and valid."""

import re
import subprocess

import pytest

from vaelab.explorer import assemble


@pytest.mark.parametrize("make", [assemble.page_script, assemble.notebook_module, assemble.worker_script])
def test_the_script_is_valid(make, node: str, tmp_path):
    path = tmp_path / "script.mjs"
    path.write_text(make(), encoding="utf-8")
    subprocess.run([node, "--check", str(path)], check=True, capture_output=True, timeout=60)


def test_the_page_is_under_300_kilobytes_without_weights():
    assert len(assemble.page_script().encode()) + len(assemble.style_sheet().encode()) < 300_000


def test_nothing_is_fetched_from_elsewhere():
    text = assemble.page_script() + assemble.style_sheet()
    assert not re.findall(r"https?://|@import|url\(", text)


def test_a_module_in_another_style_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(assemble, "PAGE", tmp_path)
    (tmp_path / "a.js").write_text('import * as b from "./b.js";\n')
    with pytest.raises(ValueError, match=r"a\.js"):
        assemble.assemble.__wrapped__("a.js")


def test_modules_in_a_circle_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(assemble, "PAGE", tmp_path)
    (tmp_path / "a.js").write_text('import { b } from "./b.js";\nexport const a = b;\n')
    (tmp_path / "b.js").write_text('import { a } from "./a.js";\nexport const b = a;\n')
    with pytest.raises(ValueError, match="circle"):
        assemble.assemble.__wrapped__("a.js")


def test_the_modules_types_are_right(node: str):
    compiler = assemble.PAGE / "node_modules" / "typescript" / "bin" / "tsc"
    if not compiler.is_file():
        pytest.skip("needs TypeScript: npm ci in src/vaelab/explorer/page")
    done = subprocess.run(
        [node, str(compiler), "-p", str(assemble.PAGE)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout
