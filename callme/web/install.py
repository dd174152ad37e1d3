"""Where a CRM comes when our application is installed in it: `/hooks/<portal>/install`.

Anybody may call this: the portal's adapter believes nothing that its CRM does not confirm. Here the fields
are read, within limits, and the adapter's answer is shown: a page that the CRM may frame and whose one script
from elsewhere is the CRM's own, named by the adapter. `callme.web.app` mounts the route; `web.doors` lets it
through.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import PlainTextResponse, Response

from callme.crm.installation import Installed, Verdict
from callme.web import forms
from callme.wording import Language, Phrase

Install = Callable[[str, Mapping[str, str]], Awaitable[Installed | None]]
"""Portal id and fields → what became of it; `None` when there is no such portal."""

TOO_LONG = Phrase("This is too long to be an installation.", "Для установки это слишком длинно.")

_STATUS = {
    Verdict.KEPT: HTTPStatus.OK,
    Verdict.KNOWN: HTTPStatus.OK,
    Verdict.FOREIGN: HTTPStatus.FORBIDDEN,
    Verdict.UNCLEAR: HTTPStatus.BAD_REQUEST,
    Verdict.LATER: HTTPStatus.SERVICE_UNAVAILABLE,
}
_template = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
).get_template("install.html")


def router(install: Install, otherwise: Language) -> APIRouter:
    """The one address. `otherwise` is the language of those who name none."""
    routes = APIRouter(include_in_schema=False)

    @routes.api_route("/hooks/{portal}/install", methods=["GET", "POST"])
    async def installed(portal: str, request: Request) -> Response:
        language = forms.language(request, otherwise)
        try:
            fields = await forms.fields(request)
        except forms.TooLongError:
            return PlainTextResponse(TOO_LONG.say(language), HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        except forms.NoFormError:
            return PlainTextResponse(forms.NO_FORM.say(language), HTTPStatus.BAD_REQUEST)
        found = await install(portal, fields)
        if found is None:
            return PlainTextResponse(forms.NO_PORTAL.say(language), HTTPStatus.NOT_FOUND)
        return _page(found, language)

    return routes


def _page(found: Installed, language: Language) -> Response:
    nonce = secrets.token_urlsafe(16)
    html = _template.render(
        lang=language,
        said=found.said.say(language),
        cure=found.cure.say(language) if found.cure else "",
        script=found.script,
        call=found.call,
        nonce=nonce,
    )
    return HTMLResponse(html, _STATUS[found.verdict], {"Content-Security-Policy": _policy(found, nonce)})


def _policy(found: Installed, nonce: str) -> str:
    """As strict as everywhere, but that the CRM may frame the page, and its script may run where the adapter
    asks for it. A policy that names frames outranks X-Frame-Options in every browser."""
    scripts = f"{_origin(found.script)} 'nonce-{nonce}'" if found.script else "'none'"
    framers = found.frame or "'none'"
    return (
        f"default-src 'none'; script-src {scripts}; base-uri 'none'; form-action 'none'; "
        f"frame-ancestors {framers}"
    )


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
