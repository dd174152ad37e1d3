"""What a person has to be asked so that a CRM can be reached, in any CRM's words: for the set-up.

A portal's folder gives its `WAYS`; the set-up asks the questions of one way and writes the answers as the
portal's own keys. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from callme.wording import Phrase


@dataclass(frozen=True, slots=True)
class Question:
    """One key of a portal's table. `number`: it is written as a number; `secret`: it is never shown."""

    key: str
    ask: Phrase
    default: str = ""
    secret: bool = False
    number: bool = False


@dataclass(frozen=True, slots=True)
class Way:
    """One way to reach a CRM. `before` tells what to do in the CRM first; `after` what to do there when our
    service runs ({install} and {hook} are our addresses)."""

    key: str
    title: Phrase
    before: Phrase
    questions: tuple[Question, ...]
    after: Phrase | None = None
