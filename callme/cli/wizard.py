"""`callme setup --web`: the set-up in a browser. Shows an address that opens once, serves the wizard until
whoever opened it has finished, and ends.

It listens to this machine alone unless another address is named, and then not without TLS unless that is
wanted in so many words: what is typed in are passwords.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from callme import __version__
from callme.cli.tongue import language, say
from callme.config import is_loopback
from callme.config.forms import split_listen
from callme.errors import ConfigError
from callme.setup.visit import Visit
from callme.web.wizard.key import ENTER_S, Key
from callme.web.wizard.pages import create_wizard
from callme.wording import Phrase, plain

LISTEN = "127.0.0.1:8099"

OPEN_IT = Phrase(
    "Open this address in a browser. It opens once, within {minutes} minutes; keep it to yourself:",
    "Откройте этот адрес в браузере. Он открывается один раз, в течение {minutes} минут; никому его не "
    "показывайте:",
)
TUNNEL = Phrase(
    "From another machine, first: ssh -L {port}:{host}:{port} THIS-MACHINE. Ctrl-C ends it.",
    "С другой машины сначала: ssh -L {port}:{host}:{port} ЭТА-МАШИНА. Закончить — Ctrl-C.",
)
IN_THE_CLEAR = Phrase(
    "! Without TLS everybody on the way can read the passwords that you type in.",
    "! Без TLS пароли, которые вы введёте, видны каждому по пути.",
)
ENDED = Phrase("The set-up in the browser has ended.", "Настройка в браузере закончена.")
BARE = Phrase(
    "--listen {listen}: others can reach this address, and there is no TLS",
    "--listen {listen}: этот адрес доступен другим, а TLS нет",
)
BARE_CURE = Phrase(
    "give --tls-cert and --tls-key; or leave --listen away and use “ssh -L”; or, in a network that you "
    "trust, say --without-tls",
    "задайте --tls-cert и --tls-key; или уберите --listen и войдите через «ssh -L»; или, если доверяете "
    "сети, скажите --without-tls",
)
PAIR = Phrase("--tls-cert and --tls-key belong together", "--tls-cert и --tls-key задаются вместе")
BAD_TLS = Phrase("the certificate cannot be used: {why}", "сертификат не годится: {why}")
BAD_TLS_CURE = Phrase(
    "name PEM files of a certificate and its key, without a passphrase",
    "укажите PEM-файлы сертификата и его ключа, без пароля",
)
TAKEN = Phrase("cannot listen on {listen}: {why}", "не удаётся слушать {listen}: {why}")
TAKEN_CURE = Phrase("name another address with --listen", "задайте другой адрес через --listen")
BAD_LISTEN = Phrase("--listen {listen}: it is not ADDRESS:PORT", "--listen {listen}: это не АДРЕС:ПОРТ")
NOT_WITH = Phrase("--web does not go with {option}", "--web не сочетается с {option}")
NOT_WITH_CURE = Phrase(
    "leave one of them away; the pages show everything before they write, and take it back too",
    "уберите один из них; страницы показывают всё до записи и умеют возвращать как было",
)


@dataclass(frozen=True, slots=True)
class Door:
    """Where the wizard listens and how. `bare`: without TLS although others can reach it."""

    listen: str = LISTEN
    cert: Path | None = None
    key: Path | None = None
    bare: bool = False

    @property
    def here(self) -> bool:
        """Whether this machine alone can reach it."""
        return is_loopback(split_listen(self.listen)[0])


def serve(visit: Visit, door: Door) -> int:
    """Serves until it is finished, ended, or nobody came; 0 when what was done last is well. Raises
    `ConfigError`."""
    checked(door)
    tls = _tls(door)
    listener = _listener(door)
    with listener:
        key = Key(time.monotonic)
        app = create_wizard(visit, key, __version__, language(), here=door.here)
        told = lines(door, key.word, listener.getsockname()[1])
        asyncio.run(_serve(app, key, listener, tls, told))
    print(say(ENDED))
    return 0 if visit.outcome is not None and visit.outcome.well else 1


def alone(others: Mapping[str, bool]) -> None:
    """Refuses options that mean another way to set up. Raises `ConfigError`."""
    for option, given in others.items():
        if given:
            raise ConfigError(NOT_WITH.given(option=option), NOT_WITH_CURE)


def checked(door: Door) -> None:
    """Refuses what would show passwords to others. Raises `ConfigError`."""
    try:
        split_listen(door.listen)
    except ValueError:
        raise ConfigError(BAD_LISTEN.given(listen=door.listen)) from None
    if (door.cert is None) != (door.key is None):
        raise ConfigError(PAIR)
    if not (door.here or door.cert or door.bare):
        raise ConfigError(BARE.given(listen=door.listen), BARE_CURE)


def lines(door: Door, word: str, port: int) -> list[str]:
    """What the terminal shows."""
    host = split_listen(door.listen)[0]
    shown = socket.getfqdn() if _unspecified(host) else f"[{host}]" if ":" in host else host
    scheme = "https" if door.cert else "http"
    told = [
        say(OPEN_IT, minutes=int(ENTER_S // 60)),
        "",
        f"    {scheme}://{shown}:{port}/enter?key={word}",
        "",
    ]
    if door.here:
        told.append(say(TUNNEL, host=shown, port=port))
    elif not door.cert:
        told.append(say(IN_THE_CLEAR))
    return told


def _unspecified(host: str) -> bool:
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False


class _Pages(uvicorn.Server):
    """The web server; signals are ours."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _serve(
    app: FastAPI, key: Key, listener: socket.socket, tls: ssl.SSLContext | None, told: Sequence[str]
) -> None:
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", proxy_headers=False)
    config.load()
    config.ssl = tls
    server, over = _Pages(config), app.state.over
    loop = asyncio.get_running_loop()
    for one in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(one, over.set)
    print("\n".join(told), flush=True)  # whoever reads it finds us listening, and may end us
    pages = asyncio.create_task(server.serve(sockets=[listener]))
    while not over.is_set() and key.left > 0:
        try:
            async with asyncio.timeout(key.left):
                await over.wait()
        except TimeoutError:
            continue  # somebody may have come meanwhile, and the time begun anew
    server.should_exit = True
    await pages


def _tls(door: Door) -> ssl.SSLContext | None:
    if door.cert is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(door.cert, door.key, password=lambda: "")
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise ConfigError(BAD_TLS.given(why=plain(error)), BAD_TLS_CURE) from None
    return context


def _listener(door: Door) -> socket.socket:
    host, port = split_listen(door.listen)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        why = error.strerror or str(error)
        raise ConfigError(TAKEN.given(listen=door.listen, why=plain(why)), TAKEN_CURE) from None
    return listener
