"""The command line. `main` is the entry point of the `callme` script; `cli.app` lists the commands.

Only here and in the rooms that `.importlinter` puts beside it are sentences said in a language, times read
from the clock, and exit codes chosen: 0 fine, 1 failed, 2 wrong use (a broken configuration among it), 130
stopped by Ctrl-C.
"""

from callme.cli.entry import main

__all__ = ["main"]
