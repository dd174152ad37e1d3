"""What machines ask: `/healthz` (the process lives), `/readyz` (each PBX link and portal), `/metrics`."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from callme.web.board import Board, LinkState, PortalState


def router(board: Board, *, reasons: bool) -> APIRouter:
    """The three answers. `reasons` are left out where anybody may ask (see `web.doors`)."""
    health = APIRouter()

    def shown(state: LinkState | PortalState) -> dict[str, Any]:
        shown: dict[str, Any] = {"up": state.up}
        if reasons and state.why is not None:
            shown["why"] = state.why.say(board.language)
        if reasons and state.cure is not None:
            shown["cure"] = state.cure.say(board.language)
        return shown

    @health.get("/healthz")
    async def healthz() -> dict[str, bool]:
        """The process answers."""
        return {"alive": True}

    @health.get("/readyz", responses={503: {"description": "A PBX link or a portal is down"}})
    async def readyz() -> JSONResponse:
        """200 when every PBX link and portal is up, else 503; the body says which is not."""
        links, portals = await board.links(), await board.portals()
        ready = all(link.up for link in links) and all(portal.up for portal in portals)
        body = {
            "ready": ready,
            "pbx": {link.pbx: shown(link) for link in links},
            "portals": {portal.portal: shown(portal) for portal in portals},
        }
        return JSONResponse(body, 200 if ready else 503)

    @health.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        """Prometheus text."""
        return Response(generate_latest(board.registry), media_type=CONTENT_TYPE_LATEST)

    return health
