"""Who we are for a portal, as a value: where each method lives, and which texts must never be seen.

`rest` asks for nothing but this, so an application with tokens (`application`) takes the webhook's place
without changing a caller: its `address` carries the token and its `renew` fetches the next one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from callme.crm.port import Outcome
from callme.portals.bitrix24 import verdicts


class Credentials(Protocol):
    """What a request needs: an address, and a way out when the portal says that the token has expired."""

    @property
    def host(self) -> str:
        """The portal's host name, which may be shown."""

    @property
    def application(self) -> bool:
        """An application, not a webhook: a person who must put something right does it elsewhere."""

    async def ready(self) -> Outcome | None:
        """What keeps any request from being sent, `None` when nothing does."""

    def address(self, method: str) -> str:
        """The whole address of a method. Holds the secret."""

    def mask(self, text: str) -> str:
        """The text without any secret of ours."""

    async def renew(self, refused: str) -> Outcome | None:
        """Gets fresh credentials after the portal called those in the address `refused` expired. `None`: the
        request may be repeated; else why there are none."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """An incoming webhook: `https://HOST/rest/USER/SECRET/` (sheet §1.0). It never expires by itself."""

    url: str = field(repr=False)

    @property
    def host(self) -> str:
        """The portal's host name."""
        return urlsplit(self.url).hostname or ""

    @property
    def application(self) -> bool:
        """It is none."""
        return False

    async def ready(self) -> Outcome | None:
        """Always."""
        return None

    @property
    def secret(self) -> str:
        """The last part of the path."""
        return urlsplit(self.url).path.rstrip("/").rpartition("/")[2]

    def address(self, method: str) -> str:
        """The method's own address under the webhook."""
        return f"{self.url.rstrip('/')}/{method}"

    def mask(self, text: str) -> str:
        """The text with the secret replaced by stars."""
        return text.replace(self.secret, "***")

    async def renew(self, refused: str) -> Outcome | None:
        """A webhook cannot renew itself."""
        return verdicts.judge("", 401, "expired_token", "")
