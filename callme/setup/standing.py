"""What stands on this machine beside what the set-up would write with this configuration: a rehearsal without
answers, for the pages of the running service. Nothing is written, run or tried.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callme.config import raw
from callme.errors import CallMeError
from callme.setup.changing import Change
from callme.setup.course import Course, Order
from callme.setup.disk import Paper
from callme.setup.house import House
from callme.setup.notes import Notes
from callme.setup.visit import QUIET
from callme.setup.wish import Wish
from callme.setup.wizard import set_up
from callme.wording import Language, Phrase


@dataclass(frozen=True, slots=True)
class Standing:
    """Each piece: a change that is not needed stands as it should. `problem`: why there is nothing, or not
    all, to be seen."""

    config: Path
    changes: tuple[Change, ...] = ()
    orders: tuple[Order, ...] = ()
    warnings: tuple[Phrase, ...] = ()
    problem: CallMeError | None = None


def standing(wish: Wish, look: Callable[[], House], language: Language) -> Standing:
    """How it stands. `wish` names the configuration and the folders; what else is in it does not count."""
    course: Course | None = None
    try:
        plain: dict[str, dict[str, Any]] = {} if _told(wish) else {"setup": {"portal": False}}
        rehearsed = Wish(wish.config, plain, wish.root, wish.etc, wish.console, hands_off=True)
        course = Course(rehearsed, look(), Notes(), QUIET, language, Paper(wish.config))
        set_up(course)
    except CallMeError as error:
        seen = course.changes if course is not None else []
        return Standing(wish.config, tuple(seen), problem=error)
    return Standing(wish.config, tuple(course.changes), tuple(course.orders), tuple(course.warnings))


def _told(wish: Wish) -> bool:
    """Whether the configuration has a portal: one that has none is no poorer for it."""
    config = wish.config if wish.here else wish.root / wish.config.relative_to("/")
    return bool(raw(config).get("portal"))
