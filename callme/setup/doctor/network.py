"""The way from here to each CRM and to ourselves from outside: name, connection, certificate, clock.

Whether a certificate is trusted is told by the portal's own check, which knows its `ca_file`; here is looked
at what that check cannot tell: how long it lasts, and whose clock is wrong. Nothing secret is sent.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from cryptography import x509

from callme.config import is_loopback
from callme.setup.doctor.signs import Area, Level, Sign, well
from callme.wording import Phrase, plain

WAIT_S = 8.0
DAY_S = 86400.0
SOON_DAYS = 14
SKEW_HINT_S, SKEW_ILL_S = 5.0, 120.0

NAME = Phrase("name {host}", "имя {host}")
KNOWN = Phrase("is known: {addresses}", "известно: {addresses}")
UNKNOWN = Phrase("DNS does not know it", "DNS его не знает")
UNKNOWN_MEANS = Phrase("nothing can be told to that CRM", "в эту CRM ничего нельзя передать")
UNKNOWN_CURE = Phrase("getent hosts {host}", "getent hosts {host}")
REACH = Phrase("connection to {origin}", "соединение с {origin}")
NO_REACH = Phrase("it cannot be reached: {why}", "недоступен: {why}")
NO_REACH_CURE = Phrase("curl -sv -o /dev/null {origin}/", "curl -sv -o /dev/null {origin}/")
ANSWERS = Phrase("answers in {ms} ms", "отвечает за {ms} мс")
ANSWERS_TLS = Phrase(
    "answers in {ms} ms over {tls}; the certificate lasts {days} more days",
    "отвечает за {ms} мс по {tls}; сертификат действует ещё {days} дн.",
)
EXPIRES_MEANS = Phrase(
    "afterwards no connection to it will stand", "после этого соединение с ним не установить"
)
EXPIRES_CURE = Phrase(
    "whoever runs {host} renews its certificate", "сертификат обновляет тот, кто держит {host}"
)
CLOCK = Phrase("clock against {origin}", "часы относительно {origin}")
AGREE = Phrase("they agree within {seconds} s", "расходятся не больше чем на {seconds} с")
DIFFER = Phrase("ours differs by {seconds} s", "наши отличаются на {seconds} с")
DIFFER_MEANS = Phrase(
    "calls stand at a wrong time in the CRM, and clicks are taken for old ones",
    "звонки в CRM окажутся не на своём времени, а клики сочтутся старыми",
)
SET_CLOCK = Phrase("timedatectl set-ntp true", "timedatectl set-ntp true")

PUBLIC = Phrase("public address {url}", "внешний адрес {url}")
NO_PUBLIC = Phrase("public address", "внешний адрес")
NOT_SET = Phrase("not set", "не задан")
NOT_SET_MEANS = Phrase(
    "the CRM cannot reach us: no calls by a click, no installed application, no links to our pages",
    "CRM до нас не достучится: не будет звонков по клику, приложения и ссылок на наши страницы",
)
NOT_SET_CURE = Phrase("set public_url in [service]", "задайте public_url в [service]")
US = Phrase("CallMe answers there", "там отвечает CallMe")
NOT_US = Phrase("what answers there is not CallMe (HTTP {status})", "там отвечает не CallMe (HTTP {status})")
UNREACHED_MEANS = Phrase(
    "clicks and the application's installation will not arrive; from inside a network the address may be "
    "closed to us alone, so try it from outside too",
    "клики и установка приложения не дойдут; изнутри сети адрес может быть закрыт только для нас — "
    "проверьте и снаружи",
)
PUBLIC_CURE = Phrase("curl -s {url}/healthz", "curl -s {url}/healthz")


@dataclass(frozen=True, slots=True)
class Met:
    """A server that answered: how fast, over what, with which clock (epoch seconds; `None` untold)."""

    took_s: float
    status: int
    tls: str = ""
    expires: float | None = None
    clock: float | None = None
    body: bytes = b""
    at: float = 0.0


async def examine(origins: Iterable[str], public_url: str) -> list[Sign]:
    """The signs of the network: of each origin (`https://host[:port]`) and of our own public address."""
    parts = await asyncio.gather(*(_origin(origin) for origin in dict.fromkeys(origins)), _public(public_url))
    return [sign for part in parts for sign in part]


async def _origin(origin: str) -> list[Sign]:
    host = urlsplit(origin).hostname or ""
    signs = [] if is_loopback(host) else [await _name(host)]
    if signs and signs[0].level is Level.ILL:
        return signs
    met = await asyncio.to_thread(meet, origin, "/")
    if isinstance(met, str):
        found = NO_REACH.given(why=plain(met))
        cure = NO_REACH_CURE.given(origin=origin)
        topic = REACH.given(origin=origin)
        return [*signs, Sign(Area.NETWORK, Level.ILL, topic, found, UNKNOWN_MEANS, cure)]
    return [*signs, _reached(origin, host, met), *_clock(origin, met)]


async def _name(host: str) -> Sign:
    topic = NAME.given(host=host)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return Sign(Area.NETWORK, Level.ILL, topic, UNKNOWN, UNKNOWN_MEANS, UNKNOWN_CURE.given(host=host))
    addresses = ", ".join(dict.fromkeys(str(one[4][0]) for one in found))
    return well(Area.NETWORK, topic, KNOWN.given(addresses=addresses))


def _reached(origin: str, host: str, met: Met) -> Sign:
    topic = REACH.given(origin=origin)
    ms = round(met.took_s * 1000)
    if met.expires is None:
        return well(Area.NETWORK, topic, ANSWERS.given(ms=ms))
    days = int((met.expires - met.at) / DAY_S)
    found = ANSWERS_TLS.given(ms=ms, tls=met.tls, days=days)
    if days < SOON_DAYS:
        cure = EXPIRES_CURE.given(host=host)
        level = Level.ILL if days < 1 else Level.HINT
        return Sign(Area.NETWORK, level, topic, found, EXPIRES_MEANS, cure)
    return well(Area.NETWORK, topic, found)


def _clock(origin: str, met: Met) -> list[Sign]:
    if met.clock is None:
        return []
    # The header tells whole seconds, and was written somewhere on the way of the answer.
    off = max(0.0, abs(met.at - met.clock) - 1.0 - met.took_s)
    return [skew(Area.NETWORK, CLOCK.given(origin=origin), off, DIFFER_MEANS)]


def skew(area: Area, topic: Phrase, off_s: float, means: Phrase) -> Sign:
    """Two clocks that differ by so much."""
    if off_s < SKEW_HINT_S:
        return well(area, topic, AGREE.given(seconds=max(1, round(off_s))))
    level = Level.ILL if off_s >= SKEW_ILL_S else Level.HINT
    return Sign(area, level, topic, DIFFER.given(seconds=round(off_s)), means, SET_CLOCK)


async def _public(url: str) -> list[Sign]:
    if not url:
        return [Sign(Area.NETWORK, Level.HINT, NO_PUBLIC, NOT_SET, NOT_SET_MEANS, NOT_SET_CURE)]
    topic = PUBLIC.given(url=url)
    met = await asyncio.to_thread(meet, url, "/healthz")
    cure = PUBLIC_CURE.given(url=url)
    if isinstance(met, str):
        found = NO_REACH.given(why=plain(met))
        return [Sign(Area.NETWORK, Level.ILL, topic, found, UNREACHED_MEANS, cure)]
    if not is_ours(met):
        found = NOT_US.given(status=met.status)
        return [Sign(Area.NETWORK, Level.ILL, topic, found, UNREACHED_MEANS, cure)]
    return [well(Area.NETWORK, topic, US)]


def is_ours(met: Met) -> bool:
    """Whether that answer to /healthz is CallMe's."""
    try:
        return met.status == 200 and json.loads(met.body) == {"alive": True}
    except ValueError:
        return False


