"""What lets the page of a tab give orders: a signed ticket that names portal, call and person, and runs out.

A page inside a CRM's page has no cookie that could be trusted, and needs none: nobody's browser sends a
ticket by itself, so no other page can make it give an order. The key lives as long as the process; after a
restart the tab is opened again. `service.tabs` issues and reads them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass

LIFE_S = 1800.0
"""Half an hour from the opening of the tab, whatever is done meanwhile."""

LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Ticket:
    """Who may order what: the portal's own ids of call and person; until when, in epoch seconds."""

    portal: str
    call: str
    user: str
    until: float


class Tickets:
    """Issues and reads them."""

    def __init__(self, clock: Callable[[], float], key: bytes | None = None) -> None:
        """A `key` of its own is made unless one is given."""
        self._clock = clock
        self._key = key or secrets.token_bytes(32)

    def issue(self, portal: str, call: str, user: str) -> str:
        """A fresh one, fit for a form."""
        words = json.dumps([portal, call, user, self._clock() + LIFE_S]).encode()
        return f"{_text(words)}.{_text(self._sign(words))}"

    def read(self, portal: str, text: str) -> Ticket | None:
        """The ticket; `None` for one that is not ours, is another portal's, or has run out."""
        words, _, sign = text.partition(".")
        if len(text) > LONGEST:
            return None
        try:
            plain, given = _bytes(words), _bytes(sign)
        except (binascii.Error, ValueError):
            return None
        if not hmac.compare_digest(self._sign(plain), given):
            return None
        ticket = Ticket(*json.loads(plain))
        return ticket if ticket.portal == portal and self._clock() < ticket.until else None

    def _sign(self, words: bytes) -> bytes:
        return hmac.digest(self._key, b"callme-tab\n" + words, hashlib.sha256)


def _text(plain: bytes) -> str:
    return base64.urlsafe_b64encode(plain).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
