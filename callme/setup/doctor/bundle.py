"""The support bundle: one archive that tells a helper what he must know, and nobody's secrets.

In it: the configuration with its secrets masked, what the doctor found, versions, counts, and the last of
what each PBX said, scrubbed as `callme record` scrubs it.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import platform
import re
import secrets
import sys
import tarfile
import time
import tomllib
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from callme import __version__
from callme.config import Config
from callme.errors import StoreError
from callme.pbx.scrub import Scrubber
from callme.pbx.segments import segments
from callme.setup.changing import MASK, masked
from callme.wording import Phrase, plain

SEGMENTS, LONGEST = 2, 4 << 20
"""So many segments of each PBX, and so many bytes of each at most: the newest."""

EXISTS = Phrase("{file} exists already", "{file} уже существует")
EXISTS_CURE = Phrase("choose another name", "выберите другое имя")
UNWRITABLE = Phrase("{file} cannot be written: {why}", "{file} не записывается: {why}")
SHORTEST = 4
"""Shorter values are masked where they stand, by their key, and not wherever the same letters occur."""

_SECRET = re.compile(r"secret|token|passw|webhook|passphrase|key", re.IGNORECASE)
_ADDRESS = re.compile(r"(https?://[^/\s\"]+/)[^\s\"]+")
PACKAGES = (
    "cryptography", "fastapi", "httpx2", "pydantic", "sqlalchemy", "structlog", "typer", "uvicorn",
)  # fmt: skip


def write(
    file: Path,
    config: Config,
    findings: list[dict[str, Any]],
    counts: Mapping[str, Any],
    names: Iterable[str],
) -> list[str]:
    """Writes the archive, readable by its owner alone, and gives the names of what is in it. `names` are
    people's, to be replaced. Raises `StoreError`."""
    scrubber = Scrubber(secrets.token_bytes(16), country=config.service.country)
    for name in names:
        scrubber.packet(f"Event: Known\r\nCallerIDName: {name}".encode())
    parts = {
        "findings.json": scrubber.text(_json(findings)).encode(),
        "versions.json": _json(_versions()).encode(),
        "counts.json": _json(counts).encode(),
    }
    if config.path is not None:
        parts["callme.toml"] = masked_configuration(config.path.read_text("utf-8"), scrubber).encode()
    for pbx in config.pbx:
        folder = config.service.data_dir / "transcripts" / pbx.id
        parts |= {f"transcripts/{pbx.id}/{name}": text for name, text in _transcripts(folder, scrubber)}
    try:
        with open(file, "xb", opener=_private) as out, tarfile.open(fileobj=out, mode="w:gz") as archive:
            for name, text in parts.items():
                entry = tarfile.TarInfo(f"callme-support/{name}")
                entry.size, entry.mode, entry.mtime = len(text), 0o600, int(time.time())
                archive.addfile(entry, io.BytesIO(text))
    except FileExistsError:
        raise StoreError(EXISTS.given(file=file), EXISTS_CURE) from None
    except OSError as error:
        raise StoreError(UNWRITABLE.given(file=file, why=plain(error.strerror))) from None
    return list(parts)


def masked_configuration(text: str, scrubber: Scrubber) -> str:
    """The configuration without its secrets, what stands behind the host of an address, and numbers."""
    for secret in sorted(_secrets(tomllib.loads(text)), key=len, reverse=True):
        text = text.replace(secret, MASK)
    lines = [_ADDRESS.sub(r"\1…", masked(line)) for line in text.splitlines()]
    return scrubber.text("\n".join(lines)) + "\n"


def _secrets(found: Any, key: str = "") -> Iterable[str]:
    """The lines of every value under a key that names a secret, wherever it stands and however it is
    written."""
    if isinstance(found, Mapping):
        for name, value in found.items():
            yield from _secrets(value, key if _SECRET.search(key) else name)
    elif isinstance(found, list):
        for value in found:
            yield from _secrets(value, key)
    elif isinstance(found, str) and _SECRET.search(key):
        yield from (line for line in found.splitlines() if len(line) >= SHORTEST)


def _transcripts(folder: Path, scrubber: Scrubber) -> Iterable[tuple[str, bytes]]:
    for stem, file in segments(folder)[-SEGMENTS:]:
        raw = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        tail = raw[-LONGEST:]
        whole = tail[tail.find(b"\r\n\r\n") + 4 :] if len(raw) > LONGEST else tail
        yield f"{stem}.ami", scrubber.stream(whole)


def _versions() -> dict[str, Any]:
    return {
        "callme": __version__,
        "python": sys.version.split()[0],
        "system": platform.platform(),
        "packages": {name: metadata.version(name) for name in PACKAGES},
    }


def _json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
