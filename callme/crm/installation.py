"""How a CRM hands its keys over: it opens or calls our address when somebody installs our application in it.

The web face takes the request at `/hooks/<portal>/install` and gives its fields to the portal's adapter,
which alone knows what they mean. Pure, and free of any CRM's own words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol, runtime_checkable

from callme.wording import Language, Phrase


@dataclass(frozen=True, slots=True)
class Home:
    """What a portal must know of the place it lives in. `folder` is where it may keep files of its own,
    `address` the public address of this service, empty when there is none. `quiet`: the CRM may be asked,
    and nothing may be written to it (shadow mode). `language` is in what people are told things."""

    folder: Path = Path("var")
    address: str = ""
    quiet: bool = False
    language: Language = "ru"

    def install_address(self, portal: str) -> str:
        """What a person enters in the CRM."""
        return f"{self.address or 'https://…'}/hooks/{portal}/install"

    def hook_address(self, portal: str) -> str:
        """Where the CRM tells what happens in it; empty when it cannot reach us."""
        return f"{self.address}/hooks/{portal}" if self.address else ""

    def tab_address(self, portal: str) -> str:
        """What the CRM opens in its card of a call; empty when it cannot reach us."""
        return f"{self.address}/hooks/{portal}/card" if self.address else ""


class Verdict(StrEnum):
    """What became of an installation."""

    KEPT = "kept"  # the keys are proven and kept
    KNOWN = "known"  # nothing new to keep, and nothing wrong
    FOREIGN = "foreign"  # not for us, or not proven: nothing was kept
    UNCLEAR = "unclear"  # it cannot be understood
    LATER = "later"  # it could not be proven now; the sender may try again


@dataclass(frozen=True, slots=True)
class Installed:
    """The answer to whoever installs. `frame` is the origin that may show our page inside its own; `script`
    an address of the CRM that this page alone may load, `call` what it runs when that is there."""

    verdict: Verdict
    said: Phrase
    cure: Phrase | None = None
    frame: str = ""
    script: str = ""
    call: str = field(default="")


@runtime_checkable
class Installs(Protocol):
    """A portal that can be installed. One that needs no keys simply lacks the method."""

    id: str

    async def install(self, fields: Mapping[str, str]) -> Installed:
        """Judges what was sent, and keeps the keys in it if they are proven. Raises nothing for what a
        stranger may send."""
