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
from collections.abc import Awaitable, Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from callme.crm.port import (
    UNTRACED,
    Ambiguous,
    Delivered,
    Gate,
    Later,
    Outcome,
    Trace,
    Unauthorised,
    Urgency,
)
from callme.http import Answer, HttpClient, NotSent, Reply, Upload
from callme.portals.bitrix24 import batches, evidence, verdicts
from callme.portals.bitrix24.credentials import Credentials
from callme.wording import Phrase

BATCH = "batch"
TOGETHER = frozenset(
    {
        "telephony.externalCall.register",
        "telephony.externalCall.finish",
        "telephony.externalCall.searchCrmEntities",
        "voximplant.statistic.get",
    }
)
"""The methods that travel with others of their kind when many records are owed at once."""

QUIET_START_S, QUIET_MAX_S = 1.0, 30.0
"""After "too many requests" nobody enters for so long; doubled while the portal goes on refusing."""

OVERLOAD_S = 600.0
OPERATING_S = 480.0
BACKLOG_SHARE = 0.95
"""What is sent together leaves the rest of a method's operating time to calls that go on: without it their
cards would be blocked with it (§4.2; another portal's limit is learned when it blocks)."""

BATCH_MAX = 50
BATCH_S = 10.0
"""A batch is made as long as the portal is likely to work on for so long; it cuts a request after 60 s."""

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


@dataclass(frozen=True, slots=True)
class Command:
    """One call of a batch. `key` names it for later ones: `$result[key][…]` in their parameters stands for
    what it answered."""

    key: str
    method: str
    params: Mapping[str, Any]
    trace: Trace = UNTRACED
    reads: bool = False


Gather = Callable[[Command], Awaitable[Done | Fault]]
"""Takes a call to send it together with others."""


