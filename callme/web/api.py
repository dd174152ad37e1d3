"""`/api/v1`: calls and state as JSON, documented by OpenAPI. Times are epoch seconds.

The one order, to try a delivery again, must carry a header of ours: no foreign page in a browser can send it.
"""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from callme.calls.model import (
    Call,
    Direction,
    Disposition,
    Hold,
    RecordingFile,
    Ring,
    Side,
    Step,
    Talk,
    Transfer,
    encode,
)
from callme.config import Role
from callme.web.board import AttemptView, BadCursor, Board, CallQuery, DeliveryView
from callme.web.guest import admit
from callme.wording import Phrase


class Delivery(BaseModel):
    """One record on its way to one portal. `why` tells the last attempt's trouble in the configured
    language."""

    id: int
    portal: str
    kind: str
    state: str
    attempts: int
    why: str | None
    next_at: float | None
    settled_at: float | None


class Exchange(BaseModel):
    """One request to the portal and its answer: secrets masked, each cut to a readable length."""

    request: str
    answer: str


class Attempt(BaseModel):
    """One attempt that ended."""

    portal: str
    kind: str
    number: int
    at: float
    took_ms: int
    outcome: str
    why: str | None
    exchanges: list[Exchange]


class CallBody(BaseModel):
    """All that is known of a call. `number` is E.164 where it can be told; empty together with `external`
    when hidden. `lost` says that the end was not seen."""

    id: str
    pbx: str
    direction: Direction
    external: str
    number: str
    name: str
    line: str
    trunk: str
    caller: str | None
    open: bool
    started_at: float
    answered_at: float | None
    ended_at: float | None
    ring_s: float
    talk_s: float
    disposition: Disposition
    answered_by: str | None
    last_talker: str | None
    owner: str | None
    via: str | None
    hung_up_by: Side | None
    vote: int | None
    lost: bool
    certain: bool
    rang: list[Ring]
    talks: list[Talk]
    holds: list[Hold]
    transfers: list[Transfer]
    path: list[Step]
    recordings: list[RecordingFile]
    linked: list[str]
    aliases: list[str]
    command: str | None
    deliveries: list[Delivery]


class CallStoryBody(CallBody):
    """A call with each attempt to tell it."""

    attempt_log: list[Attempt]


class Calls(BaseModel):
    """One page, newest first. Pass `next` as `after` to get the following one; `null` on the last page."""

    calls: list[CallBody]
    next: str | None


class PbxState(BaseModel):
    """One PBX link."""

    pbx: str
    up: bool
    since: float
    why: str | None
    cure: str | None


class PortalBody(BaseModel):
    """One portal; `backlog` counts what it has not taken yet, `refused` what it will not take."""

    portal: str
    up: bool
    since: float
    why: str | None
    cure: str | None
    backlog: int
    refused: int


class StateBody(BaseModel):
    """The service at this moment. `anomalies` counts unexpected observations of the last 24 hours."""

    version: str
    pbx: list[PbxState]
    portals: list[PortalBody]
    anomalies: int


class Retried(BaseModel):
    """The delivery that is tried again."""

    id: int


DAY_S = 86_400.0


