"""What portals ask of a PBX: kept once, moved with the steps of the river. Called by `sqlite` and `steps` in
the writer's thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects.sqlite import insert

from callme.crm.commands import Click, CommandState
from callme.store.river import CommandMove
from callme.store.rows import phrase_in, phrase_out
from callme.store.schema import IS_UNCLOSED_COMMAND, commands
from callme.wording import Phrase

REPEAT_S = 5.0
"""A second click within so long is a nervous finger, or the same message again."""


@dataclass(frozen=True, slots=True)
class Command:
    """A click of a portal's user, on its way to one PBX. `call` is the CallId that its call has or would
    have had. `closed`: the end of the portal's call is a delivery. `again`: the portal gave the click the id
    of an earlier one, whose end that id already has: this one's call is one of our own. Times are epoch
    seconds."""

    portal: str
    pbx: str
    call: str
    click: Click
    created_at: float
    deadline: float
    state: CommandState = CommandState.WAITING
    sent_at: float | None = None
    why: Phrase | None = None
    closed: bool = False
    again: bool = False


_ADD = insert(commands).on_conflict_do_nothing(index_elements=["portal", "ref"])
_SET_ASIDE = update(commands).where(commands.c.id == bindparam("former")).values(ref=bindparam("aside"))
_MOVE = (
    update(commands)
    .where(commands.c.call == bindparam("of_call"), commands.c.closed.is_(False))
    .values(state=bindparam("to"), why=bindparam("because"), closed=bindparam("shut"))
)
_SENT = update(commands).where(commands.c.call == bindparam("of_call")).values(sent_at=bindparam("at"))


def add(connection: Connection, fresh: Sequence[Command]) -> list[Command | None]:
    """Keeps commands; none for one whose click is kept already. A portal may give a number that is clicked
    anew the id of the call that it still has open: that is dialled again once the former one is over."""
    return [_add(connection, command) for command in fresh]


def _add(connection: Connection, command: Command) -> Command | None:
    of_ref = select(commands).where(commands.c.portal == command.portal, commands.c.ref == command.click.ref)
    former = connection.execute(of_ref).mappings().first()
    if former is not None:
        nervous = command.click.at - Click.from_json(former["payload"]).at < REPEAT_S
        if nervous or not former["closed"]:
            return None
        connection.execute(_SET_ASIDE, {"former": former["id"], "aside": f"{former['ref']}@{former['id']}"})
        command = replace(command, again=True)
    return command if connection.execute(_ADD, _row(command)).rowcount == 1 else None


def move(connection: Connection, moves: Sequence[CommandMove], at: float) -> None:
    """Brings commands to their next state; one that is closed stays as it is."""
    for one in moves:
        where = {"of_call": one.call}
        values = {"to": one.state.value, "because": phrase_in(one.why), "shut": one.closed}
        connection.execute(_MOVE, {**where, **values})
        if one.state is CommandState.SENT:
            connection.execute(_SENT, {**where, "at": at})


def unclosed(connection: Connection, pbx: str) -> list[Command]:
    """What a PBX still owes an end, oldest first."""
    rows = connection.execute(
        select(commands).where(commands.c.pbx == pbx, IS_UNCLOSED_COMMAND).order_by(commands.c.id)
    ).mappings()
    return [
        Command(
            row["portal"],
            row["pbx"],
            row["call"],
            Click.from_json(row["payload"]),
            row["created_at"],
            row["deadline"],
            CommandState(row["state"]),
            row["sent_at"],
            phrase_out(row["why"]),
            row["closed"],
            bool(row["payload"].get("again")),
        )
        for row in rows
    ]


def _row(command: Command) -> dict[str, object]:
    return {
        "portal": command.portal,
        "ref": command.click.ref,
        "pbx": command.pbx,
        "call": command.call,
        "payload": {**command.click.to_json(), "again": command.again},
        "state": command.state.value,
        "closed": command.closed,
        "created_at": command.created_at,
        "deadline": command.deadline,
    }
