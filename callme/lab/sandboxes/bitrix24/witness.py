"""What the sandbox portal shows, in words and in neutral values, for the demo: it tells the story from the
CRM's side and judges the result without knowing which CRM it looks at.
"""

from __future__ import annotations

from collections.abc import Callable

from callme.lab.numbering import EXTENSIONS
from callme.lab.sandboxes.bitrix24 import wordlist
from callme.lab.sandboxes.bitrix24.seed import CLIENT_PHONE, default_office
from callme.lab.sandboxes.bitrix24.server import SandboxPortal
from callme.lab.sandboxes.bitrix24.state import Happening, Office, Statistic
from callme.lab.sandboxes.bitrix24.state import Line as PhoneLine
from callme.lab.telling import Line, Side
from callme.lab.verdict import CardSeen, Record
from callme.lab.voices import shown
from callme.wording import Language, Phrase, plain

RUSSIAN_NAMES = {
    "101": "Анна Петрова",
    "102": "Борис Сидоров",
    "103": "Клара Иванова",
    "104": "Денис Орлов",
    "105": "Елена Смирнова",
    "106": "Фёдор Кузнецов",
}
ADMIN = Phrase("Maria Orlova", "Мария Орлова")
CLIENT = Phrase("Ivan Petrov", "Иван Петров")
KNOWN_CLIENT = CLIENT_PHONE.lstrip("+")
"""A customer whose name the portal knows."""

LINES = ("74950000001", "74950000003")
"""The office's numbers, as the portal has them too: it names the line of a call only if it knows it."""

BEHIND_S = 0.001
"""A registration makes its customer first; people understand the call first."""

OUTGOING = 1
CODES = {("in", "answered"): "200", ("in", "no-answer"): "304", ("out", "answered"): "200"}
"""Direction and true disposition → the status code that the portal must show."""

_KINDS = {
    "LEAD": Phrase("lead", "лид"),
    "CONTACT": Phrase("contact", "контакт"),
    "DEAL": Phrase("deal", "сделка"),
    "COMPANY": Phrase("company", "компания"),
}


def office(language: Language) -> Office:
    """The default office, its people named as the lab's PBX names them."""
    made = default_office()
    for user in made.users.values():
        name = (RUSSIAN_NAMES if language == "ru" else EXTENSIONS).get(user.extension) or ADMIN.say(language)
        user.name, _, user.last_name = name.partition(" ")
    for customer in made.customers.values():
        customer.title = CLIENT.say(language)
    for number in LINES:
        made.lines[number] = PhoneLine(made.next_id("line"), number)
    return made


def table(portal: SandboxPortal, ident: str = "main") -> dict[str, object]:
    """The `[[portal]]` table with which CallMe reaches it."""
    return {"id": ident, "crm": "bitrix24", "webhook": portal.webhook_url, "default_user": 1}


class Witness:
    """Looks at one portal."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def said(self, happening: Happening) -> Line | None:
        """A line for what happened in the portal; `None` for what a person need not hear."""
        about = happening.about
        if happening.kind in ("card.shown", "card.hidden"):
            opens = happening.kind == "card.shown"
            text = Phrase("card opens for {who}", "карточка открылась: {who}")
            if not opens:
                text = Phrase("card closes for {who}", "карточка закрылась: {who}")
            who = (self._person(about["user"], named=opens),)
            return Line(happening.at, Side.CRM, text, who, f"{happening.kind} {about['call']}")
        said = self._text(happening.kind, about)
        after = BEHIND_S if happening.kind == "customer.created" else 0
        return Line(happening.at + after, Side.CRM, said) if said is not None else None

    def _text(self, kind: str, about: dict[str, object]) -> Phrase | None:
        match kind:
            case "registered":
                text = Phrase("new call: {direction}, {client}", "новый звонок: {direction}, {client}")
                direction = _lower(wordlist.DIRECTIONS.get(_int(about["type"]), wordlist.UNDEFINED))
                return text.given(
                    direction=direction, client=self._client(str(about["call"]), str(about["phone"]))
                )
            case "registered.again":
                return Phrase("the same call again: not doubled", "тот же звонок ещё раз: не удвоен")
            case "customer.created":
                text = Phrase("new {what} for an unknown number", "новый {what}: номер незнаком")
                return text.given(what=_KINDS.get(str(about["type"]), plain(about["type"])))
            case "finished":
                text = Phrase(
                    "call saved: {status} ({code}), {whose}, {s} s",
                    "звонок сохранён: {status} ({code}), {whose}, {s} с",
                )
                status = _lower(wordlist.STATUSES.get(str(about["code"]), wordlist.UNDEFINED))
                owner = self._person(_int(about["user"]))
                return text.given(status=status, code=about["code"], whose=owner, s=about["duration"])
            case "attached":
                text = Phrase(
                    "recording attached: {s} s of sound, {kb} kB", "запись приложена: {s} с звука, {kb} кБ"
                )
                seconds = about["duration"]
                said = f"{seconds:.0f}" if isinstance(seconds, float) else "?"
                return text.given(s=said, kb=max(1, round(_int(about["size"]) / 1024)))
        return None

    def watch(self, on_happening: Callable[[Happening], None]) -> None:
        """Be told of each happening as it happens."""
        self._office.watchers.append(on_happening)

    def records(self) -> list[Record]:
        """The calls that the portal keeps, oldest first."""
        return [self._record(self._office.statistics[number]) for number in sorted(self._office.statistics)]

    def unfinished(self, number: str) -> int:
        """How many calls with that outside number the portal believes to go on."""
        return sum(call.phone.lstrip("+") == number for call in self._office.calls.values())

    def standing(self) -> int:
        """How many cards stand on all screens."""
        return sum(card.hidden_at is None for card in self._office.cards)

    def _record(self, kept: Statistic) -> Record:
        sound = self._office.recordings.get(kept.record_file or 0)
        user = self._office.users.get(kept.user)
        cards = [card for card in self._office.cards if card.call == kept.call]
        return Record(
            direction="out" if kept.type == OUTGOING else "in",
            said_direction=wordlist.DIRECTIONS.get(kept.type, wordlist.UNDEFINED),
            number=kept.phone.lstrip("+"),
            client=self._office.title(kept.primary) if kept.primary and kept.primary[0] != "LEAD" else "",
            line="" if kept.line.startswith("REST_APP:") else kept.line,
            extension=user.extension if user else "",
            user=user.full_name if user else f"#{kept.user}",
            code=kept.code,
            said_result=wordlist.STATUSES.get(kept.code, wordlist.UNDEFINED),
            talk_s=kept.duration,
            sound=sound.content if sound else None,
            sound_s=sound.duration if sound else None,
            cards=tuple(CardSeen(self._person(c.user, named=False), c.shown_at, c.hidden_at) for c in cards),
        )

    def _person(self, user: int, *, named: bool = True) -> str:
        known = self._office.users.get(user)
        if known is None:
            return f"#{user}"
        if not known.extension:
            return known.full_name
        return f"{known.extension} {known.full_name}" if named else known.extension

    def _client(self, call: str, phone: str) -> str:
        known = self._office.calls.get(call)
        primary = known.primary if known else None
        title = self._office.title(primary) if primary and primary[0] != "LEAD" else ""
        return f"{title}, {shown(phone)}" if title else shown(phone)


def _lower(phrase: Phrase) -> Phrase:
    return Phrase(phrase.en.lower(), phrase.ru.lower())


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0
