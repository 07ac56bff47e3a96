"""Whoever is spoken to is spoken to in their own words."""

import doctest
import logging

import pytest

from vaelab import door
from vaelab.door import command_line, flag, in_words, option, say


def test_its_examples():
    assert doctest.testmod(door).failed == 0


def test_options_are_named_as_each_door_has_them():
    assert (flag("skip_bad"), option("size", 32), option("skip_bad")) == ("skip_bad", "size=32", "skip_bad=True")
    with command_line():
        assert (flag("skip_bad"), option("size", 32), option("skip_bad")) == ("--skip-bad", "--size 32", "--skip-bad")
        assert in_words(command="a", python="b") == "a"
    assert in_words(command="a", python="b") == "b"


def test_the_door_is_left_by_an_error_too():
    with pytest.raises(ValueError), command_line():
        raise ValueError
    assert flag("size") == "size"


def test_a_command_says_a_thing_once_and_python_logs_it(capsys, caplog):
    with command_line():
        say("two of them were passed over")
        say("two of them were passed over")
    assert capsys.readouterr().err == "vaelab: two of them were passed over\n"
    with caplog.at_level(logging.WARNING, logger="vaelab"):
        say("two of them were passed over")
    assert caplog.messages == ["two of them were passed over"]
