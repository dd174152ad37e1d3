"""One method call: address, gate, request, and what the answer means (law 8, sheet §3.3 and §4).

`Rest.call` returns `Done` or a `Fault`. A fault carries the outcome that it means for an order, and the
portal's own code and text for callers who know better what their method's answer means. Ordinary failures
are told by the presence of `error` or by HTTP ≥ 400, never by the code alone: real portals send an empty
one (K2). Nothing here decides to repeat, except once after an expired token. Every exchange is noted in the
trace of the attempt that it belongs to (law 12).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from callme.crm.port import UNTRACED, Ambiguous, Gate, Later, Outcome, Trace, Unauthorised, Urgency
from callme.http import Answer, HttpClient, NotSent, Reply, Upload
from callme.portals.bitrix24 import evidence, verdicts
from callme.portals.bitrix24.credentials import Credentials
from callme.wording import Phrase

QUIET_START_S, QUIET_MAX_S = 1.0, 30.0
"""After "too many requests" nobody enters for so long; doubled while the portal goes on refusing."""

OVERLOAD_S = 600.0
BUCKET_S = 60.0
"""Operating time is counted in buckets of a minute (§4.2): no relief comes sooner when the portal names no
time."""


@dataclass(frozen=True, slots=True)
class Done:
    """The portal did it. `next` is the offset of the next page of a list, if there is one."""

    result: Any
    next: int | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """It was not done, or nobody knows. `code` and `text` are the portal's words, secrets masked; empty
    when the portal said nothing."""

    outcome: Outcome
    code: str = ""
    text: str = ""

    def says(self, beginning: str) -> bool:
        """Whether the portal's text begins so. Its punctuation varies between versions (§8.3.30)."""
        return self.text.casefold().startswith(beginning.casefold())

    @property
    def stale(self) -> bool:
        """The token is what was refused: the method did nothing, a fresh token may help (§3.3)."""
        return self.code.lower() in ("expired_token", "invalid_token")


@dataclass(slots=True)
class _Pace:
    """What the portal has said of its limits; one for all callers."""

    quiet_s: float = 0.0
    relief: dict[str, float] = field(default_factory=dict)  # method → when its operating time shrinks
    blocked: dict[str, float] = field(default_factory=dict)  # method → until when the portal blocks it


