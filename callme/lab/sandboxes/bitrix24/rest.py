"""The portal's REST door: addresses, bodies, credentials, limits, the envelope of answers, and batches (sheet
§1.0, §4).

An HTTP request comes in, a method of `methods` is asked, JSON goes out. The order of the checks is the
contract's `check_order`. Trouble that was ordered (`faults`) strikes here. Knows nothing of telephony.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import httpx2
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from callme.lab.sandboxes.bitrix24 import batch, php, recording
from callme.lab.sandboxes.bitrix24.ask import Ask, Fetch, Fetched, Page
from callme.lab.sandboxes.bitrix24.authority import Authority
from callme.lab.sandboxes.bitrix24.faults import Fault, FaultKind, Faults, Moment
from callme.lab.sandboxes.bitrix24.knobs import Knobs
from callme.lab.sandboxes.bitrix24.limits import LeakyBucket, OperatingTime
from callme.lab.sandboxes.bitrix24.methods import METHODS
from callme.lab.sandboxes.bitrix24.refusal import Refusal, missing_scope, unknown_method, wrong_credentials
from callme.lab.sandboxes.bitrix24.state import Office, User

CLOSE = "sandbox.close"
BATCH, UPLOAD, OAUTH = "batch", "upload", "oauth"
FETCH_TIMEOUT_S = 60
LARGEST_FIELD = 2**31
_RESERVED = ("start", "state", "auth", "access_token", "auth_connector", "aplogin", "ap", "token")
_DOING = (FaultKind.TRUNCATED, FaultKind.DETACHED)
_HTML = "<!DOCTYPE html><html><body><h1>{status}</h1><hr><center>nginx</center></body></html>"


class Silence(Response):
    """No answer at all: the connection is closed. How that is done, the server says in the scope."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[CLOSE]()
        while (await receive())["type"] != "http.disconnect":
            pass


