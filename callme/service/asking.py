"""The three ways in which a PBX asks who calls: FreePBX's lookup source, `CURL` and FastAGI from a hook.

The web calls `look_up`, `pbx.agi` calls `answer`. Both show the key of `[routing]`; without it nobody learns
anything, and nothing is done.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping

import structlog

from callme.config.steering import Routing
from callme.pbx.agi import Question as AgiQuestion
from callme.service.steering import NAME, RING_S, THEN, Question, Reply, Steering, Way
from callme.web.lookups import Asked, Told

log = structlog.get_logger("callme.asking")

UNIQUEID = re.compile(r"[A-Za-z0-9._:-]{1,149}")
NUMBER_MAX = 80
EXTENSION = "CALLME_EXTEN"


class Asking:
    """The doors of all PBXs. Implements `callme.web.lookups.Lookups`."""

    def __init__(self, routing: Routing, steerings: Mapping[str, Steering]) -> None:
        self._open = routing.open
        self._key = _digest(routing.key.get_secret_value())
        self._steerings = steerings

    async def look_up(self, asked: Asked) -> Told | None:
        """The answer to one question over HTTP; `None` for who does not know the key or the PBX."""
        way = Way.EXTENSION if asked.by_dialplan else Way.REDIRECT
        question = Question(_line(asked.number), asked.uniqueid, _line(asked.did))
        reply = await self._answered(asked.pbx, asked.key, question, way)
        return None if reply is None else Told(reply.name, reply.extension)

    async def answer(self, asked: AgiQuestion) -> Iterable[tuple[str, str]]:
        """The variables for one question over FastAGI: `AGI(agi://host:port/<pbx>,<key>,<did>)`."""
        key, did = (*asked.arguments, "", "")[:2]
        value = asked.values.get
        number = _line(value("callerid", ""))
        question = Question("" if number == "unknown" else number, value("uniqueid", ""), _line(did))
        reply = await self._answered(asked.script.partition("?")[0], key, question, Way.DIALPLAN)
        if reply is None:
            return ()
        name = ((NAME, reply.name),) if reply.name else ()
        how = ((RING_S, str(reply.ring_s)), (THEN, reply.then)) if reply.extension else ()
        return (*name, *how, (EXTENSION, reply.extension))

    async def _answered(self, pbx: str, key: str, question: Question, way: Way) -> Reply | None:
        # Both are digests of one length, so that time tells nothing of the key.
        known = hmac.compare_digest(_digest(key), self._key)
        if not (known and self._open):
            log.warning("a stranger asked who calls", pbx=pbx if pbx in self._steerings else "?")
            return None
        steering = self._steerings.get(pbx)
        if steering is None:
            log.warning("an unknown PBX asked who calls")
            return None
        if not UNIQUEID.fullmatch(question.uniqueid) or len(question.number + question.did) > 2 * NUMBER_MAX:
            log.warning("a question that cannot be understood", pbx=pbx)
            return Reply(question.number[:NUMBER_MAX])
        return await steering.ask(question, way)


def _line(text: str) -> str:
    """A number is what a caller's own telephone says it is: what would end a line of AMI, or an answer of
    one line, is no part of it."""
    return "".join(sign for sign in text if sign.isprintable())


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
