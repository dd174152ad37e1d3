"""What tests, the demo and curious people may see and turn: state, event stream, recordings, faults, knobs,
as HTTP.

Everything lies under `/sandbox/`; the portal's own REST is mounted here too. A real portal has nothing of the
kind.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from callme.lab.sandboxes.bitrix24 import audio
from callme.lab.sandboxes.bitrix24.faults import Fault
from callme.lab.sandboxes.bitrix24.rest import Rest
from callme.lab.sandboxes.bitrix24.state import Card, Happening, Office, Recording

HEARTBEAT_S = 15
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_TYPES = {"wav": "audio/wav", "mp3": "audio/mpeg", "flac": "audio/flac", None: "application/octet-stream"}


def routes(rest: Rest, clock: Callable[[], float]) -> list[Route]:
    """The REST door and the read-outs."""
    office = rest.office

    async def state(_request: Request) -> Response:
        return JSONResponse(snapshot(office, clock()))

    async def events(request: Request) -> Response:
        since = _since(request, office)
        stream = _stream(office, rest.closing, since)
        return StreamingResponse(
            stream, media_type="text/event-stream", headers={"cache-control": "no-store"}
        )

    async def audio_file(request: Request) -> Response:
        kept = office.recordings.get(request.path_params["number"])
        if kept is None:
            return JSONResponse({"error": "no such recording"}, 404)
        return _ranged(kept, request.headers.get("range", ""))

    async def faults(request: Request) -> Response:
        if request.method == "DELETE":
            rest.faults.clear()
        if request.method == "POST":
            sent = await request.json()
            try:
                rest.faults.add(*(Fault.read(item) for item in (sent if isinstance(sent, list) else [sent])))
            except (ValueError, TypeError) as error:
                return JSONResponse({"error": str(error)}, 400)
        return JSONResponse(rest.faults.as_json())

    async def knobs(request: Request) -> Response:
        if request.method == "PATCH":
            try:
                rest.knobs = rest.knobs.with_changes(await request.json())
            except ValueError as error:
                return JSONResponse({"error": str(error)}, 400)
        return JSONResponse(rest.knobs.as_json())

    return [
        Route("/rest/{rest:path}", rest.answer, methods=["GET", "POST"]),
        Route("/sandbox/state", state),
        Route("/sandbox/events", events),
        Route("/sandbox/recordings/{number:int}", audio_file),
        Route("/sandbox/faults", faults, methods=["GET", "POST", "DELETE"]),
        Route("/sandbox/knobs", knobs, methods=["GET", "PATCH"]),
    ]


def snapshot(office: Office, now: float) -> dict[str, Any]:
    """The portal's whole state as JSON-ready data. Times are epoch seconds."""
    return {
        "now": now,
        "users": [
            {
                **asdict(user),
                "cards": [_card(card) for card in office.cards_now(user.id)],
                "history": [_card(card) for card in office.cards if card.user == user.id],
            }
            for user in office.users.values()
        ],
        "customers": [asdict(customer) for customer in office.customers.values()],
        "lines": [asdict(line) for line in office.lines.values()],
        "calls": [asdict(call) for call in office.calls.values()],
        "statistics": [asdict(record) for record in office.statistics.values()],
        "activities": [asdict(activity) for activity in office.activities.values()],
        "missed": [asdict(missed) for missed in office.missed],
        "chat": list(office.chat),
        "notifications": [asdict(one) for one in office.notifications],
        "recordings": [_recording(kept) for kept in office.recordings.values()],
    }


def _card(card: Card) -> dict[str, Any]:
    return asdict(card)


def _recording(kept: Recording) -> dict[str, Any]:
    return {
        "id": kept.id,
        "call": kept.call,
        "name": kept.name,
        "size": len(kept.content),
        "sha256": kept.sha256,
        "duration": kept.duration,
        "kind": audio.kind(kept.content),
        "orphan": kept.orphan,
    }


def _since(request: Request, office: Office) -> int:
    """The last happening that the listener knows, by its own memory or as asked; `latest` skips the past."""
    known = request.headers.get("last-event-id") or request.query_params.get("since", "")
    if known == "latest":
        return office.journal[-1].ordinal if office.journal else 0
    return int(known) if known.isdigit() else 0


async def _stream(office: Office, closing: asyncio.Event, since: int) -> AsyncIterator[bytes]:
    """Happenings after ordinal `since`, then whatever comes, until the portal closes."""
    queue: asyncio.Queue[Happening] = asyncio.Queue()
    for happening in office.journal:
        if happening.ordinal > since:
            queue.put_nowait(happening)
    office.watchers.append(queue.put_nowait)
    closed = asyncio.create_task(closing.wait())
    try:
        yield b": open\n\n"
        while not closing.is_set():
            coming = asyncio.create_task(queue.get())
            try:
                await asyncio.wait((coming, closed), timeout=HEARTBEAT_S, return_when=asyncio.FIRST_COMPLETED)
                yield _event(coming.result()) if coming.done() else b": still here\n\n"
            finally:
                coming.cancel()
    finally:
        closed.cancel()
        office.watchers.remove(queue.put_nowait)


def _event(happening: Happening) -> bytes:
    body = json.dumps({"at": happening.at, **happening.about}, ensure_ascii=False)
    return f"id: {happening.ordinal}\nevent: {happening.kind}\ndata: {body}\n\n".encode()


def _ranged(kept: Recording, wanted: str) -> Response:
    """The audio, or the part of it that a player asks for."""
    content, size = kept.content, len(kept.content)
    headers = {"accept-ranges": "bytes", "x-content-type-options": "nosniff"}
    media_type = _TYPES[audio.kind(content)]
    match = _RANGE.fullmatch(wanted.strip())
    if match is None or match.group() == "bytes=-":
        return Response(content, media_type=media_type, headers=headers)
    first, last = match.groups()
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last), size - 1) if first and last else size - 1
    if start > end:
        return Response(status_code=416, headers={"content-range": f"bytes */{size}"})
    headers["content-range"] = f"bytes {start}-{end}/{size}"
    return Response(content[start : end + 1], 206, media_type=media_type, headers=headers)
