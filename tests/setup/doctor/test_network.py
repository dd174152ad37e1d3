"""Servers met: their answer, their certificate's days, their clock."""

from __future__ import annotations

import datetime
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from callme.setup.doctor import network
from callme.setup.doctor.signs import Level


@contextmanager
def serving(body: bytes = b"{}", *, ahead_s: float = 0.0, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """A web server that says this, with a clock of its own; its address."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(200)
            self.send_header("Date", formatdate(time.time() + ahead_s, usegmt=True))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Page)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def certified(folder: Path, days: int) -> ssl.SSLContext:
    """A server's settings with a certificate of its own making that lasts so long."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - datetime.timedelta(days=400))
    made = builder.not_valid_after(now + datetime.timedelta(days=days, hours=1)).sign(key, hashes.SHA256())
    file = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


async def test_a_server_in_order() -> None:
    with serving() as origin:
        signs = await network.examine([origin, origin], "")
    assert [sign.level for sign in signs] == [Level.WELL, Level.WELL, Level.HINT]  # no public address


async def test_a_wrong_clock_is_told_with_its_cure() -> None:
    with serving(ahead_s=-3600) as origin:
        signs = await network.examine([origin], "")
    (clock,) = [sign for sign in signs if "clock" in sign.topic.say("en")]
    assert clock.level is Level.ILL
    assert clock.cure is not None
    assert clock.cure.say("en") == "timedatectl set-ntp true"


async def test_a_certificate_that_ends_soon_is_told(tmp_path: Path) -> None:
    for days, level in ((5, Level.HINT), (0, Level.ILL), (90, Level.WELL)):
        with serving(tls=certified(tmp_path, days)) as origin:
            signs = await network.examine([origin], "")
        assert signs[0].level is level
        assert f"{days} more days" in signs[0].found.say("en")


async def test_a_server_that_cannot_be_reached_and_a_name_that_nobody_knows() -> None:
    signs = await network.examine(["http://127.0.0.1:1", "https://callme-test.invalid"], "")
    assert [sign.level for sign in signs[:2]] == [Level.ILL, Level.ILL]
    assert signs[1].cure is not None
    assert signs[1].cure.say("en") == "getent hosts callme-test.invalid"


async def test_who_answers_at_the_public_address() -> None:
    with serving(b'{"alive": true}') as url:
        assert (await network.examine([], url))[0].level is Level.WELL
    with serving(b"<html>") as url:
        (sign,) = await network.examine([], url)
    assert sign.level is Level.ILL
    assert "not CallMe" in sign.found.say("en")
    (sign,) = await network.examine([], "http://127.0.0.1:1")
    assert sign.level is Level.ILL
