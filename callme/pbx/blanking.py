"""Makes numbers and names unreadable in what is kept of a PBX's words, where a person asked to be forgotten.

Called by the service for each call that is forgotten. Words are overwritten by as many `x`, so that every
offset of the index stays true; a segment that is still being written is changed in place.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterable
from pathlib import Path

from callme.pbx.segments import MARGIN_S, began, segments


def blank(folder: Path, since: float, until: float, words: Iterable[str]) -> int:
    """Overwrites the words in all segments that hold anything of that time; how often. Raises `OSError`.
    Blocking."""
    wanted = sorted({word.encode() for word in words if len(word) > 2}, key=len, reverse=True)
    known = segments(folder)
    starts = [began(file.name) or 0.0 for _, file in known]
    ends = [*starts, float("inf")][1:]
    return sum(
        _blanked(file, wanted)
        for (_, file), start, end in zip(known, starts, ends, strict=True)
        if start - MARGIN_S <= until and end + MARGIN_S >= since
    )


def _blanked(file: Path, words: list[bytes]) -> int:
    packed = file.suffix == ".gz"
    held = gzip.decompress(file.read_bytes()) if packed else file.read_bytes()
    places = [place for word in words for place in _places(held, word)]
    if not places:
        return 0
    if packed:
        _rewrite(file, held, places)
    else:
        with open(file, "r+b") as opened:
            for at, length in places:
                opened.seek(at)
                opened.write(b"x" * length)
    return len(places)


def _places(held: bytes, word: bytes) -> Iterable[tuple[int, int]]:
    at = held.find(word)
    while at >= 0:
        yield at, len(word)
        at = held.find(word, at + len(word))


def _rewrite(file: Path, held: bytes, places: list[tuple[int, int]]) -> None:
    blanked = bytearray(held)
    for at, length in places:
        blanked[at : at + length] = b"x" * length
    part = file.with_name(file.name + ".part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(handle, "wb") as bytes_, gzip.GzipFile("", "wb", fileobj=bytes_) as zipped:
        zipped.write(blanked)
    part.replace(file)
