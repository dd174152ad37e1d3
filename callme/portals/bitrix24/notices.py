"""The sentences that the adapter itself says about an order: notices, and refusals that come from us."""

from __future__ import annotations

from pathlib import Path

from callme.http import server_words
from callme.wording import Phrase

NO_TASK = Phrase(
    "Bitrix24 answered without the task that it made.", "Битрикс24 не назвал созданную им задачу."
)
NO_CALL_ID = Phrase(
    "Bitrix24 answered the registration without a call id.",
    "Битрикс24 ответил на регистрацию звонка без идентификатора звонка.",
)
NOT_SEEN_YET = Phrase(
    "Bitrix24's statistics do not have the call; it may still be working on the request that got no answer.",
    "В статистике Битрикс24 звонка нет; возможно, запрос, ответа на который не было, ещё выполняется.",
)
NOT_FINISHED_YET = Phrase(
    "Bitrix24 does not have the call in its statistics yet.",
    "Битрикс24 ещё не внёс звонок в статистику.",
)
WEBHOOK_ONLY = Phrase(
    "CallMe is connected to this portal by a webhook, not as an application.",
    "CallMe подключён к этому порталу вебхуком, а не как приложение.",
)
AS_APPLICATION = Phrase(
    "Put domain, client_id and client_secret in place of webhook to connect it as an application.",
    "Чтобы подключить его как приложение, задайте вместо webhook ключи domain, client_id и client_secret.",
)
STALE_UPLOAD = Phrase(
    "The upload address has lost its validity; a new one will be asked for.",
    "Адрес для загрузки записи уже недействителен; будет запрошен новый.",
)

NO_SIDES = Phrase(
    "Not attached, only shown here: Bitrix24 takes only lines of which is known who speaks, and this "
    "recording does not tell. Record both sides apart (docs/recordings.md).",
    "Не приложено, видно только здесь: Битрикс24 принимает только реплики, о которых известно, кто говорит, "
    "а по этой записи не понять. Записывайте стороны раздельно (docs/recordings.ru.md).",
)

FAULT = Phrase(
    "The adapter failed: {error}; the log has the details",
    "Ошибка в адаптере: {error}; подробности в журнале",
)

_NO_CLIENT = "could not find associated crm entity"


def unattributed(lines: int) -> Phrase:
    """Part of the recording does not tell who speaks."""
    return Phrase(
        "Lines left out because it is not known who speaks: {lines}.",
        "Реплик пропущено, потому что неизвестно, кто говорит: {lines}.",
    ).given(lines=lines)


def fault(error: Exception) -> Phrase:
    """Our own mistake."""
    return FAULT.given(error=type(error).__name__)


def nobody(extension: str, instead: str) -> Phrase:
    """The owner's extension is no user's."""
    return Phrase(
        "Extension {extension} belongs to no active Bitrix24 user; the call went to {instead}.",
        "Добавочный {extension} не принадлежит ни одному активному пользователю Битрикс24; "
        "звонок записан на {instead}.",
    ).given(extension=extension, instead=instead)


def dismissed(who: str, instead: str) -> Phrase:
    """The portal does not know the user or has dismissed him."""
    return Phrase(
        "Bitrix24 user {who} is dismissed or unknown; the call went to {instead}.",
        "Пользователь Битрикс24 {who} уволен или неизвестен; звонок записан на {instead}.",
    ).given(who=who, instead=instead)


def orphan(call: str) -> Phrase:
    """A register was repeated after the portal's memory for repeats was over."""
    return Phrase(
        "Call {call} was registered again after an unanswered attempt more than 30 minutes old: "
        "an unfinished second one may be left in Bitrix24.",
        "Звонок {call} зарегистрирован повторно: первая попытка осталась без ответа более 30 минут назад, "
        "в Битрикс24 мог остаться незавершённый двойник.",
    ).given(call=call)


def assumed(call: str) -> Phrase:
    """Finished, as far as one can tell without the statistics."""
    return Phrase(
        "Call {call} is taken as finished: Bitrix24 has it open no more, and its statistics may not be read.",
        "Звонок {call} считается завершённым: открытым Битрикс24 его уже не держит, "
        "а читать статистику нельзя.",
    ).given(call=call)


def came_to_nothing(number: str, why: Phrase) -> Phrase:
    """What is told to whoever clicked a number."""
    return Phrase(
        "The call to {number} did not come about: {why}.", "Звонок на {number} не состоялся: {why}."
    ).given(number=number, why=why)


def unregistered(call: str) -> Phrase:
    """An order for a call that was not registered."""
    return Phrase(
        "Call {call} is not registered in Bitrix24.", "Звонок {call} не зарегистрирован в Битрикс24."
    ).given(call=call)


def over(call: str) -> Phrase:
    """A card for a call that the portal no longer has."""
    return Phrase(
        "Bitrix24 no longer has call {call} open: no card can be shown.",
        "В Битрикс24 звонок {call} уже не открыт: карточку показать нельзя.",
    ).given(call=call)


