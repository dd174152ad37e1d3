"""What a telephone saw, as a sentence for a person. Pure; used by `callme lab` and the demo."""

from __future__ import annotations

from callme.lab.phones import Seen, far_end
from callme.wording import Phrase, plain

_SENTENCES: dict[str, tuple[str, str]] = {
    "call": ("{who} calls {detail}", "{who} звонит {detail}"),
    "invite": ("{who} rings", "{who}: звонок"),
    "shown": ("{who} shows {detail}", "{who}: на экране {detail}"),
    "answer": ("{who} answers", "{who} отвечает"),
    "answered": ("{who} is connected", "{who}: соединение"),
    "cancel": ("{who} stops ringing", "{who} перестаёт звонить"),
    "sendcancel": ("{who} gives up", "{who} не дожидается ответа"),
    "refuse": ("{who} refuses ({detail})", "{who} отклоняет ({detail})"),
    "failed": ("{who} is refused ({detail})", "{who} получает отказ ({detail})"),
    "hold": ("{who} holds the other side", "{who} ставит на удержание"),
    "unhold": ("{who} takes the other side back", "{who} снимает с удержания"),
    "refer": ("{who} transfers to {detail}", "{who} переводит на {detail}"),
    "key": ("{who} presses {detail}", "{who} нажимает {detail}"),
    "sendbye": ("{who} hangs up", "{who} кладёт трубку"),
    "gotbye": ("{who}: the other side hung up", "{who}: собеседник положил трубку"),
}


def told(seen: Seen) -> Phrase:
    """The sentence for one line of the telephones' log."""
    english, russian = _SENTENCES.get(seen.what, ("{who}: {what}", "{who}: {what}"))
    who: Phrase = plain(seen.leg.rpartition("-")[2])
    detail = seen.detail.partition(";" if seen.what == "shown" else " ")[0]
    if far_end(seen.leg):
        who = Phrase("the outside line", "внешняя линия")
    return Phrase(english, russian).given(who=who, what=seen.what, detail=detail)
