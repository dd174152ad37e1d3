"""What the adapter decides by itself: doubt, dismissed people, cards of shared phones."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from callme.crm.intents import Direction, Result
from callme.crm.port import Ambiguous, Delivered, Later, Outcome, Refused, Unauthorised
from tests.portals.bitrix24.scripted import (
    USERS,
    Scripted,
    about,
    attempt,
    bad,
    ended,
    lost,
    ok,
    page,
    portal,
    ringing,
)

REGISTER = "telephony.externalCall.register"
FINISH = "telephony.externalCall.finish"
SHOW = "telephony.externalCall.show"
HIDE = "telephony.externalCall.hide"
STATISTIC = "voximplant.statistic.get"
CALL = "externalCall.0123456789abcdef0123456789abcdef.1767225600"
CALL_UNKNOWN = bad(400, "", "Call is not found (call should be registered prior to finishing")
USER_UNKNOWN = bad(400, "", "User is not found or is not active")
BOTH = frozenset({"101", "102"})


def registered(**more: Any) -> httpx2.Response:
    return ok({"CALL_ID": CALL, "CRM_CREATED_LEAD": None, "CRM_CREATED_ENTITIES": [], **more})


def delivered(outcome: Outcome) -> Delivered:
    assert isinstance(outcome, Delivered), outcome
    return outcome


def said(outcome: Outcome) -> str:
    notice = delivered(outcome).notice
    return notice.say("en") if notice else ""


# -------------------------------------------------------------------------------------------- register
async def test_the_owner_sees_the_card_at_once_and_the_others_are_left_to_ask_for() -> None:
    script = Scripted().says(REGISTER, registered())
    bitrix = portal(script)
    done = delivered(await bitrix.register(ringing(), BOTH | {"199"}, attempt()))
    await bitrix.close()
    assert done.shown == frozenset({"101", "199"})
    assert done.memory["call"] == CALL
    assert script.of(REGISTER)[0]["USER_ID"] == 11
    assert script.of(REGISTER)[0]["SHOW"] == 1


async def test_an_owner_who_shall_not_see_the_card_does_not() -> None:
    script = Scripted().says(REGISTER, registered())
    bitrix = portal(script)
    done = delivered(await bitrix.register(ringing(), frozenset({"102"}), attempt()))
    await bitrix.close()
    assert (done.shown, script.of(REGISTER)[0]["SHOW"]) == (frozenset(), 0)


@pytest.mark.parametrize(
    ("create", "direction", "flag"),
    [
        ({}, Direction.IN, 1),
        ({}, Direction.OUT, 0),
        ({"inbound": False}, Direction.IN, 0),
        ({"outbound": True}, Direction.OUT, 1),
    ],
)
async def test_clients_are_made_as_configured(
    create: dict[str, bool], direction: Direction, flag: int
) -> None:
    script = Scripted().says(REGISTER, registered())
    bitrix = portal(script, create=create)
    await bitrix.register(ringing(direction=direction), frozenset(), attempt())
    await bitrix.close()
    assert script.of(REGISTER)[0]["CRM_CREATE"] == flag


async def test_in_doubt_the_same_words_go_out_again_though_the_directory_changed() -> None:
    moved = [{**USERS[1], "ID": "77"}]
    script = Scripted().says(REGISTER, [lost(), registered()]).says("user.get", [ok(USERS), ok(moved)])
    bitrix = portal(script)
    show = frozenset({"101"})
    assert isinstance(await bitrix.register(ringing(), show, attempt()), Ambiguous)
    await bitrix.refresh()
    delivered(await bitrix.register(ringing(), frozenset({"101"}), attempt(doubt=True)))
    await bitrix.close()
    first, second = script.of(REGISTER)
    assert {**first, "SHOW": 0} == {**second, "SHOW": 0}


async def test_in_doubt_only_the_card_follows_the_present_wish() -> None:
    script = Scripted().says(REGISTER, [lost(), registered()])
    bitrix = portal(script)
    await bitrix.register(ringing(), frozenset({"101"}), attempt())
    done = delivered(await bitrix.register(ringing(), frozenset(), attempt(doubt=True)))
    await bitrix.close()
    assert [params["SHOW"] for params in script.of(REGISTER)] == [1, 0]
    assert done.shown == frozenset()


async def test_in_doubt_after_half_an_hour_neither_card_nor_client_is_made_and_it_is_told() -> None:
    script = Scripted().says(REGISTER, registered())
    bitrix = portal(script)
    done = await bitrix.register(ringing(), frozenset({"101"}), attempt(doubt=True, after_s=1801))
    await bitrix.close()
    params = script.of(REGISTER)[0]
    assert (params["SHOW"], params["CRM_CREATE"]) == (0, 0)
    assert "30 minutes" in said(done)


async def test_a_late_register_without_doubt_still_makes_the_client() -> None:
    script = Scripted().says(REGISTER, registered())
    bitrix = portal(script)
    done = await bitrix.register(ringing(), frozenset(), attempt(after_s=4000))
    await bitrix.close()
    assert script.of(REGISTER)[0]["CRM_CREATE"] == 1
    assert said(done) == ""


async def test_a_dismissed_owners_call_goes_to_the_default_user_without_a_card() -> None:
    script = Scripted().says(REGISTER, [USER_UNKNOWN, registered()])
    bitrix = portal(script)
    done = await bitrix.register(ringing(), frozenset({"101"}), attempt())
    await bitrix.close()
    assert [(params["USER_ID"], params["SHOW"]) for params in script.of(REGISTER)] == [(11, 1), (1, 0)]
    assert "Boris B (11)" in said(done)


async def test_a_dismissed_default_user_is_refused_after_one_try() -> None:
    script = Scripted().says(REGISTER, USER_UNKNOWN)
    bitrix = portal(script)
    outcome = await bitrix.register(ringing(owner=None), frozenset(), attempt())
    await bitrix.close()
    assert isinstance(outcome, Refused)
    assert len(script.of(REGISTER)) == 1


async def test_a_client_that_was_not_made_is_told() -> None:
    script = Scripted().says(
        REGISTER, registered(LEAD_CREATION_ERROR="Lead creation is disabled for local users")
    )
    bitrix = portal(script)
    assert "local users" in said(await bitrix.register(ringing(), frozenset(), attempt()))
    await bitrix.close()


async def test_an_answer_without_a_call_id_leaves_doubt() -> None:
    bitrix = portal(Scripted().says(REGISTER, ok([])))
    assert isinstance(await bitrix.register(ringing(), frozenset(), attempt()), Ambiguous)
    await bitrix.close()


@pytest.mark.parametrize(
    ("trouble", "kind"), [(page(502), Later), (bad(401, "insufficient_scope"), Unauthorised)]
)
async def test_without_the_users_nothing_is_registered_on_a_guess(
    trouble: httpx2.Response, kind: type[Outcome]
) -> None:
    script = Scripted().says("user.get", trouble)
    bitrix = portal(script)
    assert isinstance(await bitrix.register(ringing(), frozenset(), attempt()), kind)
    await bitrix.close()
    assert script.of(REGISTER) == []


# ----------------------------------------------------------------------------------------------- cards
async def test_everybody_else_is_shown_in_one_request() -> None:
    script = Scripted().says(SHOW, ok(True))
    bitrix = portal(script)
    await bitrix.cards("office-1.1", BOTH, frozenset(), attempt({"call": CALL}))
    await bitrix.close()
    assert script.of(SHOW) == [{"CALL_ID": CALL, "USER_ID": [11, 12]}]


async def test_a_persons_card_stays_while_another_of_his_phones_should_have_it() -> None:
    script = Scripted().says(HIDE, ok(True))
    bitrix = portal(script, users={"1101": 11})
    memory = {"call": CALL, "seers": "101,102,1101"}
    done = delivered(
        await bitrix.cards("office-1.1", frozenset(), frozenset({"1101", "102"}), attempt(memory))
    )
    delivered(
        await bitrix.cards("office-1.1", frozenset(), frozenset({"101"}), attempt({**memory, **done.memory}))
    )
    await bitrix.close()
    assert [params["USER_ID"] for params in script.of(HIDE)] == [[12], [11]]


async def test_people_without_a_portal_user_cost_no_request() -> None:
    script = Scripted()
    bitrix = portal(script)
    done = delivered(
        await bitrix.cards("office-1.1", frozenset({"199"}), frozenset(), attempt({"call": CALL}))
    )
    await bitrix.close()
    assert done.shown == frozenset({"199"})
    assert script.of(SHOW) == []


async def test_a_card_cannot_be_shown_for_a_call_that_is_over_but_hidden() -> None:
    script = Scripted().says(SHOW, ok(False)).says(HIDE, ok(False))
    bitrix = portal(script)
    memory = attempt({"call": CALL})
    assert isinstance(await bitrix.cards("office-1.1", BOTH, frozenset(), memory), Refused)
    assert isinstance(await bitrix.cards("office-1.1", frozenset(), BOTH, memory), Delivered)
    await bitrix.close()


# ---------------------------------------------------------------------------------------------- finish
async def test_a_dismissed_talkers_record_goes_to_the_default_user() -> None:
    script = Scripted().says(FINISH, [USER_UNKNOWN, ok({"ID": 5})])
    bitrix = portal(script)
    done = await bitrix.finish(ended(), attempt({"call": CALL}))
    await bitrix.close()
    assert [params["USER_ID"] for params in script.of(FINISH)] == [11, 1]
    assert "dismissed" in said(done)
    assert delivered(done).memory["finished"] == "5"


def row(**more: Any) -> dict[str, Any]:
    return {"ID": "9", "CALL_ID": CALL, "EXTERNAL_CALL_ID": about().call, "RECORD_FILE_ID": None, **more}


async def test_a_call_that_is_not_open_any_more_is_found_in_the_statistics() -> None:
    script = Scripted().says(FINISH, CALL_UNKNOWN).says(STATISTIC, ok([row()]))
    bitrix = portal(script)
    done = delivered(await bitrix.finish(ended(), attempt({"call": CALL})))
    await bitrix.close()
    assert done.memory == {"finished": "9", "call": CALL}


async def test_rows_of_other_calls_prove_nothing() -> None:
    """The portal drops a filter that it does not know and returns everything."""
    script = Scripted().says(FINISH, CALL_UNKNOWN)
    script.says(STATISTIC, ok([row(CALL_ID="other", EXTERNAL_CALL_ID="office-5.5")]))
    bitrix = portal(script)
    assert isinstance(await bitrix.finish(ended(), attempt({"call": CALL}, doubt=True)), Refused)
    await bitrix.close()


@pytest.mark.parametrize(("doubt", "kind"), [(True, Delivered), (False, Refused)])
async def test_without_the_right_to_look_only_a_doubtful_finish_is_assumed(
    doubt: bool, kind: type[Outcome]
) -> None:
    script = (
        Scripted().says(FINISH, CALL_UNKNOWN).says(STATISTIC, bad(403, "ACCESS_DENIED", "Access denied!"))
    )
    bitrix = portal(script)
    outcome = await bitrix.finish(ended(), attempt({"call": CALL}, doubt=doubt))
    await bitrix.close()
    assert isinstance(outcome, kind)
    if isinstance(outcome, Delivered):
        assert "taken as finished" in said(outcome)


async def test_statistics_that_are_out_of_reach_are_asked_again_later() -> None:
    script = Scripted().says(FINISH, CALL_UNKNOWN).says(STATISTIC, page(502))
    bitrix = portal(script)
    assert isinstance(await bitrix.finish(ended(), attempt({"call": CALL}, doubt=True)), Later)
    await bitrix.close()


async def test_a_half_done_finish_is_not_repeated() -> None:
    """The activity exists already; another try would double it (sheet §1.3)."""
    bitrix = portal(Scripted().says(FINISH, bad(400, "", "Unexpected database error; too long")))
    assert isinstance(await bitrix.finish(ended(), attempt({"call": CALL})), Refused)
    await bitrix.close()


@pytest.mark.parametrize(
    ("words", "told"),
    [("Could not find associated crm entity for the current call", False), ("CRM is not installed", True)],
)
async def test_only_an_unusual_missing_activity_is_told(words: str, told: bool) -> None:
    bitrix = portal(Scripted().says(FINISH, ok({"ID": 1, "ERRORS": {"ACTIVITY_CREATION": words}})))
    done = await bitrix.finish(ended(result=Result.BUSY), attempt({"call": CALL}))
    await bitrix.close()
    assert (words in said(done)) is told


async def test_the_chat_hears_of_calls_only_when_asked_to() -> None:
    for chat in (False, True):
        script = Scripted().says(FINISH, ok({"ID": 1}))
        bitrix = portal(script, chat=chat)
        await bitrix.finish(ended(), attempt({"call": CALL}))
        await bitrix.close()
        assert script.of(FINISH)[0]["ADD_TO_CHAT"] == int(chat)


# --------------------------------------------------------------------------------- only the responsible
SEARCH = "telephony.externalCall.searchCrmEntities"
THEIRS = ok([{"CRM_ENTITY_TYPE": "CONTACT", "CRM_ENTITY_ID": 5, "ASSIGNED_BY_ID": 12}])


async def test_of_those_who_ask_only_the_clients_own_sees_the_card() -> None:
    script = Scripted().says(SEARCH, THEIRS).says(REGISTER, registered()).says(SHOW, ok(True))
    bitrix = portal(script, cards="responsible")
    done = delivered(await bitrix.register(ringing(), BOTH, attempt(asking=BOTH)))
    later = attempt(done.memory, asking=BOTH)
    shown = delivered(
        await bitrix.cards(about().call, BOTH - (done.shown or frozenset()), frozenset(), later)
    )
    await bitrix.close()
    assert script.of(REGISTER)[0]["SHOW"] == 0
    assert (done.shown, shown.shown) == (frozenset({"101"}), frozenset({"102"}))
    assert script.of(SHOW) == [{"CALL_ID": CALL, "USER_ID": [12]}]
    assert len(script.of(SEARCH)) == 1


async def test_who_does_not_ask_sees_every_card() -> None:
    script = Scripted().says(SEARCH, THEIRS).says(REGISTER, registered())
    bitrix = portal(script, card_rules=[{"extensions": "102", "cards": "responsible"}])
    await bitrix.register(ringing(), BOTH, attempt(asking=frozenset({"102"})))
    await bitrix.close()
    assert script.of(REGISTER)[0]["SHOW"] == 1


@pytest.mark.parametrize("answer", [ok([]), page(502)])
async def test_a_client_that_is_nobodys_is_everybodys(answer: httpx2.Response) -> None:
    script = Scripted().says(SEARCH, answer).says(REGISTER, registered())
    bitrix = portal(script, cards="responsible")
    done = delivered(await bitrix.register(ringing(), BOTH, attempt(asking=BOTH)))
    await bitrix.close()
    assert (script.of(REGISTER)[0]["SHOW"], done.shown) == (1, frozenset({"101"}))


async def test_whose_client_it_is_is_not_asked_without_need() -> None:
    script = Scripted().says(REGISTER, registered())
    bitrix = portal(script, cards="answer")
    await bitrix.register(ringing(), BOTH, attempt())
    await bitrix.close()
    assert script.of(SEARCH) == []
