"""The command line: thin commands that parse, call and print. Heavy imports happen inside them, so that `--help` is quick."""

import sys

from vaelab.door import command_line
from vaelab.errors import VaelabError


def main() -> None:
    """The `vaelab` command. Bad input is one line on standard error and exit code 2; never a traceback."""
    try:
        with command_line():
            from vaelab.cli.speaking import in_the_users_words, speak_as_asked

            # help is written where the commands are: they are imported once it is known in which language
            arguments = speak_as_asked(sys.argv[1:])
            from vaelab.cli.app import app

            in_the_users_words(app)(arguments)
    except VaelabError as error:
        print(f"vaelab: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
