"""What the wizard's pages say beside the sentences of `callme.setup.words`, which they share with the
terminal."""

from __future__ import annotations

from callme.wording import Phrase


class P:
    """The sentences, by what they are for. Templates take them by name."""

    TITLE = Phrase("Set-up", "Настройка")
    MISDIRECTED = Phrase(
        "The set-up does not know this host name as its own. Open the address that the terminal shows.",
        "Настройка не знает такого имени хоста. Откройте адрес, показанный в терминале.",
    )
    CLOSED = Phrase(
        "This browser was not let in, or was away too long. Open the address that “callme setup --web” shows "
        "in the terminal; each opens once. Run the command again for a new one.",
        "Этот браузер не впущен или слишком долго молчал. Откройте адрес, который «callme setup --web» "
        "показала в терминале; каждый открывается один раз. За новым адресом запустите команду ещё раз.",
    )
    FOREIGN_FORM = Phrase(
        "This form is not one of this set-up. Go back, load the page again and send it once more.",
        "Эта форма не из этой настройки. Вернитесь, обновите страницу и отправьте ещё раз.",
    )
    NO_PAGE = Phrase("There is no such page here.", "Такой страницы здесь нет.")

    # ---------------------------------------------------------------------------------- where we are
    STEP_PBX = Phrase("PBX", "АТС")
    STEP_PORTAL = Phrase("CRM", "CRM")
    STEP_EXTRAS = Phrase("What else", "Что ещё")
    STEP_REVIEW = Phrase("Review", "Проверка")
    STEP_DONE = Phrase("Done", "Готово")
    NEXT = Phrase("Next", "Дальше")
    TRY = Phrase("Try and go on", "Проверить и продолжить")
    ANYWAY = Phrase("Go on all the same", "Продолжить всё равно")
    BACK = Phrase("Back", "Назад")
    FILL_IN = Phrase("Please fill in: {what}", "Заполните, пожалуйста: {what}")
    KEPT = Phrase("There is one already; empty keeps it.", "Уже задан; пустое поле оставит прежний.")

    # --------------------------------------------------------------------------------------- welcome
    WELCOME = Phrase("Let us set CallMe up", "Настроим CallMe")
    WELCOME_MORE = Phrase(
        "It takes a few minutes: the PBX, the CRM, and what else you want. Each is tried as it goes. Nothing "
        "is written before you have seen every change, and all of it can be taken back.",
        "Это займёт несколько минут: АТС, CRM и что ещё понадобится. Всё проверяется по ходу дела. Ничего не "
        "записывается, пока вы не увидите каждое изменение, и всё можно вернуть как было.",
    )
    FOUND = Phrase("Found here: {what}, its files in {etc}", "Найдено: {what}, файлы — в {etc}")
    FOUND_NONE = Phrase(
        "There is no Asterisk on this machine: the PBX is elsewhere.",
        "На этой машине Asterisk нет: АТС находится в другом месте.",
    )
    CONFIG_NEW = Phrase("The configuration will be {config}", "Конфигурация будет в {config}")
    CONFIG_OLD = Phrase(
        "There is a configuration: {config}. What is not asked here stays as it is.",
        "Конфигурация уже есть: {config}. О чём здесь не спрашивается, то останется как есть.",
    )
    BEGIN = Phrase("Begin", "Начать")
    CONTINUE = Phrase("Continue", "Продолжить")

    # ------------------------------------------------------------------------------------------- PBX
    WHERE = Phrase("Where is the PBX?", "Где находится АТС?")
    HERE = Phrase("On this machine: {what}", "На этой машине: {what}")
    ELSEWHERE = Phrase("On another machine", "На другой машине")
    HOST_HINT = Phrase("such as 10.0.0.5 or pbx.example.com", "например 10.0.0.5 или pbx.example.com")
    AMI_NEW_HINT = Phrase(
        "its rights are the least that calls need; its secret is random",
        "прав — не больше, чем нужно звонкам; секрет случайный",
    )
    PERMIT_HINT = Phrase(
        "the user is let in from this address alone", "пользователь сможет войти только с этого адреса"
    )
    RECORDINGS = Phrase("Folder of the recordings", "Папка с записями разговоров")
    RECORDINGS_HINT = Phrase(
        "where this machine sees them; empty: without recordings",
        "где эта машина их видит; пусто — без записей",
    )
    AHEAD = Phrase(
        "CallMe logs in as soon as its user is written.",
        "CallMe войдёт, как только его пользователь будет записан.",
    )
    PASTE_TITLE = Phrase("To be put on the PBX", "Что вписать на АТС")
    PASTED = Phrase("Done, log in", "Готово, войти")

    # ------------------------------------------------------------------------------------------- CRM
    OTHER_WAY = Phrase("How does CallMe reach the CRM?", "Как CallMe подключается к CRM?")
    PUBLIC_URL = Phrase("Address at which the CRM reaches CallMe", "Адрес, по которому CRM видит CallMe")
    PUBLIC_URL_HINT = Phrase(
        "such as https://pbx.example.com; empty: it cannot reach it yet",
        "например https://pbx.example.com; пусто — пока не видит",
    )
    WITHOUT = Phrase("Without a CRM for now", "Пока без CRM")

    # ----------------------------------------------------------------------------------------- extras
    OLD_TITLE = Phrase("An older connector's lines", "Строки старого коннектора")
    TAKE_OUT = Phrase(
        "Take them out. Not before that connector is switched off.",
        "Убрать их. Не раньше, чем тот коннектор выключен.",
    )
    MOVING_OVER = Phrase(
        "Understand the old PHP scripts' dialplan meanwhile: events carry its variables too",
        "Пока понимать и диалплан старых PHP-скриптов: в событиях будут и его переменные",
    )
    UNIT_TITLE = Phrase("The service", "Служба")
    UNIT = Phrase("Run CallMe as a systemd service, started at each boot",
                  "Запускать CallMe как службу systemd при каждой загрузке")  # fmt: skip
    MOVING_TITLE = Phrase("Moving over", "Переход со старых скриптов")
    NO_EXTRAS = Phrase("There is nothing else to choose here.", "Больше здесь выбирать нечего.")

    # ----------------------------------------------------------------------------------------- review
    REVIEW = Phrase("What will be written", "Что будет записано")
    REVIEW_MORE = Phrase(
        "Nothing is written yet. Secrets are shown as ***.", "Пока ничего не записано. Вместо секретов — ***."
    )
    NEW_FILE = Phrase("new file", "новый файл")
    CHANGED = Phrase("changes", "изменится")
    SAME = Phrase("nothing to change", "менять нечего")
    COMMANDS = Phrase("Then these are run", "Затем выполняется")
    BY_HAND = Phrase("Then run these yourself", "Затем выполните сами")
    WRITE = Phrase("Write", "Записать")
    NOTHING_NEW = Phrase(
        "All of it stands as it should. Nothing to write.", "Всё уже записано как надо. Записывать нечего."
    )
    TRY_ALL = Phrase("Try everything once more", "Проверить всё ещё раз")
    MOVED = Phrase(
        "Something has changed since you saw this. Nothing was written; here is what would be written now.",
        "С тех пор что-то изменилось. Ничего не записано; вот что было бы записано теперь.",
    )

    # ---------------------------------------------------------------------------------------- outcome
    WELL = Phrase("All is well", "Всё в порядке")
    UNWELL = Phrase("Not all is well yet", "Пока не всё в порядке")
    STOPPED = Phrase("It went no further", "Дальше дело не пошло")
    SHOW = Phrase("show", "показать")
    AGAIN = Phrase("Change the answers", "Изменить ответы")
    FINISH = Phrase("Finish", "Закончить")
    FINISHED = Phrase("The set-up is closed", "Настройка закрыта")
    FINISHED_MORE = Phrase(
        "Run “callme setup --web” again whenever you want to change something, “callme setup --undo” to "
        "take it all back.",
        "Захотите что-то изменить — снова запустите «callme setup --web», вернуть всё как было — "
        "«callme setup --undo».",
    )
    UNDO = Phrase("Take everything back", "Вернуть всё как было")
    UNDO_MORE = Phrase(
        "Every file becomes what it was before the set-up, to the last byte. Calls that were kept stay.",
        "Каждый файл станет таким, каким был до настройки, до последнего байта. Накопленные звонки "
        "останутся.",
    )

    # ------------------------------------------------------------------- the page of the running service
    STANDING = Phrase("What the set-up wrote", "Что записала настройка")
    STANDING_MORE = Phrase(
        "What stands on this machine now beside what the set-up would write with this configuration.",
        "Что сейчас есть на этой машине рядом с тем, что настройка записала бы по этой конфигурации.",
    )
    STANDS = Phrase("as it should be", "как надо")
    DIFFERS = Phrase("differs", "отличается")
    LACKS = Phrase("is not there", "отсутствует")
    UNSEEN = Phrase("This cannot be seen from here", "Отсюда этого не видно")
    CHANGE_IT = Phrase("To change it", "Чтобы изменить")
    CHANGE_IT_MORE = Phrase(
        "The service writes no files of the PBX. On this machine, in a terminal:",
        "Сама служба файлов АТС не пишет. На этой машине, в терминале:",
    )
    BY_PAGES = Phrase("the wizard in a browser", "мастер в браузере")
    BY_TERMINAL = Phrase("the wizard in the terminal", "мастер в терминале")
    LOOK_CLOSER = Phrase("look at the whole way of a call", "проверить весь путь звонка")
    TAKE_BACK = Phrase("take everything back", "вернуть всё как было")
    WOULD_RUN = Phrase("The set-up would then run", "Настройка затем выполнила бы")
