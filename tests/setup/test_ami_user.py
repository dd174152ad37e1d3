"""Which AMI user is written where, and what is left alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callme.errors import ConfigError
from callme.setup import ami_user, pieces, sections
from callme.setup.ami_user import AmiUser
from callme.setup.house import Flavour, House
from tests.setup.trees import DEBIAN, FREEPBX, ISSABEL, SOURCE, house

USER = AmiUser("callme", "s" * 32)


def planned(house: House, user: AmiUser = USER) -> dict[str, bytes]:
    """The files as they would be afterwards."""
    found = ami_user.plan(house, user, local=True)
    name = str(found.piece.file.relative_to(house.etc))
    before = house.files.get(name)
    if found.fresh and before is not None:
        before = pieces.lift(before, found.piece.file, ami_user.PIECE)
    return {**house.files, name: pieces.lay(before, found.piece)}


@pytest.mark.parametrize(
    ("files", "flavour", "expected"),
    [
        (FREEPBX, Flavour.FREEPBX, "manager_custom.conf"),
        (ISSABEL, Flavour.ISSABEL, "manager_custom.conf"),
        (DEBIAN, Flavour.PLAIN, "manager.d/callme.conf"),
        (SOURCE, Flavour.PLAIN, "manager.conf"),
    ],
)
def test_only_a_file_that_the_pbx_never_writes_is_touched(
    files: dict[str, bytes], flavour: Flavour, expected: str
) -> None:
    after = planned(house(files, flavour))
    assert {name for name in after if after[name] != files.get(name)} == {expected}
    loaded = sections.read("manager.conf", after)
    user = loaded.named("callme")
    assert user is not None
    assert user.file == expected
    assert user.get("read") == "system,call,agent,user,cdr"
    assert user.get("write") == "call,originate,reporting"
    assert (user.get("deny"), user.get("permit")) == ("0.0.0.0/0.0.0.0", "127.0.0.1/255.255.255.255")
    assert loaded.last("general", "channelvars") == "FROM_DID,MIXMONITOR_FILENAME,VM_MESSAGEFILE,CALLME_VOTE"


def test_an_interface_that_was_off_is_opened_for_this_machine_alone() -> None:
    loaded = sections.read("manager.conf", planned(house(DEBIAN, Flavour.PLAIN)))
    assert (loaded.last("general", "enabled"), loaded.last("general", "bindaddr")) == ("yes", "127.0.0.1")
    untouched = sections.read("manager.conf", planned(house(FREEPBX)))
    assert len(untouched.entries("general", "bindaddr")) == 1


def test_variables_of_others_are_kept() -> None:
    files = {**FREEPBX, "manager_custom.conf": b"[general](+)\nchannelvars = CRM_X , FROM_DID\n"}
    loaded = sections.read("manager.conf", planned(house(files)))
    assert (
        loaded.last("general", "channelvars")
        == "CRM_X,FROM_DID,MIXMONITOR_FILENAME,VM_MESSAGEFILE,CALLME_VOTE"
    )


def test_variables_that_are_there_already_are_not_said_again() -> None:
    line = b"[general](+)\nchannelvars = MIXMONITOR_FILENAME,VM_MESSAGEFILE,CALLME_VOTE,FROM_DID\n"
    after = planned(house({**FREEPBX, "manager_custom.conf": line}))
    assert after["manager_custom.conf"].count(b"channelvars") == 1


def test_a_block_that_is_outdone_moves_behind_what_outdoes_it() -> None:
    first = planned(house(FREEPBX))
    first["manager_custom.conf"] += b"[general](+)\nchannelvars = OTHER\n"
    second = planned(house(first))
    loaded = sections.read("manager.conf", second)
    assert (
        loaded.last("general", "channelvars")
        == "OTHER,FROM_DID,MIXMONITOR_FILENAME,VM_MESSAGEFILE,CALLME_VOTE"
    )
    assert planned(house(second)) == second


def test_who_outdoes_us_from_a_generated_file_is_named() -> None:
    main = FREEPBX["manager.conf"] + b"[general](+)\nchannelvars = LATER\n"
    found = ami_user.plan(house({**FREEPBX, "manager.conf": main}), USER, local=True)
    (note,) = found.notes
    assert "manager.conf, line 18" in note.say("en")
    assert "FROM_DID" in note.say("ru")


def test_a_name_that_is_taken_is_named_with_its_place() -> None:
    files = {**FREEPBX, "manager_additional.conf": b"\n[callme]\nsecret=theirs\n"}
    with pytest.raises(ConfigError) as told:
        ami_user.plan(house(files), USER, local=True)
    assert "manager_additional.conf, line 2" in str(told.value)
    assert "theirs" not in str(told.value)


def test_a_generated_file_without_a_door_is_refused() -> None:
    with pytest.raises(ConfigError, match="generated"):
        ami_user.plan(house({"manager.conf": b"[general]\nenabled=yes\n"}), USER, local=True)


@pytest.mark.parametrize("name", ["", "1st", "a b", "admin]\nread=all", "ж"])
def test_a_name_that_asterisk_would_misread_is_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        ami_user.plan(house(FREEPBX), replace(USER, name=name), local=True)


def test_secrets_are_long_new_and_free_of_comment_signs() -> None:
    made = {ami_user.new_secret() for _ in range(20)}
    assert len(made) == 20
    assert all(len(secret) >= 24 and secret.isalnum() for secret in made)


def test_an_earlier_user_of_ours_keeps_his_secret() -> None:
    earlier = ami_user.ours(house(planned(house(FREEPBX))))
    assert earlier is not None
    assert ami_user.with_secret(AmiUser("callme"), earlier, ami_user.new_secret).secret == USER.secret
    assert ami_user.with_secret(AmiUser("other"), earlier, ami_user.new_secret).secret != USER.secret
    assert ami_user.ours(house(FREEPBX)) is None


def test_no_repr_shows_the_secret() -> None:
    assert USER.secret not in repr(USER) + repr(ami_user.plan(house(FREEPBX), USER, local=True))


def test_variables_of_the_old_scripts_come_along() -> None:
    moving = replace(USER, variables=ami_user.CHANNELVARS + ami_user.OLD_CHANNELVARS)
    loaded = sections.read("manager.conf", planned(house(FREEPBX), moving))
    assert {"CallMeCALL_ID", "FROM_DID"} <= set(ami_user.names(loaded))
