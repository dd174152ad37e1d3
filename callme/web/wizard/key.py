"""Who may use the wizard: whoever has the one-time word, and from then on the browser that brought it. Pure;
the clock is given.

The word stands in the address that the terminal shows. It opens once, so that it is worth nothing in a
browser's history or a proxy's log; the cookie that the browser gets for it is never shown anywhere.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

ENTER_S = 15 * 60.0
"""How long the word is good for."""
IDLE_S = 30 * 60.0
"""How long a browser may stay away."""
LASTS_S = 4 * 3600.0
"""How long it may go on at all."""
BYTES = 32


@dataclass(slots=True)
class Key:
    """One word, one browser. `clock` gives seconds that never go back."""

    clock: Callable[[], float]
    word: str = field(default_factory=lambda: secrets.token_urlsafe(BYTES), repr=False)
    form: str = field(default_factory=lambda: secrets.token_urlsafe(BYTES), repr=False)
    """What each form of ours carries, and no form of anybody else's can."""
    _cookie: str = field(default="", repr=False)
    _made: float = field(init=False)
    _seen: float = field(init=False)

    def __post_init__(self) -> None:
        self._made = self._seen = self.clock()

    def enter(self, word: str) -> str | None:
        """The cookie for whoever brings the word; `None` when it is another one, was used, or is too old."""
        right = same(word, self.word)
        if self._cookie or not right or self.left <= 0:
            return None
        self._cookie = secrets.token_urlsafe(BYTES)
        self._made = self._seen = self.clock()
        return self._cookie

    def knows(self, cookie: str) -> bool:
        """Whether that browser is in; its time begins anew."""
        if not self._cookie or not same(cookie, self._cookie) or self.left <= 0:
            return False
        self._seen = self.clock()
        return True

    def fits(self, form: str) -> bool:
        """Whether a form is one of ours."""
        return same(form, self.form)

    @property
    def left(self) -> float:
        """Seconds until nobody can use it any more, if nobody comes meanwhile."""
        now = self.clock()
        if not self._cookie:
            return self._made + ENTER_S - now
        return min(self._seen + IDLE_S, self._made + LASTS_S) - now


def same(one: str, other: str) -> bool:
    """Compared as digests of one length, so that time tells nothing."""
    return hmac.compare_digest(_digest(one), _digest(other))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
