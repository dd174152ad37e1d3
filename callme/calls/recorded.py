"""Which files hold what the customer said, and from when until when.

Called by `derive.derive_call`. Nothing here looks at a disk: a file that was named may be empty, or never
come; who fetches the files decides that.
"""

from __future__ import annotations

from callme.calls.case import Case
from callme.calls.model import Ear, RecordingFile, Sound
from callme.calls.observed import Channel, Recording, overlap
from callme.calls.stretches import Stretch, merged


def derive_recordings(
    case: Case, answered_at: float | None, ended_at: float | None
) -> tuple[RecordingFile, ...]:
    """Files of the channels that took part in the customer's talk, the best one first: on the customer's
    own channel, else on the one that dialled him, else on a Local half or a phone of the talk. A file
    through which none of his talk passed is left out as soon as that is certain: a consultation's, one of an
    agent who was rung in vain. Messages that he left come last."""
    ranks = _ranks(case)
    found = []
    for channel in case.channels:
        rank = ranks.get(channel.uniqueid)
        for recording in channel.recordings if rank is not None else ():
            if recording.message and rank != 0:
                continue
            talk = () if recording.message else _talk(case, channel, answered_at, ended_at)
            if talk or recording.message or channel.alive or answered_at is None:
                found.append((recording.message, rank, recording.at, _file(case, channel, recording, talk)))
    found.sort(key=lambda item: item[:3])
    unique: dict[str, RecordingFile] = {}
    for *_, file in found:
        unique.setdefault(file.path, file)
    return tuple(unique.values())


def _ranks(case: Case) -> dict[str, int]:
    """How near each channel is to the customer, 0 his own; channels that had no part in his talk are not
    in it."""
    through = {uniqueid for item in case.together for uniqueid in item.path}
    spoke = {item.channel.uniqueid for item in case.together}
    origin = {case.party.origin.uniqueid} if case.party.origin is not None else set()
    customers = {channel.uniqueid for channel in case.party.customers}
    ranks: dict[str, int] = {}
    for rank, members in enumerate((customers, origin, through, spoke)):
        for uniqueid in members:
            ranks.setdefault(uniqueid, rank)
    return ranks


def _file(case: Case, channel: Channel, recording: Recording, talk: tuple[Stretch, ...]) -> RecordingFile:
    kind = Sound.VOICEMAIL if recording.message else Sound.TALK
    known = RecordingFile(recording.path, channel.name, channel.uniqueid, recording.at, kind=kind)
    gone = channel.gone_at
    if gone is None:
        return known
    return RecordingFile(
        recording.path,
        channel.name,
        channel.uniqueid,
        recording.at,
        gone,
        merged((stay.since, gone if stay.until is None else stay.until) for stay in channel.stays),
        talk,
        _hears(case, channel),
        kind,
        channel.born and not (channel.patchy or channel.vanished),
    )


def _talk(
    case: Case, channel: Channel, answered_at: float | None, ended_at: float | None
) -> tuple[Stretch, ...]:
    """What of the customer's talk passed through the channel. His own carries all of it, holds and parking
    included."""
    gone = channel.gone_at
    if gone is None or answered_at is None:
        return ()
    if channel in case.party.customers:
        parts = [(answered_at, ended_at)]
    else:
        mine = channel.uniqueid
        parts = [
            (item.since, item.until)
            for item in case.together
            if item.channel.uniqueid == mine or mine in item.path
        ]
    found = (overlap(since, until, channel.born_at, gone) for since, until in parts)
    return merged((since, gone if until is None else until) for since, until in filter(None, found))


def _hears(case: Case, channel: Channel) -> Ear:
    """Whose voice comes in on the channel. What comes in on a Local half was said at the far side of the
    other half."""
    if channel in case.party.customers:
        return Ear.CUSTOMER
    for item in case.together:
        if channel.uniqueid in item.path:
            return Ear.CUSTOMER if item.path.index(channel.uniqueid) % 2 else Ear.COLLEAGUE
    return Ear.COLLEAGUE
