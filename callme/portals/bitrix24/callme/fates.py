"""What is said of the old scripts' keys: a sentence for each fate that `keys` gives one. No secret in any."""

from __future__ import annotations

from callme.wording import Phrase

AS = Phrase("kept as {key}", "сохранён как {key}")
AS_VALUE = Phrase("kept as {key} = {value}", "сохранён как {key} = {value}")
AS_SECRET = Phrase("kept as {key} (a secret, not shown)", "сохранён как {key} (секрет, не показан)")
EMPTY = Phrase("it is empty: fill in {key} yourself", "он пуст: заполните {key} сами")
UNFIT = Phrase("{why}: fill in {key} yourself", "{why}: заполните {key} сами")
UNKNOWN = Phrase(
    "not a key of any known version: look whether your copy of the scripts uses it",
    "такого ключа нет ни в одной известной версии: проверьте, нужен ли он вашей копии скриптов",
)
LOGS = Phrase(
    "CallMe logs to the journal and keeps each call's story on its page",
    "CallMe пишет в журнал системы, а историю каждого звонка показывает на его странице",
)
TECH = Phrase(
    "CallMe rings an extension with all its devices, whatever they are",
    "CallMe вызывает добавочный со всеми его устройствами, какими бы они ни были",
)
TIMES = Phrase(
    "CallMe waits for events instead of polling, and watches over its link by itself",
    "CallMe ждёт события, а не опрашивает, и сам следит за соединением",
)
NO_HANG_UP = Phrase(
    "CallMe never hangs up a call; limit holding in the PBX",
    "CallMe не кладёт трубку за людей; ограничивайте удержание в самой АТС",
)
TYPE = Phrase("each call's direction is seen from the call itself", "направление видно по самому звонку")
MODE = Phrase(
    "kept as missed_owner: whose a missed call is; cards are shown to whoever rings",
    "сохранён как missed_owner: чей пропущенный звонок; карточки видит тот, у кого звонит телефон",
)
PREFIX = Phrase(
    "the PBX puts {prefix} before the extensions of the portal: give each user in “users”",
    "АТС добавляет {prefix} к добавочным портала: перечислите сотрудников в users",
)
DEFAULT_NUMBER = Phrase(
    "kept as the owner of lines without one; default_user needs a user's id: give that of extension {number}",
    "сохранён как владелец линий, у которых его нет; default_user — это id: впишите id сотрудника с "
    "добавочным {number}",
)
CARDS = Phrase(
    "kept as card_rules: these {count} see a card when their phone rings, nobody else does",
    "сохранён как card_rules: карточку при звонке видят эти сотрудники ({count}) и никто больше",
)
NO_CARDS = Phrase(
    "it names nobody: cards are shown to whoever rings or talks; see card_rules",
    "в нём никого нет: карточки видит тот, кому звонят или кто говорит; см. card_rules",
)
IBLOCK = Phrase(
    "CallMe does not read lists of the portal: give each line its source in “lines”",
    "CallMe не читает списки портала: задайте источник каждой линии в lines",
)
ALL_LINES = Phrase(
    "kept as {count} of “lines”; CallMe tells of every line: to leave one out, write [[route]] tables",
    "сохранён как lines ({count}); CallMe сообщает обо всех линиях: чтобы исключить, напишите [[route]]",
)
ANY_LINE = Phrase(
    "“s” stood for every line: CallMe sees them all", "«s» означало любую линию: CallMe видит все"
)
OWNERS = Phrase("kept as the owner in “lines” ({count})", "сохранён как владелец в lines ({count})")
SOURCES = Phrase("kept as the source in “lines” ({count})", "сохранён как источник в lines ({count})")
USER_IDS = Phrase(
    "user ids per line: a line's owner is an extension here; give it in “lines”",
    "id сотрудников по линиям: здесь владелец линии задаётся добавочным — впишите его в lines",
)
RECORDS_HERE = Phrase(
    "kept as recordings_on_pbx = {folder}; without the hooks FreePBX records in /var/spool/asterisk/monitor",
    "сохранён как recordings_on_pbx = {folder}; без вставок FreePBX пишет в /var/spool/asterisk/monitor",
)
NO_PATH = Phrase("it is no path", "это не путь")
URL = Phrase(
    "CallMe uploads the file itself; the records need no web server any more",
    "CallMe сам загружает файл: веб-сервер для записей больше не нужен",
)
URL_PHP = Phrase(
    "point it at CallMe ({url}), or remove the hooks: both work",
    "направьте его на CallMe ({url}) или уберите вставки: годится и то и другое",
)
RECORDING = Phrase(
    "what is recorded stays the PBX's own matter", "что записывать, по-прежнему решает сама АТС"
)
