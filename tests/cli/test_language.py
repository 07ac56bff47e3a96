"""What `vaelab` says in which language: by option, by variable, by locale; what is for programs is English in all of them."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vaelab.errors import VaelabError
from vaelab.language import VARIABLE, known_language, language

HAN = re.compile(r"[\u4e00-\u9fff]")
OF_LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG")


def said(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """What `vaelab` says in a process of its own, which knows of no language but what is given here."""
    known = {name: value for name, value in os.environ.items() if name not in (*OF_LOCALE, "LANGUAGE", VARIABLE)}
    known |= {"PYTHONIOENCODING": "utf-8", "COLUMNS": "80", **environment}
    return subprocess.run(
        [sys.executable, "-m", "vaelab", *arguments], capture_output=True, text=True, check=False, env=known, cwd=cwd, encoding="utf-8"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "en"),
        ({"LANG": "C"}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh-CN"),
        ({"LANG": "zh_SG"}, "zh-CN"),
        ({"LANG": "zh_TW.UTF-8"}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
        ({"LANG": "de_AT@euro"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "POSIX"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LC_MESSAGES": "zh_CN"}, "zh-CN"),
        ({"LANG": "zh_CN", "LC_MESSAGES": "en_US", "LC_ALL": ""}, "en"),
        ({"LANG": "zh_CN.UTF-8", VARIABLE: "en"}, "en"),
        ({"LANG": "en_GB.UTF-8", VARIABLE: "zh_CN.UTF-8"}, "zh-CN"),
        ({"LANG": "zh_CN.UTF-8", VARIABLE: ""}, "zh-CN"),
    ],
)
def test_the_language_of_an_environment(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], expected: str
) -> None:
    for name in (*OF_LOCALE, VARIABLE):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert language() == expected


@pytest.mark.parametrize(("given", "expected"), [("EN", "en"), ("en_US", "en"), ("zh", "zh-CN"), ("ZH-cn", "zh-CN")])
def test_a_language_has_several_spellings(given: str, expected: str) -> None:
    assert known_language(given, "--language") == expected


def test_an_unknown_language_of_the_variable_is_one_line_in_python_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "klingon")
    with pytest.raises(VaelabError, match=r"^VAELAB_LANGUAGE: expected en or zh-CN; found 'klingon'\. [^\n]+$"):
        language()


@pytest.mark.parametrize("where", ["option", "option=", "after", "variable"])
def test_an_unknown_language_is_one_line(where: str) -> None:
    environment = {VARIABLE: "fr"} if where == "variable" else {}
    arguments = {
        "option": ("--language", "fr", "data"),
        "option=": ("--language=fr", "--help"),
        "after": ("data", "--language", "fr"),
        "variable": ("--help",),
    }[where]
    done = said(*arguments, **environment)
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "expected en or zh-CN; found 'fr'. Leave it out" in line
    assert ("VAELAB_LANGUAGE" if where == "variable" else "--language") in line


def test_a_language_that_is_missing_behind_its_option() -> None:
    done = said("data", "--language")
    assert (done.returncode, done.stderr) == (2, "vaelab: --language: expected en or zh-CN after it\n")


def test_help_is_chinese_and_whole_at_80_columns() -> None:
    top = said("--help", "--language", "zh-CN").stdout
    assert "界面语言" in top
    assert "评估与修复" in top
    assert "显示本说明" in top
    assert max(map(_columns, top.splitlines())) <= 80
    train = said("train", "--help", LANG="zh_CN.UTF-8").stdout
    assert "编码器各层的宽度" in train
    # rich cuts off, with an ellipsis, what it cannot break
    assert "…" not in train
    # nothing of ours is left in English: only names are
    assert not re.search(r"\b(the|of|and|images)\b", train.split("\n", 3)[3])


def _columns(line: str) -> int:
    return len(line) + len(HAN.findall(line)) + len(re.findall("[，。；：、（）“”]", line))


def test_help_is_english_in_a_locale_that_is_not_ours() -> None:
    assert not HAN.search(said("--help", LANG="ja_JP.UTF-8").stdout)


def test_a_short_training_and_its_errors_in_chinese(tmp_path: Path) -> None:
    images = np.zeros((60, 6, 6), np.uint8)
    images[:, 1:3, 2:5] = np.random.default_rng(0).integers(90, 255, (60, 1, 1))
    np.save(tmp_path / "boxes.npy", images)
    flags = ("--epochs", "1", "--hidden", "4", "--out", "run", "--no-figures")
    done = said("--language", "zh-CN", "train", "boxes.npy", *flags, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "第 1/1 轮  loss " in done.stdout
    assert "1 轮，用时" in done.stdout.splitlines()[-1]
    # the log is for programs
    assert set(json.loads((tmp_path / "run/metrics.jsonl").read_text(encoding="utf-8"))) > {"loss", "val_loss", "kl"}
    again = said("train", "boxes.npy", *flags, cwd=tmp_path, VAELAB_LANGUAGE="zh-CN")
    assert again.returncode == 2
    assert "run：已经存在；请换一个 --out，或继续训练它：vaelab train --resume run" in again.stderr
    assert HAN.search(said("doctor", "run", "--language", "zh-CN", cwd=tmp_path).stdout)
    found = said("doctor", "run", "--language", "zh-CN", "--json", cwd=tmp_path).stdout
    assert json.loads(found)
    assert not HAN.search(found)
