"""The local application before the strict sandbox: all that any portal must do, and tokens that run out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from callme.crm.intents import Finish, Register, Result
from callme.crm.port import Delivered, Later, Unauthorised, Urgency
from callme.lab.sandboxes.bitrix24.authority import CLIENT_SECRET
from callme.lab.sandboxes.bitrix24.faults import Fault, FaultKind, Moment
from callme.portals.bitrix24.rest import Done
from callme.portals.bitrix24.rest import Fault as RestFault
from tests.portals.bitrix24.installed import ApplicationStand, installed, standing
from tests.portals.conformance import LINE, PortalConformance

OAUTH = "oauth"


@pytest.fixture
async def stand(tmp_path: Path) -> AsyncIterator[ApplicationStand]:
    stand = await installed(tmp_path)
    yield stand
    await stand.portal.close()


class TestApplication(PortalConformance):
    """The whole conformance on a portal that keeps webhooks from telephony."""

    @pytest.mark.parametrize("nth", range(1, 10))
    async def test_a_token_that_expires_at_any_request_changes_nothing(
        self, stand: ApplicationStand, wav: Path, nth: int
    ) -> None:
        """In the middle of register, show, finish, and between the upload's address and the upload."""
        stand.sandbox.faults.add(Fault("*", FaultKind.EXPIRED, nth=nth))
        await self.play(stand, wav)
        self.the_one_call(stand, wav)
        assert stand.sandbox.authority.refreshes == int(nth <= 9 and nth not in self.upload_at(stand))

    def upload_at(self, stand: ApplicationStand) -> set[int]:
        """An upload's address dies with its token: the next attempt asks for another one, with a token that
        is still good here, for only one request was told that it expired."""
        return {at + 1 for at, method in enumerate(stand.wire.methods) if method == "upload.json"}

    async def test_an_outage_of_the_authorisation_server_is_waited_out(
        self, stand: ApplicationStand, wav: Path
    ) -> None:
        stand.sandbox.authority.expire()
        stand.sandbox.faults.add(Fault(OAUTH, FaultKind.HTML, status=502, times=3))
        await self.play(stand, wav)
        self.the_one_call(stand, wav)

    async def test_a_missed_call_names_the_line_and_the_application(self, stand: ApplicationStand) -> None:
        for line, kept in ((LINE, LINE), ("", "REST_APP:7")):
            self.memory = {}
            facts = self.facts(stand, line=line, call=f"office-1767225600.{len(line)}")
            opened = await stand.portal.register(Register(facts, "101"), frozenset(), self.attempt(stand))
            assert isinstance(opened, Delivered)
            self.memory.update(opened.memory)
            finish = Finish(facts, "101", Result.NO_ANSWER, 0, stand.now)
            assert isinstance(await stand.portal.finish(finish, self.attempt(stand)), Delivered)
            assert list(stand.sandbox.office.statistics.values())[-1].line == kept


async def scopes(stand: ApplicationStand) -> Done | RestFault:
    return await stand.bitrix._rest.call("scope", {}, Urgency.UPKEEP, reads=True)


async def outcome(stand: ApplicationStand) -> object:
    found = await scopes(stand)
    return found if isinstance(found, Done) else found.outcome


async def test_many_calls_that_meet_an_expired_token_wait_for_one_refresh(stand: ApplicationStand) -> None:
    stand.sandbox.authority.expire()
    found = await asyncio.gather(*(scopes(stand) for _ in range(20)))
    assert all(isinstance(one, Done) for one in found)
    assert stand.sandbox.authority.refreshes == 1


async def test_nothing_is_refreshed_while_the_token_is_good(stand: ApplicationStand) -> None:
    for _ in range(5):
        assert isinstance(await scopes(stand), Done)
    assert stand.sandbox.authority.refreshes == 0


async def test_another_process_takes_the_pair_that_the_first_has_fetched(
    stand: ApplicationStand, tmp_path: Path
) -> None:
    other = standing(tmp_path, stand.sandbox)
    assert isinstance(await scopes(other), Done)
    stand.sandbox.authority.expire()
    both = await asyncio.gather(scopes(stand), scopes(other))
    assert [isinstance(one, Done) for one in both] == [True, True]
    assert stand.sandbox.authority.refreshes == 1
    await other.portal.close()


async def test_a_restart_goes_on_with_the_last_pair(stand: ApplicationStand, tmp_path: Path) -> None:
    stand.sandbox.authority.expire()
    assert isinstance(await scopes(stand), Done)
    again = standing(tmp_path, stand.sandbox)
    assert isinstance(await scopes(again), Done)
    assert stand.sandbox.authority.refreshes == 1
    await again.portal.close()


async def test_a_pair_that_was_lost_with_the_process_asks_for_an_installation_and_that_heals(
    stand: ApplicationStand, tmp_path: Path
) -> None:
    """Killed after the server's answer, before it was on the disk: that pair exists nowhere any more."""
    before = (tmp_path / "portals" / "main.tokens").read_bytes()
    stand.sandbox.authority.expire()
    assert isinstance(await scopes(stand), Done)
    (tmp_path / "portals" / "main.tokens").write_bytes(before)
    stand.sandbox.authority.expire()
    again = standing(tmp_path, stand.sandbox)
    told = await outcome(again)
    assert isinstance(told, Unauthorised)
    assert told.cure is not None
    assert "Install the application" in told.cure.say("en")
    asked = again.wire.sent
    assert isinstance(await outcome(again), Unauthorised)
    assert again.wire.sent == asked, "a refresh token that was refused is not offered again"
    await again.install()
    assert isinstance(await scopes(again), Done)
    await again.portal.close()


