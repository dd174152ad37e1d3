"""Calls the application in the ways that tests need: directly, or over a real socket for streams and
browsers.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import uvicorn

from callme.config import Service
from callme.web.app import create_app
from callme.web.board import Board


@asynccontextmanager
async def asking(
    board: Board, service: Service | None = None, host: str = "127.0.0.1:8080"
) -> AsyncIterator[httpx2.AsyncClient]:
    """A client that calls the application without a socket, under that `Host`."""
    transport = httpx2.ASGITransport(app=create_app(board, service or Service()))
    async with httpx2.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
        yield client


@asynccontextmanager
async def serving(board: Board, service: Service | None = None) -> AsyncIterator[str]:
    """The application on a loopback port; its address. Streams are ended before the server stops."""
    app = create_app(board, service or Service())
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # who comes before the server is up waits in line
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            app.state.live.close()
            server.should_exit = True
            await task
