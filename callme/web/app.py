"""Puts the web face together: one ASGI application over a `Board`. The service serves it; tests call it
directly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from callme.config import Person, Service
from callme.setup.standing import Standing
from callme.web import api, archive, health, lookups, olddoors, pages, standing, tab, webhooks
from callme.web.board import Board
from callme.web.doors import Doors
from callme.web.install import Install
from callme.web.install import router as installs


def create_app(
    board: Board,
    service: Service,
    install: Install | None = None,
    ears: webhooks.Ears | None = None,
    old: olddoors.OldDoors | None = None,
    asking: lookups.Lookups | None = None,
    kept: archive.Archive | None = None,
    people: Sequence[Person] = (),
    cards: tab.Tab | None = None,
    stand: Callable[[], Standing] | None = None,
) -> FastAPI:
    """The application. `install` takes what CRMs send when our application is installed in them, `ears` what
    they tell us from then on, `old` what comes to the addresses of an older connector, `asking` answers PBXs
    that ask who calls; `kept` are the calls' recordings; `people` may come in beside who manages; `cards` is
    our tab in the CRMs' cards of calls; `stand` tells what the set-up wrote.
    `app.state.live.close()` ends the live streams, so that a server can stop at once."""
    app = FastAPI(
        title="CallMe",
        version=board.version,
        docs_url=None,  # those pages bring scripts from elsewhere
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    face = pages.Pages(board, kept, setup=stand is not None)
    app.state.live = face.live
    if old is not None:
        app.include_router(olddoors.router(old))
    app.include_router(pages.router(face, board))
    app.include_router(api.router(board))
    app.include_router(health.router(board, reasons=not service.guarded))
    if kept is not None:
        app.include_router(archive.router(kept, board.language))
    if install is not None:
        app.include_router(installs(install, board.language))
    if cards is not None:
        app.include_router(tab.router(cards, board))
    if stand is not None:
        app.include_router(standing.router(stand, board))
    if ears is not None:
        app.include_router(webhooks.router(ears))
    if asking is not None:
        app.include_router(lookups.router(asking))
    app.mount("/static", StaticFiles(directory=Path(__file__).with_name("static")), name="static")
    names = old.names if old is not None else frozenset()
    app.add_middleware(Doors, service=service, people=people, old=names)
    return app
