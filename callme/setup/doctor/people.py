"""Whether the telephones of the PBX and the people of the CRM know each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from callme.setup.doctor.signs import Area, Level, Sign, well
from callme.wording import Phrase, plain

TOPIC = Phrase(
    "extensions of PBX “{pbx}” and people of portal “{portal}”",
    "добавочные АТС «{pbx}» и сотрудники портала «{portal}»",
)
MATCH = Phrase("{count} belong together", "совпадают: {count}")
NOBODYS = Phrase(
    "{count} belong together; nobody in the portal has {extensions}",
    "совпадают: {count}; ни у кого в портале нет {extensions}",
)
NOBODYS_MEANS = Phrase(
    "who answers there sees no card, and his calls go to default_user",
    "кто ответит по ним, не увидит карточку, а его звонки достанутся default_user",
)
NOBODYS_CURE = Phrase(
    "enter the extension at the employee in the CRM, or map it in “users” of [[portal]]",
    "укажите добавочный у сотрудника в CRM или задайте его в users в [[portal]]",
)
ABSENT = Phrase("the PBX does not know {extensions}", "АТС не знает {extensions}")
ABSENT_MEANS = Phrase(
    "a click of these people rings no telephone", "по клику этих сотрудников не зазвонит ни один телефон"
)
ABSENT_CURE = Phrase(
    "correct the extension at the employee in the CRM", "исправьте добавочный у сотрудника в CRM"
)
UNTOLD = Phrase(
    "cannot be compared: the PBX does not tell its extensions",
    "сравнить нельзя: АТС не сообщает своих добавочных",
)
SHOWN = 8


def compare(pbx: str, portal: str, extensions: Mapping[str, str], people: Mapping[str, str]) -> list[Sign]:
    """Both sides by their extensions, with names: those of the PBX, those that somebody in the portal has."""
    topic = TOPIC.given(pbx=pbx, portal=portal)
    if not extensions:
        return [well(Area.PEOPLE, topic, UNTOLD)]
    both = extensions.keys() & people.keys()
    nobodys, absent = extensions.keys() - both, people.keys() - both
    if nobodys:
        found = NOBODYS.given(count=len(both), extensions=_some(nobodys, extensions))
        signs = [Sign(Area.PEOPLE, Level.HINT, topic, found, NOBODYS_MEANS, NOBODYS_CURE)]
    else:
        signs = [well(Area.PEOPLE, topic, MATCH.given(count=len(both)))]
    if absent:
        found = ABSENT.given(extensions=_some(absent, people))
        signs.append(Sign(Area.PEOPLE, Level.HINT, topic, found, ABSENT_MEANS, ABSENT_CURE))
    return signs


def _some(extensions: Iterable[str], names: Mapping[str, str]) -> Phrase:
    known = sorted(extensions)
    shown = ", ".join(f"{one} {names.get(one, '')}".strip() for one in known[:SHOWN])
    return plain(shown + (f" … +{len(known) - SHOWN}" if len(known) > SHOWN else ""))
