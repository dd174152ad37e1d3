"""Opens the place that a configuration names: a folder, `sftp://…` or `https://…`.

Called by the service once per PBX and kind of file. The form of the address was checked with the
configuration.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from callme.http import HttpClient
from callme.pbx.https import Https
from callme.pbx.places import Folder, Place
from callme.pbx.sftp import Account, Sftp


@dataclass(frozen=True, slots=True)
class Access:
    """What opens a place. No secret is shown."""

    ssh_key: Path | None = None
    known_hosts: Path | None = None
    user: str = ""
    password: str = ""
    token: str = ""
    ca_file: Path | None = None

    def __repr__(self) -> str:
        return f"Access(user={self.user!r})"


def place_at(address: str, access: Access) -> tuple[Place, HttpClient | None]:
    """The place, and the connections to close when it is no longer needed. `ConfigError` for a file of
    authorities that cannot be used."""
    if "://" not in address:
        return Folder(Path(address)), None
    parts = urlsplit(address)
    if parts.scheme == "sftp":
        account = Account(
            parts.hostname or "",
            parts.port or 22,
            unquote(parts.username or "") or access.user,
            access.ssh_key,
            access.known_hosts,
        )
        return Sftp(account, PurePosixPath(unquote(parts.path) or "/")), None
    client = HttpClient(ca_file=access.ca_file)
    return Https(address, client, _authorization(access)), client


def _authorization(access: Access) -> dict[str, str]:
    if access.token:
        return {"Authorization": f"Bearer {access.token}"}
    if access.user:
        pair = base64.b64encode(f"{access.user}:{access.password}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}
    return {}
