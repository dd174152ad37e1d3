"""Calls and their changes in words, both languages: for `callme replay` and `callme calls`."""

from __future__ import annotations

from collections.abc import Iterator

from callme.calls.model import Call, Direction, Disposition, Side, TransferKind
from callme.calls.tracker import Change
from callme.crm.intents import Attach, Cards, Finish, Intent, Reached, Register, Remind, Settle, Transcribe
from callme.wording import Phrase, plain

HIDDEN = Phrase("hidden number", "скрытый номер")
NOBODY = Phrase("nobody", "никто")

DIRECTIONS = {
    Direction.IN: Phrase("incoming", "входящий"),
    Direction.OUT: Phrase("outgoing", "исходящий"),
    Direction.INTERNAL: Phrase("internal", "внутренний"),
}
DISPOSITIONS = {
    Disposition.ANSWERED: Phrase("answered", "отвечен"),
    Disposition.NO_ANSWER: Phrase("no answer", "без ответа"),
    Disposition.BUSY: Phrase("busy", "занято"),
    Disposition.DECLINED: Phrase("declined", "отклонён"),
    Disposition.CANCELLED: Phrase("cancelled", "отменён звонившим"),
    Disposition.FAILED: Phrase("failed", "не прошёл"),
    Disposition.VOICEMAIL: Phrase("voicemail", "голосовая почта"),
    Disposition.AFTER_HOURS: Phrase("after hours", "нерабочее время"),
    Disposition.BLOCKED: Phrase("blocked", "заблокирован"),
    Disposition.UNKNOWN: Phrase("unknown", "неизвестно"),
}
SIDES = {
    Side.CALLER: Phrase("the caller", "звонивший"),
    Side.AGENT: Phrase("the employee", "сотрудник"),
    Side.CALLEE: Phrase("the customer", "клиент"),
    Side.PBX: Phrase("the PBX", "АТС"),
}
MOVES = {
    TransferKind.BLIND: Phrase("{by} transferred it to {to} (blind)", "{by} перевёл на {to} (вслепую)"),
    TransferKind.ATTENDED: Phrase(
        "{by} transferred it to {to} (attended)", "{by} перевёл на {to} (с консультацией)"
    ),
    TransferKind.PARK: Phrase("{by} parked it, {to} took it", "{by} припарковал, {to} забрал"),
    TransferKind.PICKUP: Phrase(
        "{to} picked up what rang at {by}", "{to} перехватил звонок, звонивший у {by}"
    ),
}


def who(call: Call) -> Phrase:
    """The outside party, or the colleagues of an internal call."""
    if call.direction is Direction.INTERNAL:
        return plain(call.caller or "?")
    number = call.number or call.external
    if not number:
        return HIDDEN
    return plain(f"{number} ({call.name})" if call.name else number)


# -------------------------------------------------------------------------------- as it happens
_NEW = Phrase("{direction} call: {who}{line}", "{direction} звонок: {who}{line}")
_ON_LINE = Phrase(" on {line}", " на {line}")
_RINGS = Phrase("{who}: rings at {people}", "{who}: звонит у {people}")
_RINGS_NOT = Phrase("{who}: no longer rings at {people}", "{who}: больше не звонит у {people}")
_TALKS = Phrase("{who}: talks with {people}", "{who}: говорит с {people}")
_TALKS_NOT = Phrase("{who}: no longer talks with {people}", "{who}: больше не говорит с {people}")
_OVER = Phrase("{who}: over, {how}", "{who}: завершён, {how}")
_OVER_LOST = Phrase("{who}: its end was not seen, {how}", "{who}: конец не виден, {how}")
_RECORDED = Phrase("{who}: recorded to {path}", "{who}: пишется в {path}")