def meet(origin: str, path: str) -> Met | str:
    """Asks a server for one page; why it could not be asked, in the system's words. Blocking."""
    parts = urlsplit(origin)
    host, port = parts.hostname or "", parts.port
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(host, port, timeout=WAIT_S, context=_curious())
    else:
        connection = http.client.HTTPConnection(host, port, timeout=WAIT_S)
    began = time.monotonic()
    try:
        connection.connect()
        tls, expires = _certificate(connection.sock)
        connection.request("GET", parts.path.rstrip("/") + path, headers={"User-Agent": "CallMe"})
        answer = connection.getresponse()
        took, at = time.monotonic() - began, time.time()
        told = answer.getheader("Date")
        return Met(took, answer.status, tls, expires, _date(told), answer.read(4096), at)
    except (OSError, http.client.HTTPException) as error:
        return getattr(error, "strerror", None) or str(error) or type(error).__name__
    finally:
        connection.close()


def _curious() -> ssl.SSLContext:
    """Sees a certificate whoever issued it; nothing secret goes over it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _certificate(line: object) -> tuple[str, float | None]:
    if not isinstance(line, ssl.SSLSocket):
        return "", None
    shown = line.getpeercert(binary_form=True)
    if shown is None:
        return line.version() or "TLS", None
    return line.version() or "TLS", x509.load_der_x509_certificate(shown).not_valid_after_utc.timestamp()


def _date(told: str | None) -> float | None:
    try:
        return parsedate_to_datetime(told).timestamp() if told else None
    except ValueError:
        return None
