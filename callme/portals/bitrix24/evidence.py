"""What was asked of the portal and what it answered, as a person may read it (law 12).

Pure: `rest` hands over each request and reply, and notes the texts. No secret passes: ours are masked by the
credentials, the portal's own (an upload address, tokens) by their names.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from callme.http import Answer, NotSent, Reply, Upload

LENGTH = 2000
"""Characters kept of a request and of an answer."""

PARSED_MAX = 100_000
"""Bytes: a longer body is not taken apart, and none of it is shown but its size."""

GIVEN_UP = "given up before an answer came"

_SECRET = {"auth", "access_token", "refresh_token", "application_token", "client_secret", "token", "sign"}
_STARS = "***"

Mask = Callable[[str], str]


def asked(method: str, params: Mapping[str, Any], mask: Mask) -> str:
    """A call of a method with its parameters."""
    return _cut(mask(f"{method} {_written(params)}"))


def asked_together(method: str, params: Mapping[str, Any], mask: Mask) -> str:
    """The same, when it travelled in a batch with others."""
    return _cut(mask(f"batch: {method} {_written(params)}"))


def answered_together(told: Mapping[str, Any], mask: Mask) -> str:
    """What a batch answered to one of its commands."""
    return _cut(mask(f"batch: {_written(told)}"))


def sent(url: str, upload: Upload, mask: Mask) -> str:
    """An upload. Its address works like a password and is not shown."""
    host = urlsplit(url).hostname or ""
    return _cut(mask(f"upload to {host}: {upload.field}={upload.name} ({upload.media_type})"))


def answered(reply: Reply, mask: Mask) -> str:
    """What came back, or why nothing did."""
    if isinstance(reply, NotSent):
        return f"not sent: {reply.why.say()}"
    if not isinstance(reply, Answer):
        return f"no answer: {reply.why.say()}"
    return _cut(mask(f"{reply.status} {_body(reply.body)}"))


def _body(body: bytes) -> str:
    if len(body) > PARSED_MAX:
        return f"({len(body)} bytes)"
    try:
        return _written(json.loads(body))
    except ValueError:
        return " ".join(body.decode("utf-8", "replace").split())


def _written(value: Any) -> str:
    return json.dumps(_masked(value), ensure_ascii=False, separators=(",", ":"))


def _masked(value: Any, name: str = "") -> Any:
    if isinstance(value, Mapping):
        return {str(key): _masked(one, str(key)) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(one, name) for one in value]
    if not isinstance(value, str) or not value:
        return value
    if name.lower() in _SECRET:
        return _STARS
    return _address(value, name) if value.lower().startswith(("http://", "https://")) else value


def _address(value: str, name: str) -> str:
    """An address without what lets in whoever knows it: its query, and of an upload address its path too."""
    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
    except ValueError:
        return _STARS
    if "upload" in name.lower():
        return f"{parts.scheme}://{host}/{_STARS}"
    return f"{parts.scheme}://{host}{parts.path}{'?' + _STARS if parts.query else ''}"


def _cut(text: str) -> str:
    return text if len(text) <= LENGTH else text[: LENGTH - 1] + "…"
