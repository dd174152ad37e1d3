"""Which calls' recordings never leave, by line, direction and who talked. Asked by `crm.policy`. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from callme.calls.model import Call
from callme.calls.numbering import pattern
from callme.config import Config, KeepBack
from callme.crm.routing import same_line


@dataclass(frozen=True, slots=True)
class Privacy:
    """The rules of a configuration. `country` is how its lines are read."""

    rules: tuple[KeepBack, ...] = ()
    country: str = ""

    def keeps_back(self, call: Call) -> bool:
        """Whether the call's recordings stay here."""
        return any(_fits(call, rule, self.country) for rule in self.rules)


def privacy_of(config: Config) -> Privacy:
    """What the configuration says."""
    return Privacy(config.keep_back, config.service.country)


def _fits(call: Call, rule: KeepBack, country: str) -> bool:
    if rule.pbx not in ("", call.pbx) or rule.direction not in ("", call.direction.value):
        return False
    if rule.line and not same_line(rule.line, call.line or call.trunk, country):
        return False
    people = (call.owner, call.caller, *(talk.extension for talk in call.talks))
    return not rule.extensions or any(
        _shape(text).match(who) for text in rule.extensions for who in people if who is not None
    )


_shape = lru_cache(maxsize=1024)(pattern)