def router(board: Board) -> APIRouter:
    """The API over that board."""
    api = APIRouter(prefix="/api/v1")

    def told(phrase: Phrase | None) -> str | None:
        return phrase.say(board.language) if phrase else None

    def delivery(view: DeliveryView) -> Delivery:
        return Delivery(
            id=view.id,
            portal=view.portal,
            kind=view.kind,
            state=view.state,
            attempts=view.attempts,
            why=told(view.why),
            next_at=view.next_at,
            settled_at=view.settled_at,
        )

    def attempt(view: AttemptView) -> Attempt:
        return Attempt(
            portal=view.portal,
            kind=view.kind,
            number=view.number,
            at=view.at,
            took_ms=view.took_ms,
            outcome=view.outcome,
            why=told(view.why),
            exchanges=[Exchange(request=one.request, answer=one.answer) for one in view.exchanges],
        )

    @api.get("/calls")
    async def calls(
        open: Annotated[
            bool | None, Query(description="only calls that go on, or only those that are over")
        ] = None,
        direction: Direction | None = None,
        disposition: Disposition | None = None,
        number: Annotated[str | None, Query(description="the outside number or its last digits")] = None,
        line: str | None = None,
        pbx: str | None = None,
        since: Annotated[datetime | None, Query(description="ISO time or epoch seconds; included")] = None,
        until: Annotated[
            datetime | None, Query(description="ISO time or epoch seconds; not included")
        ] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
        after: Annotated[str | None, Query(description="`next` of the page before")] = None,
    ) -> Calls:
        """Calls, newest first."""
        query = CallQuery(
            open, direction, disposition, number, line, pbx, _epoch(since), _epoch(until), limit, after
        )
        try:
            page = await board.list_calls(query)
        except BadCursor:
            raise HTTPException(
                400, "`after` is no cursor of this list: leave it out to begin again"
            ) from None
        rows = [_body(row.call, [delivery(one) for one in row.deliveries]) for row in page.rows]
        return Calls(calls=rows, next=page.next)

    @api.get("/calls/{call_id}", responses={404: {"description": "There is no such call"}})
    async def call(call_id: str) -> CallStoryBody:
        """One call with everything about it."""
        story = await board.story(call_id)
        if story is None:
            raise HTTPException(404, "there is no call with this id")
        body = _body(story.call, [delivery(one) for one in story.deliveries])
        return CallStoryBody(**dict(body), attempt_log=[attempt(one) for one in story.attempts])

    @api.get(
        "/calls/{call_id}/transcript",
        response_class=Response,
        responses={
            200: {"content": {"application/zip": {}}, "description": "A ZIP archive"},
            404: {"description": "There is no such call, or its transcript is not kept any more"},
        },
    )
    async def transcript(call_id: str) -> Response:
        """What the PBX said of one call, for `callme replay`: FILE.ami and FILE.ami.idx. It holds phone
        numbers."""
        found = await board.transcript(call_id)
        if found is None:
            raise HTTPException(404, "no transcript of this call is kept")
        name = re.sub(r"[^\w.-]", "_", call_id, flags=re.ASCII)
        kept = io.BytesIO()
        with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{name}.ami", found.ami)
            archive.writestr(f"{name}.ami.idx", found.idx)
        disposition = {"Content-Disposition": f'attachment; filename="{name}.zip"'}
        return Response(kept.getvalue(), media_type="application/zip", headers=disposition)

    @api.get("/state")
    async def state() -> StateBody:
        """PBX links and portals."""
        return StateBody(
            version=board.version,
            pbx=[
                PbxState(pbx=one.pbx, up=one.up, since=one.since, why=told(one.why), cure=told(one.cure))
                for one in await board.links()
            ],
            portals=[
                PortalBody(
                    portal=one.portal,
                    up=one.up,
                    since=one.since,
                    why=told(one.why),
                    cure=told(one.cure),
                    backlog=one.backlog,
                    refused=one.refused,
                )
                for one in await board.portals()
            ],
            anomalies=await board.oddities_since(board.now() - DAY_S),
        )

    @api.post(
        "/deliveries/{delivery_id}/retry",
        responses={403: {"description": "The header is missing"}, 404: {"description": "Nothing to retry"}},
    )
    async def retry(
        request: Request, delivery_id: int, x_callme: Annotated[str | None, Header()] = None
    ) -> Retried:
        """Tries a refused or waiting delivery again. Send `X-CallMe: 1` with it."""
        if not x_callme:
            raise HTTPException(403, "send the header X-CallMe: 1 with an order")
        admit(request, Role.MANAGE)
        if not await board.retry(delivery_id):
            raise HTTPException(404, "there is no delivery with this id that could be retried")
        return Retried(id=delivery_id)

    return api


def _epoch(moment: datetime | None) -> float | None:
    """A time without a zone is local."""
    return None if moment is None else moment.timestamp()


def _body(call: Call, deliveries: list[Delivery]) -> CallBody:
    return CallBody(
        **{name: value for name, value in encode(call).items() if name in CallBody.model_fields},
        open=call.open,
        ring_s=call.ring_s,
        talk_s=call.talk_s,
        deliveries=deliveries,
    )
