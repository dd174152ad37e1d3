"""The words of the pages, in one place because templates use them by name.

`Words(language)` gives a template `w.last_calls` or `w("disposition", call.disposition)`.
"""

from __future__ import annotations

from callme.wording import Language, Phrase

PHRASES: dict[str, Phrase] = {
    "setup": Phrase("Set-up", "Настройка"),
    "title": Phrase("Calls", "Звонки"),
    "now": Phrase("On the line now", "Сейчас на линии"),
    "nobody": Phrase("Nobody is calling right now.", "Сейчас никто не звонит."),
    "last_calls": Phrase("Last calls", "Последние звонки"),
    "older_calls": Phrase("Earlier calls", "Более ранние звонки"),
    "no_calls": Phrase(
        "No calls yet. The next one will appear here by itself.",
        "Звонков пока не было. Следующий появится здесь сам.",
    ),
    "older": Phrase("Earlier", "Раньше"),
    "newest": Phrase("Newest", "Новые"),
    "live": Phrase("live", "обновляется"),
    "stale": Phrase("connection lost, reconnecting…", "связь потеряна, восстанавливаем…"),
    "pbx": Phrase("PBX", "АТС"),
    "portal": Phrase("CRM", "CRM"),
    "link_up": Phrase("connected", "на связи"),
    "link_down": Phrase("no connection", "нет связи"),
    "portal_up": Phrase("takes records", "принимает записи"),
    "portal_shadow": Phrase("shadow mode: told nothing", "теневой режим: ничего не передаётся"),
    "not_sent": Phrase("not sent: shadow mode", "не отправлено: теневой режим"),
    "portal_down": Phrase("paused", "приостановлен"),
    "no_portal": Phrase(
        "No CRM is configured: calls are only shown here.", "CRM не подключена: звонки видны только здесь."
    ),
    "backlog": Phrase("waiting: {count}", "ждут отправки: {count}"),
    "refused": Phrase("refused: {count}", "отклонено: {count}"),
    "oddities": Phrase("unexpected events today: {count}", "неожиданных событий за сутки: {count}"),
    "since": Phrase("since {when}", "с {when}"),
    "hidden": Phrase("Hidden number", "Скрытый номер"),
    "when": Phrase("Time", "Время"),
    "who": Phrase("Customer", "Клиент"),
    "line": Phrase("Line", "Линия"),
    "colleague": Phrase("Employee", "Сотрудник"),
    "outcome": Phrase("Outcome", "Итог"),
    "duration": Phrase("Talk", "Разговор"),
    "recording": Phrase("Recording", "Запись"),
    "recorded": Phrase("recorded", "записан"),
    "in_crm": Phrase("In CRM", "В CRM"),
    "rings": Phrase("rings at", "звонит у"),
    "talks": Phrase("talks with", "говорит с"),
    "calls_out": Phrase("called by", "звонит"),
    "waiting": Phrase("waiting", "ожидает"),
    "on_line": Phrase("line {line}", "линия {line}"),
    "going_on": Phrase("going on", "идёт"),
    "lost": Phrase("the end was not seen", "конец не замечен"),
    "uncertain": Phrase("not quite certain", "не вполне точно"),
    "back": Phrase("All calls", "Все звонки"),
    "timeline": Phrase("What happened", "Что происходило"),
    "facts": Phrase("In short", "Кратко"),
    "path": Phrase("Way through the PBX", "Путь по АТС"),
    "recordings": Phrase("Recordings", "Записи"),
    "said": Phrase("What was said", "Что было сказано"),
    "said_customer": Phrase("Customer", "Клиент"),
    "said_employee": Phrase("Employee", "Сотрудник"),
    "said_by": Phrase("Employee {who}", "Сотрудник {who}"),
    "said_unknown": Phrase("Not known who", "Неизвестно кто"),
    "heard_by": Phrase("Heard or read by", "Слушали или читали"),
    "keep_back": Phrase("Never upload this recording", "Никогда не отправлять эту запись"),
    "keep_back_ask": Phrase(
        "Keep this recording from every portal, for good?",
        "Навсегда не отправлять эту запись ни в один портал?",
    ),
    "kept_back": Phrase(
        "Kept from every portal by {who}, {when}", "Не отправляется ни в один портал: {who}, {when}"
    ),
    "deliveries": Phrase("What the CRM was told", "Что передано в CRM"),
    "no_deliveries": Phrase("This call is told to no CRM.", "Этот звонок в CRM не передаётся."),
    "attempts": Phrase("Each request and its answer", "Каждый запрос и ответ"),
    "attempt": Phrase("try {number}", "попытка {number}"),
    "asked": Phrase("asked", "запрос"),
    "answered": Phrase("answered", "ответ"),
    "oddity": Phrase("Unexpected", "Неожиданное"),
    "started": Phrase("Began", "Начало"),
    "answered_at": Phrase("Answered", "Ответ"),
    "ended": Phrase("Ended", "Конец"),
    "rang_for": Phrase("Rang for", "Ожидание ответа"),
    "talked_for": Phrase("Talked for", "Длительность разговора"),
    "answered_by": Phrase("Answered by", "Ответил"),
    "last_talker": Phrase("Talked last", "Последним говорил"),
    "caller": Phrase("Called by", "Звонил"),
    "hung_up_by": Phrase("Hung up by", "Положил трубку"),
    "rated": Phrase("Caller's rating", "Оценка звонившего"),
    "trunk": Phrase("Trunk", "Транк"),
    "linked": Phrase("Met other calls", "Пересёкся со звонками"),
    "uniqueids": Phrase("Channels in the PBX", "Каналы в АТС"),
    "transcript": Phrase("What the PBX said", "Что сообщала АТС"),
    "transcript_file": Phrase("transcript for callme replay", "протокол для callme replay"),
    "call_id": Phrase("Call id", "Идентификатор звонка"),
    "next_try": Phrase("next try {when}", "следующая попытка {when}"),
    "seconds": Phrase("s", "с"),
    "minutes": Phrase("min", "мин"),
    "hours": Phrase("h", "ч"),
    "language": Phrase("Language", "Язык"),
    "not_found": Phrase("There is no such call", "Такого звонка нет"),
    "not_found_more": Phrase(
        "It may have been deleted by age, or the address is mistyped.",
        "Возможно, он удалён по сроку хранения или адрес введён с ошибкой.",
    ),
    "bad_cursor": Phrase("This list no longer exists", "Этого списка больше нет"),
    "began_in": Phrase("the customer called", "позвонил клиент"),
    "began_out": Phrase("{who} called the customer", "{who} позвонил клиенту"),
    "began_internal": Phrase("{who} called a colleague", "{who} позвонил коллеге"),
    "ev_ring": Phrase("rang at {who}", "звонок у {who}"),
    "ev_talk": Phrase("{who} talked with the customer", "{who} говорит с клиентом"),
    "ev_hold": Phrase("{who} put the call on hold", "{who} поставил на удержание"),
    "ev_blind": Phrase("{by} handed the call to {to}", "{by} перевёл звонок на {to}"),
    "ev_attended": Phrase(
        "{by} handed the call to {to} after asking", "{by} перевёл звонок на {to} с консультацией"
    ),
    "ev_park": Phrase("{by} parked the call at {to}", "{by} припарковал звонок на {to}"),
    "ev_pickup": Phrase("{by} took over the ring of {to}", "{by} перехватил звонок у {to}"),
    "ev_end": Phrase("the call ended", "звонок завершён"),
    "ev_lost": Phrase("the last certain moment", "последний достоверный момент"),
    "tab_to": Phrase("Hand on to", "Перевести на"),
    "tab_transfer": Phrase("Hand on", "Перевести"),
    "tab_hang_up": Phrase("Hang up", "Завершить"),
    "tab_again": Phrase("Look again", "Обновить"),
    "tab_past": Phrase("Earlier calls of this number", "Прежние звонки этого номера"),
    "tab_no_past": Phrase("None that CallMe knows of.", "CallMe о таких не знает."),
    "tab_recording": Phrase("being recorded", "идёт запись"),
    "tab_kept_back": Phrase("recorded, kept from the CRM", "записан, в CRM не передаётся"),
    # --- closed sets: `w("kind", value)`
    "direction.in": Phrase("incoming", "входящий"),
    "direction.out": Phrase("outgoing", "исходящий"),
    "direction.internal": Phrase("internal", "внутренний"),
    "disposition.answered": Phrase("answered", "отвечен"),
    "disposition.no-answer": Phrase("not answered", "не отвечен"),
    "disposition.busy": Phrase("busy", "занято"),
    "disposition.declined": Phrase("declined", "отклонён"),
    "disposition.cancelled": Phrase("caller gave up", "звонивший не дождался"),
    "disposition.failed": Phrase("could not be connected", "не удалось соединить"),
    "disposition.voicemail": Phrase("voicemail", "голосовая почта"),
    "disposition.after-hours": Phrase("after hours", "нерабочее время"),
    "disposition.blocked": Phrase("blocked", "заблокирован"),
    "disposition.unknown": Phrase("unknown", "неизвестно"),
    "side.caller": Phrase("the caller", "звонивший"),
    "side.agent": Phrase("the employee", "сотрудник"),
    "side.callee": Phrase("the customer", "клиент"),
    "side.pbx": Phrase("the PBX", "АТС"),
    "step.did": Phrase("number", "номер"),
    "step.ivr": Phrase("voice menu", "голосовое меню"),
    "step.group": Phrase("ring group", "группа"),
    "step.queue": Phrase("queue", "очередь"),
    "step.hours": Phrase("business hours", "режим работы"),
    "step.announcement": Phrase("announcement", "объявление"),
    "step.forward": Phrase("forward", "переадресация"),
    "step.followme": Phrase("follow-me", "следование"),
    "step.voicemail": Phrase("voicemail", "голосовая почта"),
    "step.parking": Phrase("parking", "парковка"),
    "step.conference": Phrase("conference", "конференция"),
    "record.register": Phrase("call opened", "звонок открыт"),
    "record.finish": Phrase("call closed", "звонок закрыт"),
    "record.attach": Phrase("recording attached", "запись приложена"),
    "record.transcribe": Phrase("transcript", "расшифровка разговора"),
    "record.remind": Phrase("reminder of the missed call", "напоминание о пропущенном"),
    "record.settle": Phrase("client reached, reminder closed", "клиенту перезвонили, напоминание закрыто"),
    "record.cards": Phrase("cards", "карточки"),
    "state.waiting": Phrase("waits", "ждёт"),
    "state.sending": Phrase("being sent", "отправляется"),
    "state.done": Phrase("done", "выполнено"),
    "state.refused": Phrase("refused", "отклонено"),
    "answer.delivered": Phrase("done", "выполнено"),
    "answer.later": Phrase("later", "позже"),
    "answer.refused": Phrase("refused", "отказ"),
    "answer.unauthorised": Phrase("no rights", "нет прав"),
    "answer.ambiguous": Phrase("no answer came back", "ответ не получен"),
    "crm.done": Phrase("in CRM", "в CRM"),
    "crm.waiting": Phrase("on its way", "в пути"),
    "crm.refused": Phrase("refused", "отклонено"),
    "crm.none": Phrase("not told", "не передаётся"),
}


class Words:
    """The phrases in one language, for a template."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def __getattr__(self, name: str) -> str:
        try:
            return PHRASES[name].say(self.language)
        except KeyError:
            raise AttributeError(name) from None

    def __call__(self, kind: str, value: object = None, **values: object) -> str:
        """`w("direction", call.direction)` for a closed set, `w("backlog", count=3)` for placeholders. A
        value of a closed set that has no words yet is shown as it is."""
        if value is None:
            return PHRASES[kind].given(**values).say(self.language)
        phrase = PHRASES.get(f"{kind}.{value}")
        return phrase.say(self.language) if phrase else str(value)

    def told(self, phrase: Phrase | None) -> str:
        """A phrase that came with the data."""
        return phrase.say(self.language) if phrase else ""
