"""A PBX on another machine, seen by SFTP and by HTTPS: a real sshd that lets nobody have a shell, and a real
web server with a certificate of a private authority. Both show the same folder.
"""

from __future__ import annotations

import base64
import functools
import getpass
import http.server
import os
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

SSHD = "/usr/sbin/sshd"


@dataclass
class Sshd:
    """One SSH server of this user, on a port of its own, for SFTP alone."""

    folder: Path
    port: int = 0

    @property
    def key(self) -> Path:
        return self.folder / "id"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"


def _key(file: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file], check=True)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def sshd(folder: Path) -> Iterator[Sshd]:
    """Runs until the end of the block."""
    made = Sshd(folder, free_port())
    for name in ("host", "id", "stranger"):
        _key(folder / name)
    (folder / "authorized_keys").write_text((folder / "id.pub").read_text())
    (folder / "authorized_keys").chmod(0o600)
    host = " ".join((folder / "host.pub").read_text().split()[:2])
    made.known_hosts.write_text(f"[127.0.0.1]:{made.port} {host}\n")
    config = folder / "sshd_config"
    config.write_text(
        f"ListenAddress 127.0.0.1:{made.port}\nHostKey {folder}/host\nPidFile none\nUsePAM no\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\nPasswordAuthentication no\nStrictModes no\n"
        f"PermitRootLogin prohibit-password\nSubsystem sftp internal-sftp\nForceCommand internal-sftp\n"
        f"AllowUsers {getpass.getuser()}\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    process = subprocess.Popen(
        [SSHD, "-D", "-e", "-f", config], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        _listening(made.port)
        yield made
    finally:
        process.terminate()
        process.communicate()


def _listening(port: int) -> None:
    until = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < until, "the server did not come up"
            time.sleep(0.02)
        else:
            return


def certificates(folder: Path) -> tuple[Path, Path]:
    """An authority of ours, and its certificate for localhost: (authority, certificate with key)."""
    authority, pem = folder / "ca.pem", folder / "server.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    run = functools.partial(subprocess.run, check=True, capture_output=True)
    run([*make, "-subj", "/CN=lab authority", "-keyout", folder / "ca.key", "-out", authority])
    ask = ["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]
    run([*ask, "-keyout", folder / "server.key", "-out", folder / "server.csr"])
    names = folder / "names"
    names.write_text("subjectAltName=DNS:localhost\n")
    sign = ["openssl", "x509", "-req", "-days", "2", "-CAcreateserial", "-extfile", names]
    sign += ["-CA", authority, "-CAkey", folder / "ca.key", "-in", folder / "server.csr"]
    run([*sign, "-out", folder / "server.crt"])
    pem.write_text((folder / "server.key").read_text() + (folder / "server.crt").read_text())
    return authority, pem


@dataclass
class Web:
    """What a test may set on the web server, and what it was asked."""

    root: Path
    address: str = ""
    authorization: str = ""
    ranges: bool = True
    break_after: int | None = None
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def basic(self, user: str, password: str) -> None:
        self.authorization = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@contextmanager
def web(root: Path, pem: Path) -> Iterator[Web]:
    """Serves the folder over TLS until the end of the block."""
    about = Web(root)

    class Door(http.server.SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(root))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            """Silent."""

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, *, body: bool) -> None:
            about.asked.append((self.command, self.path, self.headers.get("Range", "")))
            if about.authorization and self.headers.get("Authorization") != about.authorization:
                self.say(401, b"")
                return
            file = Path(self.translate_path(self.path))
            if not file.is_file():
                self.say(404, b"")
                return
            data = file.read_bytes()
            start = self.headers.get("Range", "") if about.ranges else ""
            at = int(start.removeprefix("bytes=").rstrip("-")) if start else 0
            self.say(206 if at else 200, data[at:], body=body, mtime=file.stat().st_mtime)

        def say(self, status: int, data: bytes, *, body: bool = True, mtime: float = 0) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Last-Modified", self.date_time_string(mtime))
            self.end_headers()
            if not body:
                return
            if about.break_after is None:
                self.wfile.write(data)
                return
            self.wfile.write(data[: about.break_after])
            self.close_connection = True

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    about.address = f"https://localhost:{server.server_address[1]}/monitor"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield about
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
