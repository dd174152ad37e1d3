"""placeholder"""

from __future__ import annotations

from collections.abc import Callable

from starlette.routing import Route

from callme.lab.sandboxes.bitrix24.state import Office


def routes(office: Office, clock: Callable[[], float]) -> list[Route]:
    return []
