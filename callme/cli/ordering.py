"""Gives an order to the service that runs on this machine, over its own API: a running service owns its
database.
"""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from typing import Any

from callme.config import Config
from callme.errors import TroubleError
from callme.wording import Phrase, plain

_UNREACHED = Phrase(
    "The running service at {url} did not take the order: {why}",
    "Работающий сервис по адресу {url} не принял команду: {why}",
)


def order(config: Config, path: str, body: dict[str, Any] | None = None) -> dict[str, Any] | None:
    """What the service answers to a POST below `/api/v1/`; `None` when it knows no such thing (404). Raises
    `TroubleError`."""
    service = config.service
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(service.host, service.host)  # noqa: S104  # as configured
    base = f"http://[{host}]:{service.port}" if ":" in host else f"http://{host}:{service.port}"
    headers = {"X-CallMe": "1", "Content-Type": "application/json"}
    if service.guarded:
        pair = f"{service.web_user}:{service.web_password.get_secret_value()}".encode()
        headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
    data = json.dumps(body or {}).encode()
    request = urllib.request.Request(f"{base}/api/v1/{path}", data, headers, method="POST")  # noqa: S310
    try:
        # No proxy: the service is on this machine, whatever the environment says of the web.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=60) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 404:
            return None
        raise TroubleError(_UNREACHED.given(url=base, why=plain(f"HTTP {error.code}"))) from None
    except OSError as error:
        raise TroubleError(_UNREACHED.given(url=base, why=plain(error))) from None