@dataclass(frozen=True, slots=True)
class Webhook:
    """The portal's one incoming webhook."""

    user: int
    secret: str


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that came, as tests count them. `method` is in lower case."""

    at: float
    method: str
    params: dict[str, Any]
    status: int
    error: str | None


@dataclass(frozen=True, slots=True)
class _Target:
    """Where a request wants to go."""

    method: str
    user: str
    secret: str
    token: str = ""  # an application's access token


@dataclass(frozen=True, slots=True)
class _Caller:
    """Who calls; how an upload link of his begins; what app.info tells him, `None` for a webhook."""

    owner: User
    address: str
    application: dict[str, Any] | None = None


class Rest:
    """The door. `knobs` may be replaced at any time; `requests` is what came, newest last."""

    def __init__(
        self, office: Office, knobs: Knobs, webhook: Webhook, faults: Faults, clock: Callable[[], float]
    ) -> None:
        self.office = office
        self.knobs = knobs
        self.webhook = webhook
        self.faults = faults
        self.authority = Authority()
        self.requests: deque[Asked] = deque(maxlen=10_000)
        self.closing = asyncio.Event()
        self._clock = clock
        self._bucket = LeakyBucket()
        self._operating = OperatingTime()
        self._key = secrets.token_bytes(32)
        self._detached: set[asyncio.Task[None]] = set()

    async def answer(self, request: Request) -> Response:
        """One HTTP request to `/rest/…`."""
        target = _target(request)
        fault = self.faults.next(target.method)
        if self.knobs.latency:
            await self._pause(self.knobs.latency)
        if fault and fault.moment is Moment.BEFORE and fault.kind not in _DOING:
            self._note(target.method, {}, fault.status, f"fault:{fault.kind}")
            return await self._strike(fault, 200, {})
        if fault and fault.kind is FaultKind.DETACHED:
            await self._do_detached(request, target, fault.seconds)
            return Silence()
        if self.knobs.portal_renamed:
            return self._elsewhere(request, target.method)
        params: dict[str, Any] = {}
        try:
            self._bucket.admit(request.client.host if request.client else "", self._clock(), self.knobs)
            status, body = 200, await self._admitted(request, target, params)
        except Refusal as refusal:
            status, body = refusal.spoken(self.knobs)
        self._note(target.method, params, status, body.get("error"))
        if fault:
            return await self._strike(fault, status, body)
        return _json(status, body)

    async def _do_detached(self, request: Request, target: _Target, seconds: float) -> None:
        """The request is here; a client that goes away does not call it back."""
        await request.body()

        async def work() -> None:
            await self._pause(seconds)
            if self.closing.is_set():
                return
            params: dict[str, Any] = {}
            try:
                status, body = 200, await self._admitted(request, target, params)
            except Refusal as refusal:
                status, body = refusal.spoken(self.knobs)
            self._note(target.method, params, status, body.get("error"))

        task = asyncio.create_task(work())
        self._detached.add(task)
        task.add_done_callback(self._detached.discard)
        await asyncio.shield(task)

    async def grant(self, request: Request) -> Response:
        """One HTTP request to the authorisation server; a fault's name for it is `oauth`."""
        fault = self.faults.next(OAUTH)
        if fault and fault.moment is Moment.BEFORE and fault.kind not in _DOING:
            self._note(OAUTH, {}, fault.status, f"fault:{fault.kind}")
            return await self._strike(fault, 200, {})
        renamed = self.knobs.portal_renamed
        portal = f"https://{renamed}/" if renamed else str(request.base_url)
        status, body = self.authority.grant(request.query_params, self._clock(), self.knobs, portal)
        self._note(OAUTH, {}, status, body.get("error"))
        return await self._strike(fault, status, body) if fault else _json(status, body)

    def _elsewhere(self, request: Request, method: str) -> Response:
        """The portal has another name now."""
        self._note(method, {}, 302, "renamed")
        location = f"https://{self.knobs.portal_renamed}{request.url.path}"
        return HTMLResponse(_HTML.format(status=302), 302, {"location": location})

    async def _admitted(self, request: Request, target: _Target, params: dict[str, Any]) -> dict[str, Any]:
        """Check in the contract's order, then ask the method. Fills `params` with what the client sent."""
        started = self._clock()
        self.office.purge(started)
        if self.knobs.require_https and request.url.scheme != "https":
            raise Refusal(400, "INVALID_REQUEST", "Https required.")
        if self.knobs.portal_deleted:
            raise Refusal(403, "PORTAL_DELETED", "Portal was deleted", docs_status=500)
        if target.method not in (*METHODS, BATCH, UPLOAD):
            raise unknown_method()
        if target.method == UPLOAD:
            return await self._upload(request, self._authenticated(request, target))
        sent = await _sent(request)
        if not (target.token or target.user or target.secret):
            target = replace(target, token=php.text(sent.get("auth") or sent.get("access_token")))
        caller = self._authenticated(request, target)
        params.update(sent)
        start = php.integer(params.pop("start", 0))
        for name in _RESERVED:
            params.pop(name, None)
        if target.method == BATCH:
            result = await self._batch(params, caller)
            return {"result": result, "time": self._time(started, BATCH)}
        return await self._call(target.method, params, start, caller)

    def _authenticated(self, request: Request, target: _Target) -> _Caller:
        if target.token:
            return self._holding(request, target.token)
        if not target.user and not target.secret:
            raise Refusal(401, "NO_AUTH_FOUND", "Wrong authorization data")
        owner = self.office.users.get(self.webhook.user)
        right = hmac.compare_digest(target.secret.encode(), self.webhook.secret.encode())
        if not right or target.user != str(self.webhook.user) or owner is None or not owner.active:
            raise wrong_credentials()
        address = f"{request.base_url}rest/{self.webhook.user}/{self.webhook.secret}/upload/?token="
        return _Caller(owner, address)

    def _holding(self, request: Request, token: str) -> _Caller:
        """Whoever holds an access token of the application acts as the user whom it was given for."""
        owner = self.office.users.get(self.authority.user_of(token, self._clock()))
        if owner is None or not owner.active:
            raise Refusal(401, "authorization_error", "Unable to authorize user")
        address = f"{request.base_url}rest/upload.json?auth={token}&token="
        return _Caller(owner, address, self.authority.info())

    async def _call(self, name: str, params: dict[str, Any], start: int, caller: _Caller) -> dict[str, Any]:
        """One method with its envelope; used for single requests and for the commands of a batch."""
        method = METHODS[name]
        if not method.allowed(self.knobs):
            raise missing_scope("access" if caller.application else "webhook")
        started = self._clock()
        self._operating.check(name, started, self.knobs)
        try:
            if caller.application is None:
                method.refuse_webhook(self.knobs)
            result = method.answer(self._ask(method.params(params, self.knobs), start, caller))
            while isinstance(result, Fetch):
                result = result.then(await _fetch(result.url))
        finally:
            seconds = self._clock() - started + self._execution(name)
            self._operating.spend(name, started, seconds, self.knobs)
        if not isinstance(result, Page):
            return {"result": result, "time": self._time(started, name)}
        following = {} if result.following is None else {"next": result.following}
        return {"result": result.rows, **following, "total": result.total, "time": self._time(started, name)}

    async def _batch(self, params: dict[str, Any], caller: _Caller) -> dict[str, Any]:
        """Up to 50 commands, one after the other; the outer request counts once against the rate (§4.3)."""
        given = {str(name).lower(): value for name, value in params.items()}
        answers = batch.Answers()
        for count, (key, raw) in enumerate(batch.commands(given.get("cmd")).items()):
            try:
                if count >= batch.MOST_COMMANDS:
                    raise batch.too_many()
                body = await self._command(raw, answers, caller)
            except Refusal as refusal:
                answers.error[key] = refusal.spoken(self.knobs)[1]
                if php.truthy(given.get("halt")):
                    break
                continue
            answers.result[key], answers.time[key] = body["result"], body["time"]
            if "total" in body:
                answers.total[key] = body["total"]
            if "next" in body:
                answers.next[key] = body["next"]
        return answers.body()

    async def _command(self, raw: str, answers: batch.Answers, caller: _Caller) -> dict[str, Any]:
        name, params = batch.command(raw, answers)
        name = name.lower()
        if name in batch.NOT_IN_BATCH:
            raise batch.not_allowed()
        if name not in METHODS:
            raise unknown_method()
        fault = self.faults.next(name, in_batch=True)
        if fault and fault.moment is Moment.BEFORE:
            raise _as_refusal(fault)
        start = php.integer(params.pop("start", 0))
        body = await self._call(name, params, start, caller)
        if fault:
            raise _as_refusal(fault)
        return body

    async def _upload(self, request: Request, caller: _Caller) -> dict[str, Any]:
        """The second step of attachRecord: a signed link, one part named `file`. The answer has no `time`."""
        if "telephony" not in self.knobs.scopes:
            raise missing_scope("access" if caller.application else "webhook")
        token = request.query_params.get("token", "")
        name: str | None = None
        content = b""
        async with request.form(max_part_size=LARGEST_FIELD) as form:
            part = form.get("file")
            if isinstance(part, UploadFile):
                name, content = part.filename or "", await part.read()
        ask = self._ask({}, 0, caller)
        return {"result": recording.receive(ask, token, name, content)}

    def _ask(self, params: dict[str, Any], start: int, caller: _Caller) -> Ask:
        return Ask(
            office=self.office,
            knobs=self.knobs,
            owner=caller.owner,
            params=params,
            start=start,
            now=self._clock(),
            address=caller.address,
            sign=lambda body: hmac.new(self._key, body.encode(), hashlib.sha256).hexdigest(),
            methods=self._existing,
            application=caller.application,
        )

    def _existing(self, name: str) -> tuple[bool, bool]:
        method = METHODS.get(name.lower())
        known = method is not None or name.lower() == BATCH
        return known, known and (method is None or method.allowed(self.knobs))

    def _execution(self, name: str) -> float:
        """What the knob adds to the method's real execution time."""
        said = {method.lower(): seconds for method, seconds in self.knobs.execution_s.items()}
        return said.get(name, 0.0)

    def _time(self, started: float, name: str) -> dict[str, Any]:
        finished = self._clock() + self._execution(name)
        time: dict[str, Any] = {
            "start": started,
            "finish": finished,
            "duration": finished - started,
            "processing": finished - started,
            "date_start": php.iso(started),
            "date_finish": php.iso(finished),
        }
        if self.knobs.operating_limit_s and name != BATCH:
            now = self._clock()
            reset_at = self._operating.reset_at(name, now, self.knobs)
            if reset_at is not None:
                time["operating_reset_at"] = reset_at
            time["operating"] = self._operating.used(name, now, self.knobs)
        return time

    async def _strike(self, fault: Fault, status: int, body: dict[str, Any]) -> Response:
        """The ordered trouble instead of the answer."""
        if fault.kind is FaultKind.HANG:
            await self._pause(fault.seconds)
            if fault.moment is Moment.AFTER:
                return _json(status, body)
        if fault.kind in (FaultKind.DROP, FaultKind.HANG):
            return Silence()
        if fault.kind is FaultKind.HTML:
            return HTMLResponse(_HTML.format(status=fault.status), fault.status)
        if fault.kind is FaultKind.TRUNCATED:
            whole = _json(status, body)
            return Response(bytes(whole.body)[: len(whole.body) // 2], status, media_type="application/json")
        return _json(*_as_refusal(fault).spoken(self.knobs))

    async def _pause(self, seconds: float) -> None:
        """Wait, unless the portal is being switched off."""
        try:
            await asyncio.wait_for(self.closing.wait(), seconds)
        except TimeoutError:
            return

    def _note(self, method: str, params: dict[str, Any], status: int, error: str | None) -> None:
        self.requests.append(Asked(self._clock(), method, params, status, error))


def _target(request: Request) -> _Target:
    parts = request.path_params["rest"].strip("/").split("/")
    query = request.query_params
    method = parts[-1] if len(parts) in (1, 3) else ""
    user, secret = parts[:2] if len(parts) >= 2 else (query.get("aplogin", ""), query.get("ap", ""))
    header = request.headers.get("authorization", "")
    bearer = header[7:].strip() if header.lower().startswith("bearer ") else ""
    token = (bearer or query.get("auth") or query.get("access_token") or "") if len(parts) == 1 else ""
    return _Target(method.removesuffix(".json").lower(), user, secret, token)


async def _sent(request: Request) -> dict[str, Any]:
    """Query and body as one map, the body winning. A body that is no JSON map counts as empty."""
    params = php.query(request.url.query)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        try:
            sent = json.loads(await request.body() or b"{}")
        except ValueError:
            return params
        return {**params, **sent} if isinstance(sent, dict) else params
    if kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        async with request.form(max_part_size=LARGEST_FIELD) as form:
            fields = [(key, value) for key, value in form.multi_items() if isinstance(value, str)]
        return {**params, **php.nest(fields)}
    return params


async def _fetch(url: str) -> Fetched:
    """What the portal gets from an address. It does not verify certificates, as the real one does not
    (§1.6)."""
    try:
        async with httpx2.AsyncClient(verify=False, timeout=FETCH_TIMEOUT_S) as client:
            answer = await client.get(url)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        return Fetched(0, trouble=f"0: {error}")
    return Fetched(answer.status_code, answer.content)


def _as_refusal(fault: Fault) -> Refusal:
    if fault.kind is FaultKind.EXPIRED:
        return Refusal(401, "expired_token", "The access token provided has expired")
    return Refusal(fault.status, fault.code, fault.text)


def _json(status: int, body: dict[str, Any]) -> Response:
    return Response(json.dumps(body), status, media_type="application/json; charset=utf-8")
