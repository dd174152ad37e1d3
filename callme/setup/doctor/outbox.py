"""The service and what it keeps: does it run, is its database sound, what waits to be told to the portals."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from sqlalchemy import text

from callme.config import Config
from callme.errors import StoreError
from callme.setup.doctor import network
from callme.setup.doctor.signs import Area, Level, Sign, well
from callme.store import Backlog, Counts, Reading, open_reading
from callme.store.sqlite import path_of
from callme.wording import Phrase

RUNS = Phrase("service", "служба")
RUNNING = Phrase("runs, its pages are at {url}", "работает, страницы — {url}")
NOT_RUNNING = Phrase("does not run at {url}", "не работает по адресу {url}")
NOT_RUNNING_MEANS = Phrase("no call is told to the CRM now", "сейчас звонки в CRM не попадают")
START = Phrase("systemctl start callme (or: callme run)", "systemctl start callme (или: callme run)")
DATABASE = Phrase("database {file}", "база {file}")
SOUND = Phrase("sound; {calls} calls in the last day", "цела; звонков за сутки — {calls}")
UNSOUND = Phrase("damaged: {what}", "повреждена: {what}")
UNSOUND_MEANS = Phrase("calls may be lost", "звонки могут потеряться")
UNSOUND_CURE = Phrase(
    "stop the service and restore {file} from a copy; what is there now: sqlite3 {file} .recover",
    "остановите службу и восстановите {file} из копии; достать то, что есть: sqlite3 {file} .recover",
)
NONE_YET = Phrase("is not there yet: the service has never run", "её ещё нет: служба ни разу не запускалась")
WAITING = Phrase("what portal “{portal}” still has to be told", "что ещё не передано порталу «{portal}»")
NOTHING = Phrase("nothing", "ничего")
BACKLOG = Phrase("{waiting} wait, the oldest for {minutes} min", "ждут: {waiting}, старейшее — {minutes} мин")
BACKLOG_MEANS = Phrase(
    "the portal is slow or down; they are sent as soon as it takes them",
    "портал медлит или недоступен; всё уйдёт, как только он примет",
)
REFUSED = Phrase("{refused} refused by the portal", "портал отказал: {refused}")
REFUSED_MEANS = Phrase("these calls are not in the CRM", "этих звонков в CRM нет")
LIST = Phrase("callme deliveries", "callme deliveries")
PAUSED = Phrase("paused: {why}", "приостановлено: {why}")
PAUSED_MEANS = Phrase(
    "nothing is sent until that is put right", "пока это не исправлено, ничего не отправляется"
)
CHECK = Phrase("callme check", "callme check")
LATE_S = 300.0
DAY_S = 86400.0


async def examine(config: Config) -> list[Sign]:
    """The signs of the service and its database."""
    signs = [await _service(config)]
    path = path_of(config.service.store)
    topic = DATABASE.given(file=path)
    if not path.exists():
        return [*signs, Sign(Area.SERVICE, Level.HINT, topic, NONE_YET, None, START)]
    try:
        reading = open_reading(config.service.store)
    except StoreError as error:
        return [*signs, Sign(Area.SERVICE, Level.ILL, topic, error.problem, None, error.cure)]
    try:
        portals = [portal.id for portal in config.portal]
        return [*signs, *await _kept(reading, topic, str(path), portals)]
    except StoreError as error:
        return [*signs, Sign(Area.SERVICE, Level.ILL, topic, error.problem, None, error.cure)]
    finally:
        await reading.close()


async def counts(config: Config, since: float) -> Counts | None:
    """Calls since then; `None` without a database. Raises `StoreError`."""
    if not path_of(config.service.store).exists():
        return None
    reading = open_reading(config.service.store)
    try:
        return await reading.counts(since)
    finally:
        await reading.close()


async def _service(config: Config) -> Sign:
    host = config.service.host.strip("[]")
    # Whoever listens on every address answers on the loopback.
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    url = f"http://{shown}:{config.service.port}"
    met = await asyncio.to_thread(network.meet, url, "/healthz")
    if isinstance(met, network.Met) and network.is_ours(met):
        return well(Area.SERVICE, RUNS, RUNNING.given(url=url))
    return Sign(Area.SERVICE, Level.HINT, RUNS, NOT_RUNNING.given(url=url), NOT_RUNNING_MEANS, START)


async def _kept(reading: Reading, topic: Phrase, path: str, portals: Sequence[str]) -> list[Sign]:
    said = await reading.ask(lambda connection: connection.scalar(text("PRAGMA quick_check(1)")))
    if said != "ok":
        cure = UNSOUND_CURE.given(file=path)
        return [Sign(Area.SERVICE, Level.ILL, topic, UNSOUND.given(what=said), UNSOUND_MEANS, cure)]
    seen = await reading.counts(time.time() - DAY_S)
    signs = [well(Area.SERVICE, topic, SOUND.given(calls=sum(seen.by_disposition.values())))]
    backlogs = {backlog.portal: backlog for backlog in await reading.backlog()}
    for portal in dict.fromkeys((*portals, *backlogs)):
        known = backlogs.get(portal)
        topic = WAITING.given(portal=portal)
        signs += waiting(known, time.time()) if known else [well(Area.SERVICE, topic, NOTHING)]
    return signs


def waiting(backlog: Backlog, now: float) -> list[Sign]:
    """What one portal has not taken."""
    topic = WAITING.given(portal=backlog.portal)
    signs = []
    if backlog.paused is not None:
        found = PAUSED.given(why=backlog.paused)
        signs.append(Sign(Area.SERVICE, Level.ILL, topic, found, PAUSED_MEANS, CHECK))
    if backlog.refused:
        found = REFUSED.given(refused=backlog.refused)
        signs.append(Sign(Area.SERVICE, Level.ILL, topic, found, REFUSED_MEANS, LIST))
    late_s = now - backlog.oldest_at if backlog.oldest_at is not None else 0.0
    if late_s > LATE_S:
        found = BACKLOG.given(waiting=backlog.waiting, minutes=round(late_s / 60))
        signs.append(Sign(Area.SERVICE, Level.ILL, topic, found, BACKLOG_MEANS, LIST))
    return signs or [well(Area.SERVICE, topic, NOTHING)]
