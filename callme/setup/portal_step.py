"""The portal's part of the set-up: which CRM, which way into it, its keys, and whether they work.

What a CRM needs to be asked is told by its own folder; nothing here knows one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from callme.crm.asking import Question, Way
from callme.crm.installation import Home
from callme.errors import ConfigError
from callme.portals import registry
from callme.setup import own
from callme.setup.course import PORTAL_ID, Course, entries, stem
from callme.setup.words import W
from callme.wording import plain


def way_of(ways: tuple[Way, ...], *tables: Iterable[str]) -> Way | None:
    """The way whose keys stand in the first of these tables that has keys of any."""
    for table in tables:
        stems = set(map(stem, table))
        for way in ways:
            if {question.key for question in way.questions if not question.number} & stems:
                return way
    return None


class PortalStep:
    """The conversation about the CRM."""

    def __init__(self, course: Course) -> None:
        self._on = course

    def run(self) -> None:
        old = self._on.entry("portal")
        given = dict(self._on.wish.given.get("portal", {}))
        if self._on.wish.said("setup", "portal") is False:
            return
        if not (given or old or self._on.wish.hands_off or self._on.talk.confirm(W.WANT_PORTAL, True)):
            return
        crm = str(given.get("crm") or old.get("crm") or self._crm())
        base: dict[str, Any] = {"id": str(old.get("id") or PORTAL_ID), "crm": crm}
        while True:
            table = base | given | self._keys(crm, given, old)
            tables = own.merged(self._without_other_way(table, crm), "portal", table)
            if self._works(tables) or not self._on.again():
                break
            given, old = {}, {}
        self._on.new = tables

    def _crm(self) -> str:
        known = registry.known()
        if len(known) == 1 or self._on.wish.hands_off:
            return known[0]
        return self._on.talk.choose(W.CRM, [(name, plain(name)) for name in known], known[0])

    def _keys(self, crm: str, given: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
        way = self._way(registry.ways(crm), given, old)
        if way is None:
            return {}
        home = self._home()
        known = all(entries(question.key, {**old, **given}) for question in way.questions)
        if not known and not self._on.wish.hands_off:
            self._on.talk.tell(way.before.given(install=home.install_address(PORTAL_ID)))
        answers: dict[str, Any] = {}
        for question in way.questions:
            if not entries(question.key, given):
                answers |= self._answer(question, old)
        if way.after is not None:
            hook = home.hook_address(PORTAL_ID) or "https://…/hooks/" + PORTAL_ID
            self._on.after = way.after.given(install=home.install_address(PORTAL_ID), hook=hook)
        return answers

    def _answer(self, question: Question, old: dict[str, Any]) -> dict[str, Any]:
        if question.secret:
            return self._on.secret("portal", question.key, question.ask, old)
        value = self._on.value(
            "portal", question.key, question.ask, str(old.get(question.key) or question.default)
        )
        return {question.key: int(value) if question.number and value.isdecimal() else value}

    def _way(self, ways: tuple[Way, ...], given: dict[str, Any], old: dict[str, Any]) -> Way | None:
        """What was said decides before what stands there: so one way is left for another."""
        if known := way_of(ways, given, old):
            return known
        if not ways or len(ways) == 1 or self._on.wish.hands_off:
            return ways[0] if ways else None
        chosen = self._on.talk.choose(W.WAY, [(way.key, way.title) for way in ways], ways[0].key)
        return next(way for way in ways if way.key == chosen)

    def _without_other_way(self, table: dict[str, Any], crm: str) -> dict[str, Any]:
        """The configuration so far without the keys of a way that is not taken any more."""
        taken = set(map(stem, table))
        others = {
            question.key
            for way in registry.ways(crm)
            for question in way.questions
            if question.key not in taken
        }
        new = own.merged(self._on.new, "portal", {})
        for key in list(new["portal"][0]):
            if stem(key) in others:
                del new["portal"][0][key]
        return new

    def _works(self, tables: dict[str, Any]) -> bool:
        try:
            config = self._on.judged(tables)
            return self._on.tried("portal", self._on.trials.portal(config))
        except ConfigError as error:
            if self._on.wish.hands_off:
                raise
            self._on.talk.tell(plain(error.say(self._on.language)))
            return False

    def _home(self) -> Home:
        return Home(address=str(self._on.new.get("service", {}).get("public_url", "")))
