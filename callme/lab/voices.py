"""What the telephones do and what CallMe does, as lines of the demo's story. Pure.

The CRM's own voice is its sandbox's matter.
"""

from __future__ import annotations

from callme.calls.model import Call, Direction, Disposition
from callme.lab.numbering import EXTENSIONS
from callme.lab.phones import Seen, far_end
from callme.lab.story import told
from callme.lab.telling import Line, Side, decimal
from callme.web.board import AttemptView, CallStory
from callme.web.reading import grouped
from callme.wording import Phrase, plain

COUNTRY = "RU"

_PHONES: dict[str, tuple[str, str]] = {
    "call": ("{one} calls {number}", "{one} звонит на {number}"),
    "invite": ("ringing: {who}", "звонит: {who}"),
    "answer": ("{one} picks up", "{one} снимает трубку"),
    "cancel": ("ringing no more: {who}", "перестал звонить: {who}"),
    "sendcancel": ("{one} gives up and hangs up", "{one} не дожидается ответа и кладёт трубку"),
    "refuse": ("{one} refuses the call ({number})", "{one} отклоняет вызов ({number})"),
    "failed": (
        "nobody took the call: {one} is cut off",
        "никто не ответил: {one} получает отбой",
    ),
    "sendbye": ("{one} hangs up", "{one} кладёт трубку"),
}
_OBVIOUS = frozenset({"answered", "gotbye", "notified", "shown"})
"""The other side of what was just told."""


def shown(number: str) -> str:
    """A telephone number as people write it; an extension stays."""
    return grouped(f"+{number}" if number.isdigit() and len(number) > 9 else number, COUNTRY)


def phones(seen: Seen) -> Line | None:
    """What a telephone saw or did; `None` for what goes without saying."""
    if seen.what in _OBVIOUS:
        return None
    words = seen.detail.split()
    one = seen.leg.rpartition("-")[2]
    number = shown(words[0].lstrip("+")) if words else ""
    if far_end(seen.leg):
        one = words[0].lstrip("+") if seen.what == "invite" and words else ""
    name: Phrase = plain(shown(one)) if one else Phrase("the customer", "клиент")
    if seen.what not in _PHONES:
        return Line(seen.at, Side.PHONES, told(seen))
    text = Phrase(*_PHONES[seen.what]).given(one=name, number=number)
    kind = seen.what if seen.what in ("invite", "cancel") and one else ""
    if seen.what == "cancel" and not one:
        text = Phrase("the customer’s telephone rings no more", "телефон клиента перестал звонить")
    return Line(seen.at, Side.PHONES, text, (shown(one),) if kind else (), kind)


_ENDS: dict[Disposition, Phrase] = {
    Disposition.ANSWERED: Phrase("answered", "состоялся"),
    Disposition.NO_ANSWER: Phrase("nobody answered", "без ответа"),
    Disposition.BUSY: Phrase("busy", "занято"),
    Disposition.DECLINED: Phrase("declined", "отклонён"),
    Disposition.CANCELLED: Phrase("the caller gave up", "звонивший не дождался"),
    Disposition.FAILED: Phrase("it could not be put through", "соединить не удалось"),
    Disposition.VOICEMAIL: Phrase("voicemail answered", "ответила голосовая почта"),
    Disposition.AFTER_HOURS: Phrase("outside working hours", "нерабочее время"),
    Disposition.BLOCKED: Phrase("on the PBX's blacklist", "номер в чёрном списке АТС"),
    Disposition.UNKNOWN: Phrase("the end was not seen", "окончание не видели"),
}
_ATTEMPTS: dict[str, Phrase] = {
    "register": Phrase("tells the CRM of a new call", "сообщает CRM о новом звонке"),
    "cards": Phrase("updates the cards in the CRM", "обновляет карточки в CRM"),
    "finish": Phrase("tells the CRM how the call ended", "сообщает CRM, чем закончился звонок"),
    "attach": Phrase("sends the recording as mp3", "отправляет запись в mp3"),
}
Told = set[tuple[object, ...]]


def callme(story: CallStory, known: Told) -> list[Line]:
    """What CallMe has done with a call beyond what is `known` already; `known` grows by it."""
    lines = []
    for key, line in [*_of_call(story.call), *map(_of_attempt, story.attempts)]:
        if key not in known:
            known.add(key)
            lines.append(line)
    return lines


def _of_call(call: Call) -> list[tuple[tuple[object, ...], Line]]:
    found: list[tuple[tuple[object, ...], Line]] = []

    def add(key: tuple[object, ...], at: float, text: Phrase, *who: str, kind: str = "") -> None:
        found.append(((call.id, *key), Line(at, Side.CALLME, text, who, kind)))

    number = shown(call.number or call.external)
    if call.direction is Direction.INTERNAL:
        internal = Phrase(
            "a call among colleagues: nothing for the CRM", "разговор коллег: CRM о нём не узнает"
        )
        add(("internal",), call.started_at, internal)
        return found
    if call.direction is Direction.OUT and call.ring_at is not None:
        text = Phrase("sees {one} call {number}", "видит: {one} звонит {number}")
        add(("ring",), call.ring_at, text.given(one=call.caller or "?", number=number))
    if call.direction is Direction.IN:
        text = Phrase("sees a call from {number} ring at {who}", "видит звонок от {number} у {who}")
        for ring in call.rang:
            add(
                ("ring", ring.extension, ring.since), ring.since, text.given(number=number), ring.extension,
                kind=f"ring {call.id}",
            )  # fmt: skip
    if call.answered_at is not None:
        text = Phrase("sees that {one} answered", "видит: ответил {one}")
        by = call.answered_by or ""
        one: Phrase = plain(by) if by in EXTENSIONS else Phrase("the customer", "клиент")
        add(("answer",), call.answered_at, text.given(one=one))
    if call.ended_at is not None:
        text = Phrase("the call is over: {how}, {s} s of talk", "звонок завершён: {how}, разговор {s} с")
        if not call.answered_at:
            text = Phrase("the call is over: {how}", "звонок завершён: {how}")
        add(("end",), call.ended_at, text.given(how=_ENDS[call.disposition], s=decimal(call.talk_s)))
    return found


def _of_attempt(attempt: AttemptView) -> tuple[tuple[object, ...], Line]:
    key = (attempt.kind, attempt.number, attempt.at)
    what = _ATTEMPTS.get(attempt.kind, plain(attempt.kind))
    if attempt.outcome == "delivered":
        text = Phrase("{what}, done in {ms} ms", "{what}, готово за {ms} мс").given(ms=attempt.took_ms)
    elif attempt.kind == "attach" and attempt.outcome == "later":
        text = Phrase("waits for the recording: {why}", "ждёт запись: {why}")
    else:
        text = Phrase("{what}: {outcome} ({why})", "{what}: {outcome} ({why})")
    why = attempt.why or plain("-")
    return key, Line(attempt.at, Side.CALLME, text.given(what=what, outcome=attempt.outcome, why=why))
