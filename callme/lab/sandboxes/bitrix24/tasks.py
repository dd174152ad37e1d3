"""Tasks of the portal's users: tasks.task.add, complete and list (their docs pages; scope `task`).

Pure. As in the portal numbers are told as text and descriptions only where they are asked for.
"""

from __future__ import annotations

from typing import Any

from callme.lab.sandboxes.bitrix24 import filters, php
from callme.lab.sandboxes.bitrix24.ask import PAGE_SIZE, Ask
from callme.lab.sandboxes.bitrix24.refusal import Refusal
from callme.lab.sandboxes.bitrix24.state import Task

OPEN, DONE = 2, 5


def add(ask: Ask) -> dict[str, Any]:
    """tasks.task.add."""
    fields = ask.params.get("FIELDS")
    if not isinstance(fields, dict) or not fields:
        raise Refusal(400, "100", "Could not find value for parameter {fields} (internal error)")
    title = php.text(fields.get("TITLE")).strip()
    if not title:
        raise _core("Task title not specified<br>")
    user = php.integer(fields.get("RESPONSIBLE_ID"))
    if user <= 0:
        raise _core("Assignee not specified<br>")
    known = ask.office.users.get(user)
    if known is None or not known.real:
        raise _core('User specified in the "Assignee" field not found<br>')
    given = fields.get("UF_CRM_TASK")
    task = Task(
        id=ask.office.next_id("task"),
        title=title,
        description=php.text(fields.get("DESCRIPTION")),
        responsible=user,
        deadline=php.moment(php.text(fields.get("DEADLINE"))),
        crm=tuple(map(php.text, given)) if isinstance(given, list) else (),
        created_at=ask.now,
    )
    ask.office.tasks[task.id] = task
    ask.office.tell("task.created", ask.now, id=task.id, user=user, title=title)
    return {"task": _row(task)}


def complete(ask: Ask) -> dict[str, Any]:
    """tasks.task.complete."""
    task = ask.office.tasks.get(php.integer(ask.params.get("TASKID")))
    if task is None:
        raise _core("Task not found or access denied")
    if task.completed_at is not None:
        raise _core("Action on task not allowed")
    task.completed_at = ask.now
    ask.office.tell("task.completed", ask.now, id=task.id, title=task.title)
    return {"task": _row(task)}


def find(ask: Ask) -> dict[str, Any]:
    """tasks.task.list: the newest first; filters on ID, TITLE, RESPONSIBLE_ID, CREATED_DATE."""
    columns = frozenset({"ID", "TITLE", "RESPONSIBLE_ID", "CREATED_DATE"})
    typed = [
        {
            "ID": task.id,
            "TITLE": task.title,
            "RESPONSIBLE_ID": task.responsible,
            "CREATED_DATE": php.iso(task.created_at),
        }
        for task in ask.office.tasks.values()
    ]
    kept = filters.keep(typed, ask.params.get("FILTER") or {}, columns, filters.USER_OPERATORS)
    found = [ask.office.tasks[row["ID"]] for row in kept]
    return {"tasks": [_row(task) for task in sorted(found, key=lambda one: -one.id)[:PAGE_SIZE]]}


def _row(task: Task) -> dict[str, Any]:
    return {
        "id": str(task.id),
        "title": task.title,
        "description": task.description,
        "responsibleId": str(task.responsible),
        "status": str(OPEN if task.completed_at is None else DONE),
        "createdDate": php.iso(task.created_at),
    }


def _core(text: str) -> Refusal:
    return Refusal(400, "ERROR_CORE", text)