@dataclass(slots=True)
class _Pace:
    """What the portal has said of its limits; one for all callers."""

    quiet_s: float = 0.0
    command_s: float = 0.1  # what a command of a batch takes, the gate's wait apart
    used: dict[str, float] = field(default_factory=dict)  # method → its operating time as last told
    most: float = OPERATING_S  # the operating time that a method may have
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
        self._gather: Gather | None = None

    def noting(self, trace: Trace) -> Rest:
        """The same way to the portal, its limits included; what goes over it is noted in that trace."""
        twin = copy(self)
        twin._trace = trace
        return twin

    def gathering(self, gather: Gather, trace: Trace) -> Rest:
        """The same, but what may travel with others is handed to `gather`."""
        twin = self.noting(trace)
        twin._gather = gather
        return twin

    @property
    def gathers(self) -> bool:
        """Whether what is asked here may wait to be sent together with others."""
        return self._gather is not None

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
        blocked = self.blocked(method)
        if blocked is not None:
            return blocked
        if self._gather is not None and method in TOGETHER:
            return await self._gather(Command("", method, params, self._trace, reads))
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

    def blocked(self, method: str, *, backlog: bool = False) -> Fault | None:
        """Why the method cannot be called now: the portal blocks it, or, for what is sent of a `backlog`, is
        about to."""
        now = _loop_time()
        until = self._pace.blocked.get(method, now)
        if backlog and self._pace.used.get(method, 0.0) > self._pace.most * BACKLOG_SHARE:
            until = max(until, self._pace.relief.get(method, now))
        if until <= now:
            return None
        return Fault(Later(verdicts.operating_time(method), until - now), "OPERATION_TIME_LIMIT")

    @property
    def batch_size(self) -> int:
        """How many commands a batch should have, as fast as the portal has been."""
        return max(2, min(BATCH_MAX, int(BATCH_S / self._pace.command_s)))

    async def many(
        self, commands: Sequence[Command], urgency: Urgency, answer_s: float
    ) -> list[Done | Fault]:
        """Calls methods in one request, one after the other whatever became of those before (§4.3). Answers
        in their order; what is wrong with the request as a whole is wrong with each. At most `BATCH_MAX`."""
        unready = await self.credentials.ready()
        if unready is not None:
            return [Fault(unready)] * len(commands)
        address = self.credentials.address(BATCH)
        found = await self._many_once(address, commands, urgency, answer_s)
        stale = [one for one in found if isinstance(one, Fault) and one.stale]
        if not stale:
            return found
        unready = await self.credentials.renew(address)
        if unready is not None:
            return [replace(one, outcome=unready) if one in stale else one for one in found]
        if len(stale) == len(found):
            return await self._many_once(self.credentials.address(BATCH), commands, urgency, answer_s)
        # It expired on the way: what was done is done, and the rest is asked anew.
        return [replace(one, outcome=Later(_why(one))) if one in stale else one for one in found]

    async def _many_once(
        self, address: str, commands: Sequence[Command], urgency: Urgency, answer_s: float
    ) -> list[Done | Fault]:
        await self._gate.enter(urgency)
        cmd = {one.key: batches.command(one.method, one.params) for one in commands}
        asked = [evidence.asked_together(one.method, one.params, self.credentials.mask) for one in commands]
        began = _loop_time()
        try:
            reply = await self._http.post_json(address, {"halt": 0, "cmd": cmd}, answer_s=answer_s)
        except asyncio.CancelledError:
            for one, words in zip(commands, asked, strict=True):
                one.trace.note(words, evidence.GIVEN_UP)
            raise
        took = (_loop_time() - began) / len(commands)
        self._pace.command_s = max(0.001, (self._pace.command_s + took) / 2)
        whole = self._understand(BATCH, reply, reads=False)
        answers = batches.Answers(whole.result if isinstance(whole, Done) else None)
        found: list[Done | Fault] = []
        for one, words in zip(commands, asked, strict=True):
            told = answers.of(one.key)
            said = evidence.answered(reply, self.credentials.mask)
            if told is not None:
                said = evidence.answered_together(told, self.credentials.mask)
            one.trace.note(words, said)
            found.append(self._one_of_many(one, whole, told))
        return found

    def _one_of_many(
        self, command: Command, whole: Done | Fault, told: Mapping[str, Any] | None
    ) -> Done | Fault:
        if isinstance(whole, Fault):
            unsure = isinstance(whole.outcome, Ambiguous)
            return replace(whole, outcome=_unsure(_why(whole), reads=command.reads)) if unsure else whole
        if told is None:
            return Fault(_unsure(verdicts.LEFT_OUT, reads=command.reads))
        if "error" not in told:
            self._note_relief(command.method, told.get("time"))
            return Done(told["result"])
        status = verdicts.status_inside(str(told["error"] or ""), str(told.get("error_description") or ""))
        return self._refusal(command.method, Answer(status, {}, b""), told, reads=command.reads)

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
        self._pace.most = max(1.0, min(self._pace.most, self._pace.used.get(method, self._pace.most)))
        return Later(verdicts.operating_time(method), until - now)

    def _note_relief(self, method: str, timing: object) -> None:
        """Remembers when the method's operating time shrinks. Counted on the portal's clock, so that ours
        may differ."""
        if not isinstance(timing, dict):
            return
        used = timing.get("operating")
        self._pace.used[method] = used if isinstance(used, int | float) else 0.0
        reset, told = timing.get("operating_reset_at"), timing.get("finish")
        if isinstance(reset, int | float) and isinstance(told, int | float) and reset > told:
            self._pace.relief[method] = _loop_time() + reset - told

    def _moved(self, reply: Answer) -> Unauthorised:
        """A redirect: the portal has another name now. Not followed, a POST could turn into a GET (§3.2)."""
        new = _host_of(reply.headers.get("location", ""))
        return verdicts.moved(self.credentials.host, new, application=self.credentials.application)


def _why(fault: Fault) -> Phrase:
    return fault.outcome.why if not isinstance(fault.outcome, Delivered) else verdicts.LEFT_OUT


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
