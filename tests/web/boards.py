"""A board full of sample calls, for tests and for looking at the pages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter

from callme.calls.model import (
    Call,
    CallId,
    Direction,
    Disposition,
    Hold,
    RecordingFile,
    Ring,
    Side,
    Step,
    Talk,
    Transfer,
    TransferKind,
)
from callme.crm.port import Exchange
from callme.web.board import (
    AttemptView,
    BadCursor,
    CallPage,
    CallQuery,
    CallRow,
    CallStory,
    DeliveryView,
    LinkState,
    Oddity,
    PortalState,
    Transcript,
)
from callme.wording import Language, Phrase

NOW = datetime(2026, 11, 24, 11, 30, 0, tzinfo=UTC).timestamp()
TOO_LONG = Phrase("PHONE_NUMBER is longer than 20 characters", "PHONE_NUMBER длиннее 20 знаков")
SCRIPT = '<script>alert("1")</script>'


def call(
    key: str, ago: float, direction: Direction = Direction.IN, number: str = "+79161234567", **more: object
) -> Call:
    """A call that began `ago` seconds before `NOW`; open unless `ended_at` is given."""
    line = "74950000001" if direction is not Direction.INTERNAL else ""
    plain = Call(
        id=CallId(f"office-{key}"),
        pbx="office",
        direction=direction,
        external=number,
        number=number,
        name="",
        line=line,
        trunk="PJSIP/trunk-prov",
        caller=None,
        started_at=NOW - ago,
        aliases=(f"1764000000.{key}", f"1764000001.{key}"),
    )
    return replace(plain, **more)  # type: ignore[arg-type]


def answered(key: str, ago: float, who: str = "102", talk: float = 65.0, **more: object) -> Call:
    """An answered call, over."""
    start = NOW - ago
    facts: dict[str, object] = {
        "rang": tuple(Ring(one, start + 1, start + 7) for one in ("101", "102", "103")),
        "ring_at": start + 1,
        "ring_until": start + 7,
        "answered_by": who,
        "talks": (Talk(who, who, start + 7, start + 7 + talk),),
        "last_talker": who,
        "owner": who,
        "disposition": Disposition.ANSWERED,
        "hung_up_by": Side.CALLER,
        "answered_at": start + 7,
        "ended_at": start + 7 + talk,
        "recordings": (RecordingFile("2026/11/24/in-600-x.wav", "PJSIP/102-1", "1764000002.9", start + 7),),
        "path": (Step("did", "74950000001", start), Step("group", "600", start + 0.4)),
    }
    return call(key, ago, **{**facts, **more})  # type: ignore[arg-type]


def missed(key: str, ago: float, how: Disposition = Disposition.NO_ANSWER, **more: object) -> Call:
    """A call that nobody answered, over."""
    start = NOW - ago
    facts: dict[str, object] = {
        "rang": (Ring("101", start + 1, start + 20),),
        "ring_at": start + 1,
        "ring_until": start + 20,
        "disposition": how,
        "ended_at": start + 20,
        "hung_up_by": Side.CALLER,
    }
    return call(key, ago, **{**facts, **more})  # type: ignore[arg-type]


DONE = tuple(
    DeliveryView("main", kind, "done", 1, None, None, NOW - 60, at)
    for at, kind in enumerate(("register", "finish", "attach"))
)


def samples() -> tuple[list[CallRow], CallStory]:
    """Rows for a full dashboard, and the story of the richest of them."""
    long_name = "Общество с ограниченной ответственностью «Северо-Западная строительно-монтажная компания»"
    waiting = DeliveryView(
        "main",
        "finish",
        "waiting",
        3,
        Phrase("The portal is out of reach", "Портал недоступен"),
        NOW + 40,
        None,
        7,
    )
    refused = DeliveryView("main", "register", "refused", 1, TOO_LONG, None, NOW - 700, 8)
    rich = answered(
        "7", 900, "104", 185,
        name="Мария Ветрова",
        talks=(Talk("102", "102", NOW - 893, NOW - 800), Talk("104", "104", NOW - 795, NOW - 708)),
        holds=(Hold("102", NOW - 830, NOW - 801),),
        transfers=(Transfer(TransferKind.ATTENDED, "102", "104", NOW - 800),),
        answered_by="102",
        vote=4,
        path=(
            Step("did", "74950000002", NOW - 900), Step("hours", "пн-пт", NOW - 899.9),
            Step("ivr", "Главное меню", NOW - 899), Step("queue", "700", NOW - 895),
        ),
    )  # fmt: skip
    attempts = (
        AttemptView(
            "main",
            "register",
            1,
            NOW - 899,
            10_004,
            "ambiguous",
            Phrase("No answer within 10 s", "Нет ответа 10 с"),
        ),
        AttemptView(
            "main",
            "register",
            2,
            NOW - 888,
            180,
            "delivered",
            exchanges=(
                Exchange('telephony.register {"NAME":"<b>Мария</b>"}', '200 {"result":"<script>1</script>"}'),
            ),
        ),
        AttemptView("main", "cards", 1, NOW - 887, 95, "delivered"),
        AttemptView(
            "main",
            "finish",
            1,
            NOW - 707,
            212,
            "later",
            Phrase("Too many requests", "Слишком много запросов"),
        ),
        AttemptView("main", "finish", 2, NOW - 705, 140, "delivered"),
    )
    story = CallStory(
        rich,
        DONE,
        attempts,
        (
            Oddity(
                NOW - 801, Phrase("A bridge was left before it was entered", "Мост покинут до входа в него")
            ),
        ),
    )
    rows = [
        CallRow(call("1", 9, rang=(Ring("101", NOW - 8), Ring("102", NOW - 8), Ring("103", NOW - 8)))),
        CallRow(
            call("2", 130, number="+78123334455", name=long_name, answered_at=NOW - 125,
                 talks=(Talk("105", "105", NOW - 125),))
        ),
        CallRow(call("3", 4, Direction.OUT, "+74951234567", caller="106")),
        CallRow(call("4", 45, number="", line="74950000003", rang=(Ring("104", NOW - 8),))),
        CallRow(missed("5", 300), DONE[:2]),
        CallRow(answered("6", 500, name=SCRIPT), (DONE[0], waiting)),
        CallRow(rich, DONE),
        CallRow(missed("8", 1500, Disposition.CANCELLED, number="", external="", name=""), (refused,)),
        CallRow(missed("9", 2500, Disposition.BUSY, direction=Direction.OUT, caller="101"), DONE[:2]),
        CallRow(answered("10", 4000, name=long_name, via="79169990106", lost=True, certain=False), DONE),
        CallRow(missed("11", 9000, Disposition.VOICEMAIL), DONE[:2]),
        CallRow(missed("12", 50_000, Disposition.AFTER_HOURS, number="+442071838750"), DONE[:2]),
        CallRow(answered("13", 90_000, direction=Direction.INTERNAL, number="", caller="101")),
        CallRow(answered("14", 400_000, talk=4000, direction=Direction.OUT, caller="103", name="Пётр"), DONE),
    ]  # fmt: skip
    return rows, story


@dataclass
class SampleBoard:
    """A `Board` that tells what its fields say."""

    language: Language = "ru"
    country: str = "RU"
    version: str = "0.1.0"
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    rows: list[CallRow] = field(default_factory=list)
    stories: dict[str, CallStory] = field(default_factory=dict)
    link_states: tuple[LinkState, ...] = (LinkState("office", True, NOW - 5000),)
    portal_states: tuple[PortalState, ...] = (PortalState("main", True, NOW - 5000),)
    oddities: int = 0
    retried: list[int] = field(default_factory=list)
    signal: asyncio.Event = field(default_factory=asyncio.Event)
    watched: int = 0
    unwatched: asyncio.Event = field(default_factory=asyncio.Event)
    broken: bool = False

    def now(self) -> float:
        """Always the same moment."""
        return NOW

    async def links(self) -> tuple[LinkState, ...]:
        """As set."""
        return self.link_states

    async def portals(self) -> tuple[PortalState, ...]:
        """As set."""
        return self.portal_states

    async def oddities_since(self, moment: float) -> int:
        """As set."""
        return self.oddities

    async def list_calls(self, query: CallQuery) -> CallPage:
        """Rows that match, in their order; the cursor is a position."""
        if query.after is not None and not query.after.isdecimal():
            raise BadCursor(query.after)
        start = int(query.after or 0)
        found = [row for row in self.rows if _matches(row.call, query)]
        rest = found[start : start + query.limit]
        more = start + query.limit < len(found)
        return CallPage(tuple(rest), str(start + query.limit) if more else None)

    async def story(self, call: str) -> CallStory | None:
        """The story that was set, else the row alone."""
        if call in self.stories:
            return self.stories[call]
        return next((CallStory(row.call, row.deliveries) for row in self.rows if row.call.id == call), None)

    async def transcript(self, call: str) -> Transcript | None:
        """One for the call 7 alone."""
        return Transcript(b"Event: Hangup\r\n\r\n", b"# wall 1.0\n0.0 0\n") if call == "office-7" else None

    async def retry(self, delivery: int) -> bool:
        """Notes the wish; only 8 can be retried."""
        self.retried.append(delivery)
        return delivery == 8

    async def changes(self) -> AsyncGenerator[None, None]:
        """Yields whenever `signal` is set."""
        self.watched += 1
        self.unwatched.clear()
        try:
            while True:
                await self.signal.wait()
                self.signal.clear()
                if self.broken:
                    raise RuntimeError("the board broke")
                yield
        finally:
            self.watched -= 1
            self.unwatched.set()


def _matches(call: Call, query: CallQuery) -> bool:
    return (
        query.open in (None, call.open)
        and query.direction in (None, call.direction)
        and query.disposition in (None, call.disposition)
        and query.line in (None, call.line)
        and (query.number is None or call.number.endswith(query.number))
        and (query.since is None or call.started_at >= query.since)
        and (query.until is None or call.started_at < query.until)
    )


def full(**more: object) -> SampleBoard:
    """A board with every kind of call and some trouble."""
    rows, story = samples()
    board = SampleBoard(
        rows=rows,
        stories={story.call.id: story},
        link_states=(
            LinkState("office", True, NOW - 5000),
            LinkState(
                "warehouse", False, NOW - 300,
                Phrase("The PBX warehouse refused user or secret", "АТС warehouse не приняла имя или пароль"),
                Phrase("compare both with manager.conf", "сверьте их с manager.conf"),
            ),
        ),
        portal_states=(
            PortalState("main", True, NOW - 5000, backlog=12, refused=1),
            PortalState(
                "branch", False, NOW - 7200,
                Phrase("The webhook was refused", "Портал не принял вебхук"),
                Phrase("make a new webhook", "создайте новый вебхук и впишите его в настройки"),
                backlog=48,
            ),
        ),
        oddities=3,
    )  # fmt: skip
    Counter("calls_seen", "Calls that were seen", registry=board.registry).inc(14)
    return replace(board, **more)  # type: ignore[arg-type]
