"""Every method that the sandbox portal knows, with its scopes, who may call it and how strictly it reads
names.

Read by the REST layer, which does the checks that are common to all (sheet §1.1). A method that is not here
is "not found", as on a portal that lacks its module.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from callme.lab.sandboxes.bitrix24 import (
    customers,
    events,
    finish,
    items,
    lines,
    notify,
    offline,
    people,
    php,
    placements,
    recording,
    statistic,
    tasks,
    telephony,
)
from callme.lab.sandboxes.bitrix24.ask import Ask
from callme.lab.sandboxes.bitrix24.knobs import Knobs
from callme.lab.sandboxes.bitrix24.refusal import Refusal, access_denied, wrong_auth_type

_SCOPES = "call crm im placement task telephony user user.userfield user_basic user_brief"
ALL_SCOPES = tuple(_SCOPES.split())


class Webhook(StrEnum):
    """May an incoming webhook call the method?"""

    ALLOWED = "allow"
    DISPUTED = "conflict"  # K1: the knob decides
    DENIED = "deny"


@dataclass(frozen=True, slots=True)
class Method:
    """One method. `scopes`: any of them suffices, none at all means always granted. `exact_case`: top-level
    names are seen only in upper case (§1.0)."""

    name: str
    answer: Callable[[Ask], Any]
    scopes: frozenset[str] = frozenset()
    webhook: Webhook = Webhook.ALLOWED
    exact_case: bool = False

    def allowed(self, knobs: Knobs) -> bool:
        """Whether the webhook's scopes suffice."""
        return not self.scopes or bool(self.scopes & set(knobs.scopes))

    def params(self, given: dict[str, Any], knobs: Knobs) -> dict[str, Any]:
        """The parameters as the method sees them."""
        if self.exact_case and knobs.strict_param_case:
            return given
        return {str(name).upper(): value for name, value in given.items()}

    def refuse_webhook(self, knobs: Knobs) -> None:
        """Raise when a webhook may not call the method: the first thing that a disputed method checks."""
        if self.webhook is Webhook.DISPUTED and knobs.webhook_telephony == "deny":
            raise wrong_auth_type()


def _denied(refusal: Callable[[], Refusal]) -> Callable[[Ask], Any]:
    def answer(_ask: Ask) -> Any:
        raise refusal()

    return answer


def _app_info(ask: Ask) -> dict[str, Any]:
    if ask.application is None:
        raise access_denied("Access denied! Application context required")
    return ask.application


def _scope(ask: Ask) -> list[str]:
    full = php.truthy(ask.params.get("FULL"))
    return list(ALL_SCOPES) if full else list(ask.knobs.scopes)


def _method_get(ask: Ask) -> dict[str, bool]:
    exists, available = ask.methods(php.text(ask.params.get("NAME")))
    return {"isExisting": exists, "isAvailable": available}


def _feature(ask: Ask) -> dict[str, str]:
    code = php.text(ask.params.get("CODE"))
    if not code:
        raise Refusal(400, "CODE_EMPTY", "CODE can't be empty")
    extended = code == offline.EXTENDED and ask.knobs.offline_extended
    return {"value": "Y" if extended else "N"}


_TELEPHONY = frozenset({"telephony"})
_CRM = frozenset({"crm"})
_IM = frozenset({"im"})
_TASK = frozenset({"task"})
_PLACEMENT = frozenset({"placement"})


def _telephony(name: str, answer: Callable[[Ask], Any], webhook: Webhook = Webhook.ALLOWED) -> Method:
    return Method(name, answer, _TELEPHONY, webhook, exact_case=True)


_TABLE = (
    _telephony("telephony.externalCall.register", telephony.register, Webhook.DISPUTED),
    _telephony("telephony.externalCall.finish", finish.finish, Webhook.DISPUTED),
    _telephony("telephony.externalCall.show", telephony.show),
    _telephony("telephony.externalCall.hide", telephony.hide),
    _telephony("telephony.externalCall.searchCrmEntities", customers.search),
    _telephony("telephony.externalCall.attachRecord", recording.attach),
    _telephony("telephony.call.attachTranscription", recording.transcribe),
    _telephony("telephony.externalLine.add", lines.add, Webhook.DISPUTED),
    _telephony("telephony.externalLine.update", lines.update, Webhook.DISPUTED),
    _telephony("telephony.externalLine.delete", lines.delete, Webhook.DISPUTED),
    _telephony("telephony.externalLine.get", lines.get, Webhook.DISPUTED),
    Method("voximplant.statistic.get", statistic.get, _TELEPHONY),
    Method("user.get", people.get, people.USER_SCOPES),
    Method("user.current", people.current, people.USER_SCOPES),
    Method("im.notify.system.add", notify.add, _IM),
    Method("tasks.task.add", tasks.add, _TASK),
    Method("tasks.task.complete", tasks.complete, _TASK),
    Method("tasks.task.list", tasks.find, _TASK),
    Method("crm.duplicate.findbycomm", customers.find_by_communication, _CRM),
    Method("crm.activity.list", statistic.activities, _CRM),
    Method("crm.activity.get", statistic.activity, _CRM),
    Method("crm.settings.mode.get", customers.mode, _CRM),
    Method("crm.item.add", items.add, _CRM),
    Method("crm.item.update", items.update, _CRM),
    Method("crm.item.list", items.find, _CRM),
    Method("crm.item.get", items.get, _CRM),
    Method("profile", people.profile),
    Method("scope", _scope),
    Method("method.get", _method_get),
    Method("feature.get", _feature),
    Method("server.time", lambda ask: php.iso(ask.now)),
    Method("event.bind", events.bind, webhook=Webhook.DENIED),
    Method("event.get", events.get, webhook=Webhook.DENIED),
    Method("app.info", _app_info, webhook=Webhook.DENIED),
    *(Method(name, _denied(wrong_auth_type), webhook=Webhook.DENIED) for name in ("events", "event.test")),
    Method("event.unbind", events.unbind, webhook=Webhook.DENIED),
    Method("event.offline.get", offline.get, webhook=Webhook.DENIED),
    Method("event.offline.list", offline.listed, webhook=Webhook.DENIED),
    Method("event.offline.clear", offline.clear, webhook=Webhook.DENIED),
    Method("event.offline.error", offline.error, webhook=Webhook.DENIED),
    Method("placement.bind", placements.bind, _PLACEMENT, Webhook.DENIED),
    Method("placement.unbind", placements.unbind, _PLACEMENT, Webhook.DENIED),
    Method("placement.get", placements.get, _PLACEMENT, Webhook.DENIED),
    Method("placement.list", placements.listed, _PLACEMENT, Webhook.DENIED),
)
METHODS: dict[str, Method] = {method.name.lower(): method for method in _TABLE}
"""By lower-case name: the server lower-cases what it is asked for."""
