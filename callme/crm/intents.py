"""What a portal shall know of a call: the only thing that crosses from the PBX side to a CRM.

`crm.policy` makes intents, the outbox keeps them, a portal's adapter phrases them. An intent carries
everything an adapter needs (adapters never see the call model), names people by extension (only the adapter
knows portal users) and is plain data, so that it survives a restart as JSON.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, ClassVar

from callme.calls.model import RecordingFile
from callme.wording import Phrase


class Direction(StrEnum):
    """Who called whom, seen from the company."""

    IN = "in"
    OUT = "out"


class Result(StrEnum):
    """How a call ended for the customer. Everything but `ANSWERED` means that no person talked with him."""

    ANSWERED = "answered"
    NO_ANSWER = "no-answer"
    BUSY = "busy"
    DECLINED = "declined"
    CANCELLED = "cancelled"  # the calling side gave up while it rang
    FAILED = "failed"  # wrong number, no route, congestion
    VOICEMAIL = "voicemail"
    AFTER_HOURS = "after-hours"
    BLOCKED = "blocked"  # the caller is not wanted: the PBX's blacklist, or the portal's own list
    UNKNOWN = "unknown"  # the end was not seen: the PBX or our link was down


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What every intent says about its call.

    `call` is the CallId, at most 64 characters, unique over all PBXs. `number` is the outside party in
    E.164 with `+`, else as the PBX gave it; empty when hidden. `line` is the DID or the number shown
    outside, empty when unknown. `started_at` is in epoch seconds. `shadow`: the call began while the portal
    was in shadow mode (see `crm.shadow`), so nothing of it is ever sent. `callback`: it is an outgoing one
    for which the customer had asked.
    """

    call: str
    direction: Direction
    number: str
    name: str
    line: str
    started_at: float
    shadow: bool = False
    callback: bool = False


@dataclass(frozen=True, slots=True)
class Register:
    """Open the call in the portal. `owner` is the extension it is opened for, `None` when nobody is known.
    `given` is the id of a call that the portal itself opened (a click): then it is not opened again, and all
    that follows is told of that one. `unwanted`: the number is on the portal's list of blocked ones, or the
    PBX turned it away, so it is no client. `by` is the portal's id of the person whose call it is where no
    extension is known; `note` is told to the owner once, as the call begins."""

    KIND: ClassVar[str] = "register"
    about: CallFacts
    owner: str | None
    ordinal: int = 0
    given: str = ""
    unwanted: bool = False
    by: str = ""
    note: Phrase | None = None


@dataclass(frozen=True, slots=True)
class Finish:
    """Close the call with its one true record.

    `owner` is who talked last, or who owns the missed call; `None` leaves it to the portal's default user.
    `talk_s` is the customer's talk with people in whole seconds, at least 1 when answered, else 0.
    `lost` says that the end was not seen and `talk_s` counts only what is certain. `rung` are the
    extensions whose phones rang, the first one first: an adapter may be configured to see the owner of a
    missed call elsewhere first. `vote` is the caller's rating, 1 to 5. `cause` is the Q.850 cause of an
    outgoing call's outside leg, where known. `by` is the portal's id of the person whose call it is where no
    extension is known. `why` is told to the owner once: why what he asked for came to nothing. `unwanted` as
    at its register.
    """

    KIND: ClassVar[str] = "finish"
    about: CallFacts
    owner: str | None
    result: Result
    talk_s: int
    ended_at: float
    lost: bool = False
    ordinal: int = 0
    rung: tuple[str, ...] = ()
    vote: int | None = None
    cause: int | None = None
    by: str = ""
    why: Phrase | None = None
    unwanted: bool = False


@dataclass(frozen=True, slots=True)
class Attach:
    """Attach what was said in the finished call: one sound, made of `files` (the best one first; `path` is
    its name). Of them is told when each began and what of the customer's talk passed through it, so that the
    talk from `answered_at` to `ended_at` can be put together in its order. One with a higher ordinal takes
    the place of one before it.
    """

    KIND: ClassVar[str] = "attach"
    about: CallFacts
    pbx: str
    path: str
    ended_at: float
    ordinal: int = 0
    files: tuple[RecordingFile, ...] = ()
    answered_at: float | None = None
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Transcribe:
    """Write down what was said and hand it over, after the finish. Its fields are those of the `Attach` of
    the same ordinal, which may be refused for reasons of its own."""

    KIND: ClassVar[str] = "transcribe"
    about: CallFacts
    pbx: str
    path: str
    ended_at: float
    ordinal: int = 0
    files: tuple[RecordingFile, ...] = ()
    answered_at: float | None = None
    lost: bool = False

    @property
    def recording(self) -> Attach:
        """What is listened to."""
        return Attach(
            self.about,
            self.pbx,
            self.path,
            self.ended_at,
            self.ordinal,
            self.files,
            self.answered_at,
            self.lost,
        )


@dataclass(frozen=True, slots=True)
class Remind:
    """Somebody shall call back this client of a missed call; told after its finish. `owner` and `rung` as
    there."""

    KIND: ClassVar[str] = "remind"
    about: CallFacts
    owner: str | None
    ended_at: float
    ordinal: int = 0
    rung: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settle:
    """The client of that missed call was reached at `at`, by the extension `by` where one is known: nobody
    needs to be reminded of him any more."""

    KIND: ClassVar[str] = "settle"
    about: CallFacts
    at: float
    by: str | None = None
    ordinal: int = 0


@dataclass(frozen=True, slots=True)
class Reached:
    """No record: somebody of ours talks with this client. The store makes a `Settle` of it for each missed
    call of his of which somebody was reminded."""

    KIND: ClassVar[str] = "reached"
    about: CallFacts
    by: str | None


@dataclass(frozen=True, slots=True)
class Cards:
    """A wish, not a record: the extensions that should see the call's card from now on; of them `asking`
    only if the portal knows the client, and as theirs, or does not know him at all."""

    KIND: ClassVar[str] = "cards"
    about: CallFacts
    seers: frozenset[str]
    asking: frozenset[str] = frozenset()


Record = Register | Finish | Attach | Transcribe | Remind | Settle
Intent = Record | Cards | Reached

_RECORDS: dict[str, type[Record]] = {
    kind.KIND: kind for kind in (Register, Finish, Attach, Transcribe, Remind, Settle)
}

_SENTENCES = ("note", "why")


def encode(record: Record) -> dict[str, Any]:
    """The record as JSON-ready data; `decode(record.KIND, encode(record)) == record`, but that its sentences
    are said already."""
    stored = asdict(record)
    for name in _SENTENCES:
        said = getattr(record, name, None)
        if isinstance(said, Phrase):
            stored[name] = {"en": said.say("en"), "ru": said.say("ru")}
    return stored


def decode(kind: str, stored: dict[str, Any]) -> Record:
    """The record that `encode` gave. Keys that a newer version added are left out; `KeyError` for an
    unknown kind."""
    shape = _RECORDS[kind]
    known = {name: value for name, value in stored.items() if name in shape.__dataclass_fields__}
    about = {name: value for name, value in known["about"].items() if name in CallFacts.__dataclass_fields__}
    known["about"] = CallFacts(**{**about, "direction": Direction(about["direction"])})
    if "result" in known:
        known["result"] = Result(known["result"])
    if "files" in known:
        known["files"] = tuple(RecordingFile.of(file) for file in known["files"])
    if "rung" in known:
        known["rung"] = tuple(known["rung"])
    for name in _SENTENCES:
        if known.get(name):
            known[name] = Phrase(known[name]["en"], known[name]["ru"])
    return shape(**known)
