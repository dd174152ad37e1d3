"""What a user of the portal is told, among its notifications: why his click came to nothing, who asks to be
called.

The adapter calls it after the order that it belongs to. A message is never worth a record: whatever the
portal says to it becomes a remark on that order. It needs the right `im`, which a portal may leave out.
"""

from __future__ import annotations

from typing import Any

from callme.crm.port import Urgency
from callme.portals.bitrix24.rest import Fault, Rest
from callme.wording import Language, Phrase

NOTIFY = "im.notify.system.add"
CLIENT = "callme"
"""Names us beside a tag where we are no application; a webhook's tags are not kept otherwise."""

ANSWER_S = 10.0

TELL_S = 900.0
"""Why a click came to nothing is told to its user within so long after it: later he has forgotten it."""

UNTOLD = Phrase("The user was not told: {why}", "Пользователю не сообщено: {why}")
NOT_MADE = Phrase("the portal made no notification", "портал не создал уведомление")
_MARKUP = str.maketrans("[]<>", "()()")


def harmless(text: str) -> str:
    """The text without tags: notifications and tasks know some in both kinds of brackets, and a customer may
    have written it."""
    return text.translate(_MARKUP)


def message(rest: Rest, user: int, said: Phrase, tag: str, language: Language) -> dict[str, Any]:
    """The parameters of a notification."""
    params: dict[str, Any] = {
        "USER_ID": user,
        "MESSAGE": harmless(said.say(language)),
        "TAG": tag,
    }
    if not rest.credentials.application:
        params["CLIENT_ID"] = CLIENT
    return params


async def tell(rest: Rest, user: int, said: Phrase, tag: str, language: Language) -> Phrase | None:
    """Tells that user; what is to be remarked when it failed. The same `tag` again takes the first
    notification's place, so that a repeat never shows twice."""
    params = message(rest, user, said, tag, language)
    done = await rest.call(NOTIFY, params, Urgency.FINISH, answer_s=ANSWER_S)
    if isinstance(done, Fault):
        why = getattr(done.outcome, "why", None)
        return UNTOLD.given(why=why if isinstance(why, Phrase) else "?")
    return None if done.result else UNTOLD.given(why=NOT_MADE)