async def test_a_caller_that_gives_up_does_not_lose_the_pair(stand: ApplicationStand) -> None:
    stand.sandbox.authority.expire()
    stand.sandbox.faults.add(Fault(OAUTH, FaultKind.HANG, Moment.AFTER, seconds=0.05))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(scopes(stand), 0.02)
    assert isinstance(await scopes(stand), Done)
    assert stand.sandbox.authority.refreshes == 1


async def test_closing_waits_for_the_pair_that_is_on_its_way(tmp_path: Path) -> None:
    stand = await installed(tmp_path)
    stand.sandbox.authority.expire()
    stand.sandbox.faults.add(Fault(OAUTH, FaultKind.HANG, Moment.AFTER, seconds=0.05))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(scopes(stand), 0.02)
    await stand.portal.close()
    again = standing(tmp_path, stand.sandbox)
    assert isinstance(await scopes(again), Done)
    await again.portal.close()


async def test_a_disk_that_takes_nothing_keeps_the_pair_for_later(
    stand: ApplicationStand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand.sandbox.authority.expire()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", full)
        told = await outcome(stand)
        assert isinstance(told, Later)
        assert "No space left" in told.why.say("en")
    assert isinstance(await scopes(stand), Done)
    assert stand.sandbox.authority.refreshes == 1


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"client_secret": "wrong-wrong-wrong"}, "client_secret is wrong"),
        ({"client_id": "local.another.1"}, "client_id or client_secret"),  # told with HTTP 200
    ],
)
async def test_a_wrong_registration_is_told(
    stand: ApplicationStand, tmp_path: Path, settings: dict[str, str], told: str
) -> None:
    stand.sandbox.authority.expire()
    wrong = standing(tmp_path, stand.sandbox, **settings)
    found = await outcome(wrong)
    assert isinstance(found, Unauthorised)
    assert told in found.why.say("en")
    assert found.cure is not None
    await wrong.portal.close()


async def test_an_uninstalled_application_is_told_at_once_and_at_refresh(stand: ApplicationStand) -> None:
    stand.sandbox.authority.uninstall()
    at_once = await outcome(stand)
    stand.sandbox.faults.add(Fault("scope", FaultKind.EXPIRED))
    at_refresh = await outcome(stand)
    for found in (at_once, at_refresh):
        assert isinstance(found, Unauthorised)
        assert found.cure is not None
        assert "nstall the application" in found.cure.say("en")


async def test_revoked_tokens_ask_for_an_installation(stand: ApplicationStand) -> None:
    stand.sandbox.authority.revoke()
    found = await outcome(stand)
    assert isinstance(found, Unauthorised)
    assert "used up" in found.why.say("en")


async def test_an_unreachable_authorisation_server_is_a_matter_of_time(stand: ApplicationStand) -> None:
    stand.sandbox.authority.expire()
    stand.wire.dead.add(stand.wire.sent + 2)
    found = await outcome(stand)
    assert isinstance(found, Later)
    assert isinstance(await scopes(stand), Done)


async def test_a_renamed_portal_is_told_and_not_followed(stand: ApplicationStand) -> None:
    stand.sandbox.knobs = stand.sandbox.knobs.with_changes({"portal_renamed": "new.bitrix24.example"})
    found = await outcome(stand)
    assert isinstance(found, Unauthorised)
    assert "new.bitrix24.example" in found.why.say("en")
    assert found.cure is not None
    assert "domain" in found.cure.say("en")
    assert {request.method for request in stand.sandbox.requests} <= {"app.info", "profile", "scope"}


async def test_the_name_that_a_refresh_gives_is_told_by_check(stand: ApplicationStand) -> None:
    """The old name still answers: the tokens stay with it until the configuration names the new one."""
    stand.sandbox.authority.expire()
    stand.sandbox.faults.add(Fault("scope", FaultKind.EXPIRED))

    real = stand.sandbox.authority.grant
    stand.sandbox.authority.grant = lambda query, now, knobs, portal: real(  # type: ignore[method-assign]
        query, now, knobs, "https://new.bitrix24.example/"
    )
    assert isinstance(await scopes(stand), Done)
    ill = [one for one in await stand.portal.check() if not one.well]
    assert [one.topic.say("en") for one in ill] == ["application"]
    assert "new.bitrix24.example" in ill[0].found.say("en")


async def test_a_deleted_portal_is_told(stand: ApplicationStand) -> None:
    stand.sandbox.knobs = stand.sandbox.knobs.with_changes({"portal_deleted": True})
    found = await outcome(stand)
    assert isinstance(found, Unauthorised)
    assert "deleted or closed" in found.why.say("en")


async def test_a_dismissed_installer_is_told(stand: ApplicationStand) -> None:
    stand.sandbox.office.users[1].active = False
    found = await outcome(stand)
    assert isinstance(found, Unauthorised)
    assert "who installed the application" in found.why.say("en")


async def test_the_secret_goes_to_the_authorisation_server_alone(tmp_path: Path) -> None:
    stand = await installed(tmp_path)
    sent: list[httpx2.URL] = []
    inner = stand.wire.handle_async_request

    async def watching(request: httpx2.Request) -> httpx2.Response:
        sent.append(request.url)
        assert CLIENT_SECRET not in (await request.aread()).decode()
        return await inner(request)

    stand.wire.handle_async_request = watching  # type: ignore[method-assign]
    stand.sandbox.authority.expire()
    assert isinstance(await scopes(stand), Done)
    holding = [url.path for url in sent if CLIENT_SECRET in str(url)]
    assert holding == ["/oauth/token/"]
    await stand.portal.close()
    assert CLIENT_SECRET not in repr(stand.bitrix._application) + repr(stand.bitrix.settings)