class Rest:
    """Calls methods of one portal, each behind the gate."""

    def __init__(self, credentials: Credentials, http: HttpClient, gate: Gate) -> None:
        self.credentials = credentials
        self._http = http
        self._gate = gate
        self._pace = _Pace()
        self._trace: Trace = UNTRACED

    def noting(self, trace: Trace) -> Rest:
        """The same way to the portal, its limits included; what goes over it is noted in that trace."""
        twin = copy(self)
        twin._trace = trace
        return twin

    async def call(
        self,
        method: str,
        params: Mapping[str, Any],
        urgency: Urgency,
        *,
        reads: bool = False,
        answer_s: float | None = None,
    ) -> Done | Fault:
        """Calls one method. `reads`: it changes nothing, so a lost answer is merely late, not in doubt.
        `answer_s` is how long to wait for the answer, where it is not the portal's usual time."""
        blocked = self._pace.blocked.get(method, 0.0) - _loop_time()
        if blocked > 0:
            return Fault(Later(verdicts.operating_time(method), blocked), "OPERATION_TIME_LIMIT")
        unready = await self.credentials.ready()
        if unready is not None:
            return Fault(unready)
        address = self.credentials.address(method)
        found = await self._once(address, method, params, urgency, reads, answer_s)
        if not isinstance(found, Fault) or not found.stale:
            return found
        unready = await self.credentials.renew(address)
        if unready is not None:
            return replace(found, outcome=unready)
        address = self.credentials.address(method)
        return await self._once(address, method, params, urgency, reads, answer_s)

    async def upload(self, url: str, upload: Upload, urgency: Urgency, answer_s: float) -> Done | Fault:
        """Posts a file to an address that the portal gave. `OSError` when the file cannot be opened."""
        await self._gate.enter(urgency)
        asked = evidence.sent(url, upload, self.credentials.mask)
        reply = await self._noted(asked, self._http.post_file(url, upload, answer_s=answer_s))
        return self._understand("upload", reply, reads=False)

    async def _once(
        self,
        address: str,
        method: str,
        params: Mapping[str, Any],
        urgency: Urgency,
        reads: bool,
        answer_s: float | None,
    ) -> Done | Fault:
        await self._gate.enter(urgency)
        asked = evidence.asked(method, params, self.credentials.mask)
        reply = await self._noted(asked, self._http.post_json(address, params, answer_s=answer_s))
        return self._understand(method, reply, reads=reads)

    async def _noted(self, asked: str, sending: Awaitable[Reply]) -> Reply:
        if self._trace is UNTRACED:
            return await sending
        try:
            reply = await sending
        except asyncio.CancelledError:
            self._trace.note(asked, evidence.GIVEN_UP)
            raise
        self._trace.note(asked, evidence.answered(reply, self.credentials.mask))
        return reply

    def _understand(self, method: str, reply: Reply, *, reads: bool) -> Done | Fault:
        if isinstance(reply, NotSent):
            return Fault(Later(verdicts.about(self.credentials.host, reply.why)))
        if not isinstance(reply, Answer):
            return Fault(_unsure(verdicts.about(self.credentials.host, reply.why), reads=reads))
        if 300 <= reply.status < 400:
            return Fault(self._moved(reply))
        content = _decoded(reply.body)
        if content is None or not ("result" in content or "error" in content):
            return self._foreign(method, reply, reads=reads)
        if "error" in content or reply.status >= 400:
            return self._refusal(method, reply, content, reads=reads)
        self._pace.quiet_s = 0.0
        self._note_relief(method, content.get("time"))
        following = content.get("next")
        return Done(content["result"], following if isinstance(following, int) else None)

    def _refusal(
        self, method: str, reply: Answer, content: Mapping[str, Any], *, reads: bool
    ) -> Done | Fault:
        code = self.credentials.mask(str(content.get("error") or ""))
        text = self.credentials.mask(str(content.get("error_description") or ""))
        match code.upper():
            case "QUERY_LIMIT_EXCEEDED":
                return Fault(self._too_many(reply), code, text)
            case "OVERLOAD_LIMIT":
                self._gate.told_to_wait(OVERLOAD_S)
                return Fault(Later(verdicts.OVERLOAD, OVERLOAD_S), code, text)
            case "OPERATION_TIME_LIMIT":
                return Fault(self._blocked_for_a_while(method), code, text)
        found = verdicts.judge(method, reply.status, code, text, application=self.credentials.application)
        if isinstance(found, Ambiguous):
            found = _unsure(found.why, reads=reads)
        return Fault(found, code, text)

    def _foreign(self, method: str, reply: Answer, *, reads: bool) -> Fault:
        """An answer that is not the portal's JSON: a proxy, a maintenance page, a cut body."""
        if reply.status in (429, 503):
            return Fault(self._too_many(reply))
        found = verdicts.judge_page(
            self.credentials.host, reply.status, application=self.credentials.application
        )
        if isinstance(found, Ambiguous):
            found = _unsure(found.why, reads=reads)
        return Fault(found)

    def _too_many(self, reply: Answer) -> Later:
        """The bucket is over (§4.1). The portal asks everyone from this address for quiet."""
        named = reply.headers.get("retry-after", "")
        if named.isdecimal():
            self._pace.quiet_s = float(named)
        else:
            self._pace.quiet_s = min(QUIET_MAX_S, max(QUIET_START_S, 2 * self._pace.quiet_s))
        self._gate.told_to_wait(self._pace.quiet_s)
        return Later(verdicts.TOO_MANY, self._pace.quiet_s)

    def _blocked_for_a_while(self, method: str) -> Later:
        """Only this method is blocked (§4.2): the others go on, so the gate is not told."""
        now = _loop_time()
        until = self._pace.relief.get(method, 0.0)
        if until <= now:
            until = now + BUCKET_S
        self._pace.blocked[method] = until
        return Later(verdicts.operating_time(method), until - now)

    def _note_relief(self, method: str, timing: object) -> None:
        """Remembers when the method's operating time shrinks. Counted on the portal's clock, so that ours
        may differ."""
        if not isinstance(timing, dict):
            return
        reset, told = timing.get("operating_reset_at"), timing.get("finish")
        if isinstance(reset, int | float) and isinstance(told, int | float) and reset > told:
            self._pace.relief[method] = _loop_time() + reset - told

    def _moved(self, reply: Answer) -> Unauthorised:
        """A redirect: the portal has another name now. Not followed, a POST could turn into a GET (§3.2)."""
        new = _host_of(reply.headers.get("location", ""))
        return verdicts.moved(self.credentials.host, new, application=self.credentials.application)


def _unsure(why: Phrase, *, reads: bool) -> Later | Ambiguous:
    return Later(why) if reads else Ambiguous(why)


def _host_of(location: str) -> str:
    try:
        return urlsplit(location).hostname or ""
    except ValueError:
        return ""


def _decoded(body: bytes) -> dict[str, Any] | None:
    """The JSON object in a body, `None` when it holds none (a page, a cut answer)."""
    try:
        content = json.loads(body)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
