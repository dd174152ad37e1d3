"""Which parts of which recordings, in what order, make up what a customer said and heard in one call.

Pure; called when it is known which files there are and how long each is. A PBX writes one file of a call or
several: a second one after a transfer, one for each half of a Local channel, two for a click. The talk must
be told once: what two files hold is taken from the better one, and what none holds (the ringing between two
talks, where only talks are written) is left out.

A file says nothing of when it was written, but its length does. Asterisk writes either all the time from its
start until the recorded channel goes, or, with option `b`, only while that channel is in a bridge. The one
that gives the file's length is how this file was written; where neither does (a pause, a killed PBX, an
edited file), and where part of the call went by while nobody watched, the file is taken whole rather than cut
by guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from callme.calls.stretches import Stretch, common, merged, total, without

FITS_S = 0.75
"""How far a file's length may be off to be explained: packets lost, the moment between an event and us."""

WORTH_S = 0.5
"""A file that would add less than this adds nothing."""

EDGE_S = 1.0
"""A cut so near to an end of a file is none: the first word may stand there."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What is known of one file: begun at `since` at the latest, closed at `until`; `bridged` and `talk` as
    the call model tells them, `sure` or not. `seconds` is its length, 0 where that is not known (yet)."""

    since: float
    until: float
    bridged: tuple[Stretch, ...] = ()
    talk: tuple[Stretch, ...] = ()
    seconds: float = 0.0
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Piece:
    """From `start` to `end` (`None`: its end) of the file at that place of the list, in seconds."""

    file: int
    start: float = 0.0
    end: float | None = None

    @property
    def whole(self) -> bool:
        """The file as it is."""
        return self.start == 0.0 and self.end is None


@dataclass(frozen=True, slots=True)
class _Part:
    """One stretch of wall time and where in the file it begins."""

    since: float
    until: float
    at: float


def pieces(files: Sequence[Recorded]) -> list[Piece]:
    """The pieces in the order of the talk. `files` are given best first."""
    found: list[tuple[float, Piece]] = []
    for index, gained in enumerate(gains(files)):
        if not gained:
            continue
        file = files[index]
        parts = timeline(file)
        if not parts:
            found.append((gained[0][0], Piece(index)))
            continue
        for since, until in gained:
            held = [_within(part, since, until) for part in parts]
            found += [(part.since, Piece(index, part.at, part.at + part.until - part.since))
                      for part in held if part is not None]  # fmt: skip
    found.sort(key=lambda item: item[0])
    return [_to_edges(piece, files[piece.file].seconds) for piece in _joined(piece for _, piece in found)]


def gains(files: Sequence[Recorded]) -> list[tuple[Stretch, ...]]:
    """For each file the talk that it holds and no better one does; nothing for one that is not needed."""
    told: tuple[Stretch, ...] = ()
    gained: list[tuple[Stretch, ...]] = []
    for file in files:
        held = holds(file)
        fresh = without(held, told)
        if total(fresh) < WORTH_S:
            fresh = ()
        else:
            told = merged((*told, *held))
        gained.append(fresh)
    if files and not any(gained):  # a call of an older version, of which no more is known than its file
        gained[0] = ((files[0].since, files[0].until),)
    return gained


def holds(file: Recorded) -> tuple[Stretch, ...]:
    """The talk that is in the file, as far as its length tells; else what may be expected of it."""
    parts = timeline(file)
    if parts:
        return common(file.talk, [(part.since, part.until) for part in parts])
    expected = common(file.talk, file.bridged) or file.talk
    return common(expected, [(file.since, file.until)]) or expected


def timeline(file: Recorded) -> list[_Part]:
    """What each part of the file holds; empty where its length is explained by nothing, or only by chance."""
    if not file.seconds or not file.sure:
        return []
    guesses = [
        common(file.bridged, [(file.since, file.until)]),
        ((file.since, file.until),),
        file.bridged,  # it was begun before we learnt of it
    ]
    fitting = [guess for guess in guesses if abs(total(guess) - file.seconds) <= FITS_S]
    if not fitting:
        return []
    return _from_its_end(min(fitting, key=lambda guess: abs(total(guess) - file.seconds)), file.seconds)


def _from_its_end(stretches: Sequence[Stretch], seconds: float) -> list[_Part]:
    """The end of a file is the more certain one: it is the recorded channel's."""
    parts: list[_Part] = []
    at = seconds
    for since, until in reversed(stretches):
        at -= until - since
        parts.insert(0, _Part(since, until, at))
    return parts


def _within(part: _Part, since: float, until: float) -> _Part | None:
    start, end = max(part.since, since), min(part.until, until)
    return _Part(start, end, part.at + start - part.since) if end > start else None


def _joined(found: Iterable[Piece]) -> list[Piece]:
    """Neighbours in the file as one piece: what lies between them on the clock was not written."""
    joined: list[Piece] = []
    for piece in found:
        last = joined[-1] if joined else None
        if last is None or not _follows(last, piece):
            joined.append(piece)
        else:
            joined[-1] = Piece(piece.file, last.start, piece.end)
    return joined


def _follows(last: Piece, piece: Piece) -> bool:
    return last.file == piece.file and last.end is not None and abs(piece.start - last.end) <= FITS_S


def _to_edges(piece: Piece, seconds: float) -> Piece:
    start = piece.start if piece.start > EDGE_S else 0.0
    end = piece.end if piece.end is not None and piece.end < seconds - EDGE_S else None
    return Piece(piece.file, start, end)
