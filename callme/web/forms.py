"""What a CRM's page posts to us, within limits: read for the pages that a CRM frames (`install`, `tab`)."""

from __future__ import annotations

from urllib.parse import parse_qsl

from fastapi import Request
from starlette.requests import ClientDisconnect

from callme.web.pages import spoken
from callme.wording import LANGUAGES, Language, Phrase

BODY_MAX = 64 * 1024
FIELDS_MAX = 200

NO_PORTAL = Phrase("There is no such portal here.", "Такого портала здесь нет.")
NO_FORM = Phrase("This is not a form.", "Это не форма.")


class TooLongError(Exception):
    """More was sent than any CRM sends."""


class NoFormError(Exception):
    """It is no form, or its sender went away."""


async def fields(request: Request) -> dict[str, str]:
    """The fields of query and form; those of the form win. Raises `TooLongError`, `NoFormError`."""
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > BODY_MAX:
                raise TooLongError
        return dict(request.query_params) | _form(bytes(body))
    except (ClientDisconnect, ValueError):
        raise NoFormError from None


def language(request: Request, otherwise: Language) -> Language:
    """A frame is opened with the language that its user has chosen in the CRM."""
    chosen = request.query_params.get("LANG", "").lower()
    for known in LANGUAGES:
        if chosen == known:
            return known
    return spoken(request, otherwise)


def _form(body: bytes) -> dict[str, str]:
    """`ValueError` when it is none."""
    return dict(
        parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, max_num_fields=FIELDS_MAX, strict_parsing=bool(body)
        )
    )
