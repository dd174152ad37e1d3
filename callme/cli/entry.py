"""Turns what happens in a command into an exit code and, when it is an error, two plain lines on stderr."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

from callme.cli import tongue
from callme.errors import CallMeError, ConfigError

FAILED = 1
WRONG_USE = 2
INTERRUPTED = 128 + signal.SIGINT


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command and leaves with its exit code; never shows a traceback for an expected error."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    given = tongue.listen(given, os.environ)
    from callme.cli.app import app  # after the language is known: help texts are said in it

    try:
        app(given, prog_name="callme")
    except CallMeError as error:
        print(error.say(tongue.language()), file=sys.stderr)
        sys.exit(WRONG_USE if isinstance(error, ConfigError) else FAILED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output went away (`callme calls | head`): nothing to say, and nobody to say it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)
