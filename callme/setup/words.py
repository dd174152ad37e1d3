"""What the set-up says and asks."""

from __future__ import annotations

from callme.wording import Phrase


class W:
    """The sentences, by what they are for."""

    # --------------------------------------------------------------------------------- where we are
    PBX = Phrase("1. The PBX", "1. АТС")
    PORTAL = Phrase("2. The CRM", "2. CRM")
    OWN = Phrase("3. CallMe itself", "3. Сам CallMe")
    UNDO = Phrase("Taking back what callme setup wrote", "Возвращаем всё, что записал callme setup")

    # ------------------------------------------------------------------------------------- the PBX
    FOUND = Phrase("Found here: {what}, its files in {etc}.", "Найдено: {what}, файлы — в {etc}.")
    CONNECT_IT = Phrase("Connect CallMe to it?", "Подключить CallMe к ней?")
    HOST = Phrase("Address of the PBX", "Адрес АТС")
    AMI_WAY = Phrase(
        "CallMe listens to the PBX as a user of its manager interface (AMI)",
        "CallMe слушает АТС как пользователь её интерфейса управления (AMI)",
    )
    AMI_NEW = Phrase("make a user with the least rights", "создать пользователя с наименьшими правами")
    AMI_EXISTING = Phrase("use one that is there already", "взять того, который уже есть")
    USERNAME = Phrase("Name of the AMI user", "Имя пользователя AMI")
    SECRET = Phrase("His secret", "Его секрет")
    PERMIT = Phrase("Address of this machine as the PBX sees it", "Адрес этой машины, каким его видит АТС")
    NAME_TAKEN = Phrase(
        "There is an AMI user callme already, not written by this set-up; ours will be {name}.",
        "Пользователь AMI callme уже есть, и записан он не здесь; нашим будет {name}.",
    )
    PASTE = Phrase(
        "Put this at the end of /etc/asterisk/manager_custom.conf on {host} (Asterisk without FreePBX: "
        "manager.conf). It lets CallMe in from {permit} alone, and holds its secret: show it to nobody.",
        "Допишите это в конец /etc/asterisk/manager_custom.conf на {host} (Asterisk без FreePBX: "
        "manager.conf). Вход CallMe разрешён только с {permit}; внутри секрет — никому его не показывайте.",
    )
    PASTE_RELOAD = Phrase(
        "Then, over there: asterisk -rx 'manager reload'. A firewall must let this machine reach port 5038, "
        "and nobody else.",
        "Затем там же: asterisk -rx 'manager reload'. Межсетевой экран должен пускать на порт 5038 эту "
        "машину, и никого больше.",
    )
    PASTED = Phrase("Done? CallMe will try to log in", "Готово? CallMe попробует войти")
    RECORDINGS = Phrase(
        "Folder where this machine sees the PBX's recordings (empty: without recordings)",
        "Папка, где эта машина видит записи разговоров (пусто — без записей)",
    )
    RELOAD = Phrase("Asterisk reads its manager files anew", "Asterisk перечитывает файлы AMI")

    # ---------------------------------------------------------------------- an older connector's lines
    OLD_LINES = Phrase("{file}, lines {first}–{last}: {why}", "{file}, строки {first}–{last}: {why}")
    TAKE_OLD_OUT = Phrase(
        "These lines belong to an older connector, and CallMe needs none of them. Take them out? Not before "
        "that connector is switched off.",
        "Это строки старого коннектора, CallMe они не нужны. Убрать их? Не раньше, чем тот коннектор "
        "выключен.",
    )
    OLD_HOOKS = Phrase("the old connector's lines go", "строки старого коннектора уходят")
    RELOAD_DIALPLAN = Phrase("Asterisk reads its dialplan anew", "Asterisk перечитывает диалплан")

    # ---------------------------------------------------------------------------------- the portal
    WANT_PORTAL = Phrase("Connect a CRM now?", "Подключить CRM сейчас?")
    CRM = Phrase("Which CRM", "Какая CRM")
    WAY = Phrase("How does CallMe reach it", "Как CallMe к ней подключается")

    # ---------------------------------------------------------------------------------------- hooks
    HOOK = Phrase(
        "The customer's name on the ringing telephone, and calls to the employee they are for (optional)",
        "Имя клиента на звонящем телефоне и звонки тому сотруднику, к которому они (необязательно)",
    )
    HOOK_NONE = Phrase("not now: nothing in the dialplan", "не сейчас: в диалплане ничего")
    HOOK_LOOKUP = Phrase(
        "by FreePBX's own CallerID Lookup Source, filled in by hand: no part of a route is replaced",
        "через источник имени самой FreePBX, заполняется вручную: маршруты не меняются",
    )
    HOOK_COSTS = Phrase("{about}. Its price: {price}", "{about}. Чем это стоит: {price}")
    HOOK_TAKEN = Phrase(
        "! [{context}] is used by somebody else ({place}): no hook is written, the two would be mixed",
        "! [{context}] уже занят ({place}): наша вставка не записана, иначе обе перемешались бы",
    )
    NO_DIALPLAN = Phrase(
        "! No hook is written: there is no FreePBX dialplan with extensions_custom.conf here",
        "! Вставка не записана: здесь нет диалплана FreePBX с extensions_custom.conf",
    )
    SOURCE = Phrase(
        "Now in FreePBX: Admin → CallerID Lookup Sources, type HTTP: host {host}, port {port}, user "
        "{username}, password: the key of [routing] in {config}, path {path}, query {query}. Then choose the "
        "source in each inbound route.",
        "Теперь в FreePBX: Admin → CallerID Lookup Sources, тип HTTP: хост {host}, порт {port}, пользователь "
        "{username}, пароль — key из [routing] в {config}, путь {path}, запрос {query}. Затем выберите этот "
        "источник в каждом входящем маршруте.",
    )

    # ------------------------------------------------------------------------------------ our files
    WANT_UNIT = Phrase(
        "Run CallMe as a systemd service, started at each boot?",
        "Запускать CallMe как службу systemd при каждой загрузке?",
    )
    CLOSED_PROGRAMME = Phrase(
        "! {programme} lies where the service's user {user} may not go: install CallMe elsewhere, such as "
        "/opt/callme, and run this again",
        "! {programme} лежит там, куда пользователю службы {user} нельзя: установите CallMe в другое место, "
        "например в /opt/callme, и повторите",
    )

    # ------------------------------------------------------------------------------------ in common
    AGAIN = Phrase("Try again?", "Попробовать ещё раз?")
    KEEP = Phrase("{question} (empty: as it is)", "{question} (пусто — оставить прежний)")
    MISSING = Phrase("it is not said: {question}", "не сказано: {question}")
    MISSING_CURE = Phrase(
        "give it with --set {key}=… or in the file of --answers",
        "задайте через --set {key}=… или в файле --answers",
    )
    SAME = Phrase("✔ {file} ({about}): nothing to change", "✔ {file} ({about}): менять нечего")
    CHANGE = Phrase("{file} ({about}):", "{file} ({about}):")
    BACK = Phrase("{file}:", "{file}:")
    GOES = Phrase("{file}: goes; it was made by callme setup", "{file}: удаляется, его создал callme setup")
    WRITE_IT = Phrase("Write this?", "Записать?")
    NOT_WRITTEN = Phrase("Not written.", "Не записано.")
    RUN_IT = Phrase("Run it yourself ({why}): {line}", "Выполните сами ({why}): {line}")
    RAN = Phrase("✔ {line} ({why})", "✔ {line} ({why})")
    RAN_BADLY = Phrase(
        "✘ {line} failed: {said}\n    → run it yourself ({why})",
        "✘ {line} — не вышло: {said}\n    → выполните сами ({why})",
    )
    WOULD = Phrase("Nothing was written: this was a dry run.", "Ничего не записано: это была примерка.")
    NOTHING = Phrase("Nothing to change.", "Менять нечего.")
    DONE = Phrase(
        "All is well. Look closer: callme doctor --config {config}",
        "Всё в порядке. Проверить подробнее: callme doctor --config {config}",
    )
    UNWELL = Phrase(
        "Not all is well yet: put right what is marked above and run this again, or ask: callme doctor "
        "--config {config}",
        "Пока не всё в порядке: исправьте отмеченное выше и запустите ещё раз или спросите: callme doctor "
        "--config {config}",
    )

    # ----------------------------------------------------------------------------------------- undo
    TAKEN_BACK = Phrase("✔ {file}: as it was before", "✔ {file}: как было раньше")
    REMOVED = Phrase("✔ {file}: removed", "✔ {file}: удалён")
    NOTHING_BACK = Phrase(
        "There is nothing of callme setup to take back.",
        "Возвращать нечего: callme setup здесь ничего не менял.",
    )
    KEPT_DATA = Phrase(
        "Calls and transcripts in {data} stay; delete them when you do not need them.",
        "Звонки и протоколы в {data} остаются; удалите их, когда они не нужны.",
    )
    TAKE_BACK = Phrase("Take this back?", "Вернуть как было?")
    STOP_UNIT = Phrase("the service stops", "служба останавливается")
    DROP_USER = Phrase("the service's account goes", "учётная запись службы удаляется")
