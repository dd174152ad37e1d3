"""A strict Bitrix24 on a loopback port, for the tests and the demo.

`callme.lab.sandboxes.registry` finds this folder by its name and asks it for `open_sandbox`.
"""

from __future__ import annotations

from callme.lab.sandboxes.bitrix24.stand import Stand
from callme.wording import Language

__all__ = ["open_sandbox"]


def open_sandbox(language: Language, port: int) -> Stand:
    """The demo's portal with the default office."""
    return Stand(language, port)
