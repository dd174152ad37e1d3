"""The end of the demo as text: the CRM's calls as a table, and the count of expectations. Pure."""

from __future__ import annotations

from callme.lab.verdict import Check, Record
from callme.lab.voices import shown
from callme.wording import Language, Phrase

HEADS = (
    Phrase("direction", "направление"),
    Phrase("number", "номер"),
    Phrase("customer", "клиент"),
    Phrase("line", "линия"),
    Phrase("user", "сотрудник"),
    Phrase("result", "результат"),
    Phrase("talk", "разговор"),
    Phrase("recording", "запись"),
)
SECONDS = Phrase("{n} s", "{n} с")


def table(records: list[Record], language: Language) -> list[str]:
    """Head, rule and a row for each call."""
    heads = tuple(head.say(language) for head in HEADS)
    rows = [heads, *(_row(record, language) for record in records)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return [
        lines[0].rstrip(),
        "  ".join("─" * width for width in widths),
        *(one.rstrip() for one in lines[1:]),
    ]


def _row(record: Record, language: Language) -> tuple[str, ...]:
    return (
        record.said_direction.say(language),
        shown(record.number),
        record.client or "—",
        shown(record.line) or "—",
        f"{record.extension} {record.user}".strip(),
        f"{record.said_result.say(language)} ({record.code})",
        SECONDS.given(n=record.talk_s).say(language) if record.talk_s else "—",
        SECONDS.given(n=round(record.sound_s)).say(language) if record.sound_s else "—",
    )


def tally(checks: list[Check]) -> Phrase:
    """How many expectations were met."""
    met = sum(check.met for check in checks)
    if met == len(checks):
        return Phrase("✔ All {n} expectations were met.", "✔ Все ожидания оправдались: {n} из {n}.").given(
            n=met
        )
    return Phrase(
        "✘ {n} of {all} expectations were not met.", "✘ Не оправдалось ожиданий: {n} из {all}."
    ).given(n=len(checks) - met, all=len(checks))