def creation(words: str) -> Phrase:
    """The portal did not create a client."""
    return Phrase("Bitrix24 created no client: {words}", "Битрикс24 не создал клиента: {words}").given(
        words=server_words(words)
    )


def activity(errors: object) -> Phrase | None:
    """The portal made no activity. That a number without a client gets none is ordinary and not worth a
    word."""
    words = str(errors.get("ACTIVITY_CREATION") or "") if isinstance(errors, dict) else ""
    if not words or words.lower().startswith(_NO_CLIENT):
        return None
    return Phrase(
        "Bitrix24 finished the call but made no activity: {words}",
        "Битрикс24 завершил звонок, но не создал дело: {words}",
    ).given(words=server_words(words))


def too_large(name: str, size: int, largest: int) -> Phrase:
    """More bytes than the portal takes at once."""
    return Phrase(
        "The recording {name} has {mb} MB; Bitrix24 takes {limit} MB at most.",
        "Запись {name} занимает {mb} МБ; Битрикс24 принимает не больше {limit} МБ.",
    ).given(name=name, mb=size >> 20, limit=largest >> 20)


def wrong_format(name: str) -> Phrase:
    """Neither mp3 nor wav."""
    return Phrase(
        "Bitrix24 takes recordings as mp3 or wav only, not {name}.",
        "Битрикс24 принимает записи только в mp3 и wav, а не {name}.",
    ).given(name=name)


def strange_upload(host: str, other: str) -> Phrase:
    """The portal sends the recording elsewhere; recordings go to the portal alone."""
    return Phrase(
        "{host} wants the recording uploaded to another host, “{other}”; nothing was sent.",
        "{host} просит загрузить запись на другой узел, «{other}»; ничего не отправлено.",
    ).given(host=host, other=other)


def unreadable(file: Path, error: OSError) -> Phrase:
    """The recording cannot be opened."""
    return Phrase(
        "The recording {file} cannot be read: {reason}.", "Запись {file} не читается: {reason}."
    ).given(file=file, reason=error.strerror or type(error).__name__)


def no_line(line: str, why: Phrase) -> Phrase:
    """The portal does not take a line."""
    return Phrase(
        "Bitrix24 does not know line {line}, and it could not be added, so the call does not name it: {why}",
        "Битрикс24 не знает линию {line}, добавить её не удалось, поэтому в звонке она не указана: {why}",
    ).given(line=line, why=why)


def slow_line(line: str) -> Phrase:
    """The portal takes too long to add a line."""
    return Phrase(
        "Line {line} was still being added to Bitrix24 when the call came; it is not named in this one.",
        "Линия {line} ещё добавлялась в Битрикс24, когда поступил звонок; в нём она не указана.",
    ).given(line=line)


def too_many_lines(line: str) -> Phrase:
    """More lines than a company has."""
    return Phrase(
        "Line {line} is not added to Bitrix24: there are too many already. Name it in lines if it is yours.",
        "Линия {line} не добавлена в Битрикс24: их там уже слишком много. Если она ваша, укажите её в lines.",
    ).given(line=line)


def unchanged_line(line: str, why: Phrase) -> Phrase:
    """A line keeps its old name."""
    return Phrase(
        "Line {line} could not be brought up to date in Bitrix24: {why}",
        "Не удалось обновить линию {line} в Битрикс24: {why}",
    ).given(line=line, why=why)


def missed(number: str, when: str, name: str) -> Phrase:
    """What a reminder says."""
    return Phrase(
        "Missed call from {who} at {when}: nobody has reached the caller yet.",
        "Пропущенный звонок от {who}, {when}: клиенту ещё не перезвонили.",
    ).given(who=f"{name} ({number})" if name else number, when=when)


def call_back(number: str) -> Phrase:
    """The title of a task."""
    return Phrase("Call back {number}", "Перезвонить {number}").given(number=number)


def task_left(task: str, why: Phrase) -> Phrase:
    """The task of a reminder cannot be completed: a person was there before."""
    return Phrase(
        "The client was reached; task {task} is left as it is: {why}",
        "С клиентом поговорили; задача {task} оставлена как есть: {why}",
    ).given(task=task, why=why)


def unsettled(why: Phrase | None) -> Phrase:
    """The client at the end of a call could not be put right."""
    return Phrase(
        "The call's client could be neither made nor given to another: {why}",
        "Клиента по звонку не удалось создать или передать: {why}",
    ).given(why=why or Phrase("it failed", "не вышло"))


def together(*notices: Phrase | None) -> Phrase | None:
    """Several notices as one; `None` when there are none."""
    said = [notice for notice in notices if notice is not None]
    if len(said) < 2:
        return said[0] if said else None
    names = [f"n{position}" for position in range(len(said))]
    template = " ".join(f"{{{name}}}" for name in names)
    return Phrase(template, template, dict(zip(names, said, strict=True)))