def changes_of(change: Change) -> Iterator[Phrase]:
    """What happened to the call, a phrase each; nothing for changes that no person would name."""
    call, before = change.call, change.before
    name = who(call)
    if before is None:
        line = _ON_LINE.given(line=plain(call.line)) if call.line else plain("")
        yield _NEW.given(direction=DIRECTIONS[call.direction], who=name, line=line)
    yield from _difference(before.ringing if before else (), call.ringing, _RINGS, _RINGS_NOT, name)
    yield from _difference(_talking(before), _talking(call), _TALKS, _TALKS_NOT, name)
    for move in call.transfers[len(before.transfers) if before else 0 :]:
        yield MOVES[move.kind].given(by=plain(move.by), to=plain(move.to or "…"))
    for file in call.recordings[len(before.recordings) if before else 0 :]:
        yield _RECORDED.given(who=name, path=plain(file.path))
    if call.ended_at is not None and (before is None or before.ended_at is None):
        yield (_OVER_LOST if call.lost else _OVER).given(who=name, how=DISPOSITIONS[call.disposition])


def _talking(call: Call | None) -> tuple[str, ...]:
    if call is None:
        return ()
    return tuple(dict.fromkeys(talk.who for talk in call.talks if talk.until is None))


def _difference(
    before: tuple[str, ...], now: tuple[str, ...], more: Phrase, less: Phrase, name: Phrase
) -> Iterator[Phrase]:
    came = [one for one in now if one not in before]
    went = [one for one in before if one not in now]
    if went:
        yield less.given(who=name, people=plain(", ".join(went)))
    if came:
        yield more.given(who=name, people=plain(", ".join(came)))


# ---------------------------------------------------------------------------------- the verdict
_VERDICT = Phrase(
    "{direction}, {who}{line}: {how}, rang {ring} s, talked {talk} s",
    "{direction}, {who}{line}: {how}, звонил {ring} с, разговор {talk} с",
)
_BY = Phrase("answered by {first}, last talked {last}", "ответил {first}, последним говорил {last}")
_RANG = Phrase("rang: {people}", "звонил: {people}")
_ENDED = Phrase("ended by {side}", "завершил {side}")


def tell_call(call: Call) -> Iterator[Phrase]:
    """The call in a few lines."""
    line = _ON_LINE.given(line=plain(call.line)) if call.line else plain("")
    yield _VERDICT.given(
        direction=DIRECTIONS[call.direction],
        who=who(call),
        line=line,
        how=DISPOSITIONS[call.disposition],
        ring=round(call.ring_s, 1),
        talk=round(call.talk_s, 1),
    )
    if call.rang:
        yield _RANG.given(people=plain(", ".join(dict.fromkeys(ring.extension for ring in call.rang))))
    if call.answered_by:
        yield _BY.given(first=plain(call.answered_by), last=plain(call.last_talker or call.answered_by))
    for move in call.transfers:
        yield MOVES[move.kind].given(by=plain(move.by), to=plain(move.to or "…"))
    if call.hung_up_by is not None:
        yield _ENDED.given(side=SIDES[call.hung_up_by])


_BECAUSE = Phrase("{field}: {why}", "{field}: {why}")


def rules_of(call: Call) -> Iterator[Phrase]:
    """The rule that decided each derived field (law 12)."""
    yield _BECAUSE.given(field=plain("direction"), why=_DIRECTION_RULES[call.direction])
    yield _BECAUSE.given(field=plain("answered_by"), why=_answer_rule(call))
    yield _BECAUSE.given(field=plain("disposition"), why=_disposition_rule(call))
    yield _BECAUSE.given(field=plain("owner"), why=_owner_rule(call))


_DIRECTION_RULES = {
    Direction.IN: Phrase("a trunk channel began it in state Ring", "его начал канал транка в состоянии Ring"),
    Direction.OUT: Phrase(
        "a colleague's phone (or an Originate for it) dialled a trunk",
        "телефон сотрудника (или Originate за него) набрал транк",
    ),
    Direction.INTERNAL: Phrase("no trunk channel belongs to it", "каналов транка в нём нет"),
}


