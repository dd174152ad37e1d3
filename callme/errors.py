"""What can go wrong, as one tree. Each error names the thing and the cure, in both languages.

    CallMeError
    ├── ConfigError              the configuration: never retried, ends `callme run` with 2
    └── TroubleError             the world: PBX, portal, disk
        ├── PbxError             the PBX could not be reached or refused us
        │   └── PbxAuthError     wrong user, secret or address rule: never retried in a hurry
        ├── PortalError          the portal could not be reached or refused us
        │   └── PortalAuthError  wrong webhook, missing scope: the portal pauses
        └── StoreError           the database or the data folder

Errors carry a `problem` and a `cure`; `str(error)` is both in English. No error text ever holds a secret.
"""

from __future__ import annotations

from callme.wording import Language, Phrase


class CallMeError(Exception):
    """Something a person must know about, with what to do."""

    def __init__(self, problem: Phrase, cure: Phrase | None = None) -> None:
        super().__init__(problem, cure)
        self.problem = problem
        self.cure = cure

    def say(self, language: Language = "en") -> str:
        """Problem and cure as one or two lines in that language."""
        if self.cure is None:
            return self.problem.say(language)
        return f"{self.problem.say(language)}\n  → {self.cure.say(language)}"

    def __str__(self) -> str:
        return self.say("en")


class ConfigError(CallMeError):
    """The configuration cannot be used."""


class TroubleError(CallMeError):
    """The world around us does not do what it should."""


class PbxError(TroubleError):
    """The PBX could not be reached, or refused us."""


class PbxAuthError(PbxError):
    """The PBX refused user, secret or address. Repeating in a hurry gets the host banned (facts:
    fail2ban)."""


class PortalError(TroubleError):
    """The portal could not be reached, or refused us."""


class PortalAuthError(PortalError):
    """The portal refused our credentials or their rights."""


class StoreError(TroubleError):
    """The database or the data folder cannot be used."""
