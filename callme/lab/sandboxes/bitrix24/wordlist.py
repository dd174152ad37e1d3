"""The words of the sandbox's page, in both languages; status codes as the sheet says them (§8.2)."""

from __future__ import annotations

from callme.wording import Phrase

PAGE = {
    "title": Phrase("Sandbox portal", "Учебный портал"),
    "subtitle": Phrase(
        "A stand-in for Bitrix24 on this machine: what CallMe tells the CRM appears here at once.",
        "Замена Битрикс24 на этом компьютере: всё, что CallMe сообщает CRM, сразу видно здесь.",
    ),
    "screens": Phrase("Employees’ screens", "Экраны сотрудников"),
    "calls": Phrase("Calls", "Звонки"),
    "extension": Phrase("ext.", "доб."),
    "free": Phrase("No cards", "Карточек нет"),
    "unknown": Phrase("Unknown number", "Неизвестный номер"),
    "line": Phrase("Line", "Линия"),
    "call": Phrase("Call", "Звонок"),
    "client": Phrase("Customer", "Клиент"),
    "user": Phrase("Employee", "Сотрудник"),
    "started": Phrase("Started", "Начало"),
    "duration": Phrase("Talk", "Разговор"),
    "status": Phrase("Status", "Статус"),
    "recording": Phrase("Recording", "Запись"),
    "none": Phrase(
        "No calls yet. Ring one of the lab’s phones and watch.",
        "Звонков пока нет. Позвоните на один из телефонов стенда и наблюдайте.",
    ),
    "live": Phrase("live", "на связи"),
    "lost": Phrase("connection lost", "связь потеряна"),
    "other_language": Phrase("Русский", "English"),
}

DIRECTIONS = {
    1: Phrase("Outgoing", "Исходящий"),
    2: Phrase("Incoming", "Входящий"),
    3: Phrase("Incoming, redirected", "Входящий с переадресацией"),
    4: Phrase("Callback", "Обратный звонок"),
    5: Phrase("Info call", "Информационный звонок"),
}

UNDEFINED = Phrase("Undefined", "Не определено")
STATUSES = {
    "200": Phrase("Answered", "Успешный звонок"),
    "304": Phrase("Missed", "Пропущенный"),
    "402": Phrase("Not enough money", "Недостаточно средств"),
    "403": Phrase("Forbidden", "Запрещено"),
    "404": Phrase("Wrong number", "Неверный номер"),
    "423": Phrase("Blocked", "Заблокировано"),
    "480": Phrase("Temporarily unavailable", "Временно недоступен"),
    "484": Phrase("Direction unavailable", "Направление недоступно"),
    "486": Phrase("Busy", "Занято"),
    "503": Phrase("Direction unavailable", "Направление недоступно"),
    "603": Phrase("Declined", "Отклонён"),
    "603-S": Phrase("Cancelled by the caller", "Отменён звонящим"),
}
TONES = {"200": "good", "304": "bad"}
