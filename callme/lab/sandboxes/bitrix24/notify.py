"""What users are notified of: im.notify.system.add (its docs page, chats/notifications; scope `im`).

Pure. The kept notifications are read by tests and the page; a tag of the same application replaces its
former one.
"""

from __future__ import annotations

from callme.lab.sandboxes.bitrix24 import php
from callme.lab.sandboxes.bitrix24.ask import Ask
from callme.lab.sandboxes.bitrix24.refusal import Refusal
from callme.lab.sandboxes.bitrix24.state import Notification


def add(ask: Ask) -> int | bool:
    """im.notify.system.add. A webhook's tag counts only beside a CLIENT_ID; a user who is not there gets
    nothing, which is no error."""
    user = php.integer(ask.params.get("USER_ID"))
    if user <= 0:
        raise Refusal(400, "USER_ID_EMPTY", "User ID can't be empty")
    text = php.text(ask.params.get("MESSAGE")).strip()
    if not text:
        raise Refusal(400, "MESSAGE_EMPTY", "Message can't be empty")
    known = ask.office.users.get(user)
    if known is None or not known.real:
        return False
    client = "application" if ask.application else php.text(ask.params.get("CLIENT_ID"))
    tag = php.text(ask.params.get("TAG"))
    mark = f"{client}|{tag}" if client and tag else ""
    kept = [one for one in ask.office.notifications if not mark or one.tag != mark]
    told = Notification(ask.office.next_id("notification"), user, text, mark, ask.now)
    ask.office.notifications[:] = [*kept, told]
    ask.office.tell("notified", ask.now, user=user, text=text)
    return told.id
