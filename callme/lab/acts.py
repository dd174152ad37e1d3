"""The three calls that the demo shows, and what is promised of each. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from callme.lab.scenarios import groups, outgoing
from callme.lab.verdict import Act
from callme.wording import Phrase

STRANGER = "79000000112"


def acts(known_client: str, codes: Mapping[tuple[str, str], str]) -> tuple[Act, ...]:
    """The calls that are shown: `known_client` is a number that the CRM knows, `codes` what it must say of a
    call by direction and disposition."""
    return (
        Act(
            Phrase(
                "Call 1 of 3. A customer calls the sales group: 101, 102 and 103 ring, 102 answers.",
                "Звонок 1 из 3. Клиент звонит в отдел продаж: звонят 101, 102 и 103, отвечает 102.",
            ),
            groups.ringall_answered(known_client),
            codes["in", "answered"],
            ("102",),
        ),
        Act(
            Phrase(
                "Call 2 of 3. A stranger calls the same group, and nobody answers: a missed call.",
                "Звонок 2 из 3. Незнакомый номер звонит туда же, никто не отвечает: пропущенный.",
            ),
            groups.ringall_nobody(STRANGER),
            codes["in", "no-answer"],
            ("101", "102", "103"),
        ),
        Act(
            Phrase(
                "Call 3 of 3. 103 calls the missed number back, and the customer answers.",
                "Звонок 3 из 3. 103 перезванивает на пропущенный номер, клиент отвечает.",
            ),
            outgoing.out_answered("103", STRANGER),
            codes["out", "answered"],
            ("103",),
        ),
    )