def _answer_rule(call: Call) -> Phrase:
    if not call.talks:
        return Phrase(
            "no person's channel shared a bridge with the customer's",
            "ничей канал не был в одном мосту с каналом клиента",
        )
    if not call.certain:
        return Phrase(
            "every dial on the way was answered, but no bridge was seen: not certain",
            "на каждый вызов по пути ответили, но моста не видно: не наверняка",
        )
    if call.via:
        return Phrase(
            "the outside phone {via} shared a bridge with the customer; it was rung on behalf of {ext}",
            "внешний телефон {via} был в мосту с клиентом; ему звонили за {ext}",
        ).given(via=plain(call.via), ext=plain(call.answered_by or "?"))
    return Phrase(
        "the first person's channel in a bridge with the customer's",
        "первый канал человека в мосту с каналом клиента",
    )


def _disposition_rule(call: Call) -> Phrase:
    rules = {
        Disposition.ANSWERED: Phrase("somebody talked with the customer", "с клиентом говорили"),
        Disposition.CANCELLED: Phrase(
            "the caller went while it rang or while he waited",
            "звонивший ушёл, пока звонило или пока он ждал",
        ),
        Disposition.BUSY: Phrase("DialEnd BUSY or cause 17", "DialEnd BUSY или причина 17"),
        Disposition.DECLINED: Phrase("the refused phone's cause 21", "причина 21 у отказавшего телефона"),
        Disposition.NO_ANSWER: Phrase("it rang out", "не дозвонились"),
        Disposition.FAILED: Phrase("no phone was reached", "ни до одного телефона не дошло"),
        Disposition.VOICEMAIL: Phrase("the mailbox took it", "ответил автоответчик"),
        Disposition.AFTER_HOURS: Phrase(
            "nobody was rung, the PBX hung up", "никому не звонили, трубку положила АТС"
        ),
        Disposition.BLOCKED: Phrase("the PBX's blacklist took the line", "трубку снял чёрный список АТС"),
        Disposition.UNKNOWN: Phrase("the end was not seen", "конец не виден"),
    }
    return rules[call.disposition]


def _owner_rule(call: Call) -> Phrase:
    if call.direction is Direction.INTERNAL:
        return Phrase("internal calls have none", "у внутренних его нет")
    if any(talk.extension for talk in call.talks):
        return Phrase("{who}: the last colleague who talked", "{who}: последний говоривший сотрудник").given(
            who=plain(call.owner or "?")
        )
    if call.owner:
        return Phrase("{who}: who called out", "{who}: кто звонил").given(who=plain(call.owner))
    if call.rang:
        return Phrase("{who}: who was rung first", "{who}: у кого зазвонило первым").given(
            who=plain(call.rang[0].extension)
        )
    return Phrase("nobody was rung: the portal's rule decides", "никому не звонили: решает правило портала")


# -------------------------------------------------------------------------------------- intents
def tell_intent(intent: Intent) -> Phrase:
    """What a portal would have been told, in a line."""
    match intent:
        case Register():
            return Phrase(
                "register {number} on {line} for {owner}", "регистрация {number} на {line} за {owner}"
            ).given(
                number=plain(intent.about.number or "—"),
                line=plain(intent.about.line or "—"),
                owner=plain(intent.owner or "—"),
            )
        case Cards():
            return Phrase("card seen by: {people}", "карточку видят: {people}").given(
                people=plain(", ".join(sorted(intent.seers))) if intent.seers else NOBODY
            )
        case Finish():
            return Phrase(
                "finish: {result}, {talk} s, for {owner}", "завершение: {result}, {talk} с, за {owner}"
            ).given(
                result=DISPOSITIONS[Disposition(intent.result.value)],
                talk=intent.talk_s,
                owner=plain(intent.owner or "—"),
            )
        case Attach():
            return Phrase("attach {path}", "запись {path}").given(path=plain(intent.path))
        case Transcribe():
            return Phrase("transcript of {path}", "расшифровка {path}").given(path=plain(intent.path))
        case Remind():
            return Phrase("remind of the missed call", "напоминание о пропущенном")
        case Settle():
            return Phrase("no reminder any more", "напоминание больше не нужно")
        case Reached():
            return Phrase("the client was reached", "с клиентом поговорили")
