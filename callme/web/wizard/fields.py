"""What a form of the wizard was filled in with, as the set-up takes it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from callme.crm.asking import Way
from callme.errors import ConfigError
from callme.setup.hook_step import WAYS
from callme.setup.visit import ExtrasForm, PbxForm, PortalForm
from callme.setup.wish import AMI_WAYS
from callme.setup.words import W
from callme.web.wizard.words import P
from callme.wording import Phrase

Fields = Mapping[str, str]
ON = "on"


def pbx(fields: Fields, before: PbxForm) -> tuple[PbxForm, str]:
    """The PBX's form as it was filled in, and the secret. Raises `ConfigError`: something lacks."""
    local = bool(before.found) and fields.get("where") == "here"
    ami = fields.get("ami", "")
    filled = replace(
        before,
        local=local,
        host=_text(fields, "host"),
        ami=ami if ami in AMI_WAYS else before.ami,
        username=_text(fields, "username"),
        permit=_text(fields, "permit"),
        recordings=_text(fields, "recordings"),
    )
    secret = fields.get("secret", "")
    if not local and not filled.host:
        raise lacking(W.HOST)
    if filled.ami == "existing" and not filled.username:
        raise lacking(W.USERNAME)
    if filled.ami == "existing" and not (secret or before.secret_kept):
        raise lacking(W.SECRET)
    return filled, secret


def portal(fields: Fields, before: PortalForm) -> dict[str, str]:
    """The answers to the questions of the chosen way. Raises `ConfigError`: one lacks."""
    way = _way(before)
    answers = {}
    for question in way.questions if way else ():
        answers[question.key] = _text(fields, f"key-{question.key}")
        if not answers[question.key] and not (question.secret and question.key in before.kept):
            raise lacking(question.ask)
    return answers


def extras(fields: Fields, before: ExtrasForm) -> ExtrasForm:
    """What else was chosen; what is not offered stays as it is."""
    hook = fields.get("hook", "")
    return replace(
        before,
        hook=hook if before.hook and hook in dict(WAYS) else before.hook,
        remove_old=bool(before.old) and fields.get("remove_old") == ON,
        unit=fields.get("unit") == ON if before.unit_asked else before.unit,
        moving_over=None if before.moving_over is None else fields.get("moving_over") == ON,
    )


def lacking(what: Phrase) -> ConfigError:
    """A field that has to be filled in."""
    return ConfigError(P.FILL_IN.given(what=what))


def _way(form: PortalForm) -> Way | None:
    return next((one for one in form.ways if one.key == form.way), None)


def _text(fields: Fields, name: str) -> str:
    return fields.get(name, "").strip()
