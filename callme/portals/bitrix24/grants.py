"""The authorisation server's answers to a refresh, and what each means (sheet §3.2).

One request, one verdict; `application` decides when to ask and keeps what comes. The server says
`wrong_client` with HTTP 200, so the body counts, not the status.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from callme.crm.port import Later, Outcome, Unauthorised
from callme.http import Answer, HttpClient
from callme.portals.bitrix24 import verdicts
from callme.wording import Phrase

PATH = "/oauth/token/"


@dataclass(frozen=True, slots=True)
class Granted:
    """A new pair. `host` is the portal's name as the server knows it, empty when it does not say."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    host: str = ""


@dataclass(frozen=True, slots=True)
class Denied:
    """No new pair. `final`: this refresh token will never work again."""

    outcome: Outcome
    code: str = ""
    final: bool = False


_UNKNOWN_CLIENT = (
    Phrase(
        "The authorisation server knows no such application: client_id or client_secret is wrong, or the "
        "application was deleted.",
        "Сервер авторизации не знает такого приложения: неверен client_id или client_secret, либо приложение "
        "удалено.",
    ),
    Phrase(
        "Copy client_id and client_secret from the application's page in Bitrix24; then install it again.",
        "Скопируйте client_id и client_secret со страницы приложения в Битрикс24 и установите его заново.",
    ),
)
_SPENT = (
    Phrase(
        "The authorisation server does not renew the access: the application was uninstalled, or its refresh "
        "token is used up or older than 180 days.",
        "Сервер авторизации не продлевает доступ: приложение удалено, либо токен обновления уже использован "
        "или старше 180 дней.",
    ),
    verdicts.REINSTALL,
)
_MEANINGS: Mapping[str, tuple[Phrase, Phrase]] = {
    "INVALID_GRANT": _SPENT,
    "INVALID_CLIENT": _UNKNOWN_CLIENT,
    "WRONG_CLIENT": _UNKNOWN_CLIENT,
    "INVALID_REQUEST": _UNKNOWN_CLIENT,
    "NOT_INSTALLED": (
        Phrase("The application is not installed any more.", "Приложение больше не установлено."),
        verdicts.REINSTALL,
    ),
    "PAYMENT_REQUIRED": (
        Phrase("Bitrix24 asks for payment.", "Битрикс24 требует оплаты."),
        verdicts.SUBSCRIPTION,
    ),
    "INSUFFICIENT_SCOPE": (
        Phrase("The application's rights have changed.", "Права приложения изменились."),
        verdicts.REINSTALL,
    ),
    "INVALID_SCOPE": (
        Phrase("The application's rights have changed.", "Права приложения изменились."),
        verdicts.REINSTALL,
    ),
}
_REDIRECTS = Phrase(
    "The authorisation server {host} sends us elsewhere ({new}).",
    "Сервер авторизации {host} отправляет по другому адресу ({new}).",
)
_SERVER = Phrase(
    "Check oauth_server; leave it out to use the vendor's own.",
    "Проверьте oauth_server; уберите его, чтобы использовать сервер разработчика.",
)
_NO_GRANT = Phrase(
    "The authorisation server {host} answers {status} without tokens.",
    "Сервер авторизации {host} отвечает {status}, но токенов не даёт.",
)


async def refresh(http: HttpClient, server: str, query: Mapping[str, str]) -> Granted | Denied:
    """Asks for the next pair."""
    host = urlsplit(server).hostname or ""
    reply = await http.get(server + PATH, query)
    if not isinstance(reply, Answer):
        return Denied(Later(verdicts.about(host, reply.why)))
    if 300 <= reply.status < 400:
        new = _host(reply.headers.get("location", ""))
        return Denied(Unauthorised(_REDIRECTS.given(host=host, new=new), _SERVER))
    told = _told(reply.body)
    code = str(told.get("error") or "")
    if code.upper() in _MEANINGS:
        return Denied(Unauthorised(*_MEANINGS[code.upper()]), code, final=code.upper() == "INVALID_GRANT")
    access, following = told.get("access_token"), told.get("refresh_token")
    if code or not (isinstance(access, str) and access and isinstance(following, str) and following):
        return Denied(Later(_NO_GRANT.given(host=host, status=reply.status)), code)
    return Granted(access, following, _host(str(told.get("client_endpoint") or "")))


def _told(body: bytes) -> Mapping[str, Any]:
    try:
        told = json.loads(body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
