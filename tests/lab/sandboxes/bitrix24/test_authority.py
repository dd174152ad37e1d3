"""The portal's application: tokens, refresh with rotation, what each loss of them is called (sheet §3)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from callme.lab.sandboxes.bitrix24.authority import CLIENT_ID, CLIENT_SECRET, Pair
from callme.lab.sandboxes.bitrix24.installation import prepared
from tests.lab.sandboxes.bitrix24.client import Client

HOUR = 3600
KINDS = {"content-type": "application/json"}


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client(webhook_telephony="deny") as client:
        yield client


def pair(client: Client, form: str = "api", user: int = 1) -> Pair:
    query, body = prepared(
        client.portal.authority, client.portal.knobs, "http://portal.test/", client.now, form=form, user=user
    )
    if form == "page":
        assert query["DOMAIN"] == "portal.test"
        return Pair(body["AUTH_ID"], body["REFRESH_ID"], user)
    return Pair(body["auth[access_token]"], body["auth[refresh_token]"], user)


async def ask(
    client: Client, method: str, token: str, params: dict[str, Any] | None = None, how: str = "query"
) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {token}"} if how == "header" else {}
    query = {how: token} if how in ("auth", "access_token") else {}
    body = {**(params or {}), **({"auth": token} if how == "body" else {})}
    answer = await client.http.post(f"/rest/{method}.json", params=query, json=body, headers=headers)
    told: dict[str, Any] = answer.json()
    return answer.status_code, told


async def refresh(client: Client, token: str, **more: str) -> httpx2.Response:
    query = {"grant_type": "refresh_token", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    return await client.http.get("/oauth/token/", params={**query, "refresh_token": token, **more})


@pytest.mark.parametrize("how", ["auth", "access_token", "header", "body"])
async def test_a_token_may_be_presented_in_four_ways(client: Client, how: str) -> None:
    assert await ask(client, "app.info", pair(client).access, how=how) == (
        200,
        await told(client, pair(client).access),
    )


async def told(client: Client, token: str) -> Any:
    _, body = await ask(client, "app.info", token, how="auth")
    assert body["result"]["CODE"] == CLIENT_ID
    return body


async def test_an_application_may_do_what_webhooks_may_not(client: Client) -> None:
    access = pair(client).access
    params = {"USER_PHONE_INNER": "101", "PHONE_NUMBER": "+79165550001", "TYPE": 2}
    status, body = await ask(client, "telephony.externalCall.register", access, params, "auth")
    assert status == 200
    end = {"CALL_ID": body["result"]["CALL_ID"], "USER_ID": 2, "DURATION": 3}
    status, body = await ask(client, "telephony.externalCall.finish", access, end, "auth")
    assert (status, body["result"]["PORTAL_NUMBER"]) == (200, "REST_APP:7")
    assert (await ask(client, "telephony.externalLine.get", access, None, "auth"))[0] == 200
    assert (await client.refused("app.info"))[1] == "ACCESS_DENIED"


async def test_an_access_token_lives_an_hour_and_the_upload_with_it(client: Client) -> None:
    given = pair(client)
    client.now += HOUR - 1
    assert (await ask(client, "scope", given.access, None, "auth"))[0] == 200
    client.now += 1
    assert await ask(client, "scope", given.access, None, "auth") == (
        401,
        {"error": "expired_token", "error_description": "The access token provided has expired"},
    )
    link = await client.http.post(f"/rest/upload.json?auth={given.access}&token=x", files={"file": b""})
    assert (link.status_code, link.json()["error"]) == (401, "expired_token")


async def test_a_refresh_gives_a_new_pair_and_spends_the_old(client: Client) -> None:
    given = pair(client)
    fresh = (await refresh(client, given.refresh)).json()
    assert fresh["expires_in"] == HOUR
    assert fresh["client_endpoint"] == "http://portal.test/rest/"
    assert fresh["member_id"] == client.portal.authority.member
    assert (await ask(client, "scope", fresh["access_token"], None, "auth"))[0] == 200
    spent = await refresh(client, given.refresh)
    assert (spent.status_code, spent.json()) == (400, {"error": "invalid_grant"})
    client.now += 180 * 86400
    assert (await refresh(client, fresh["refresh_token"])).json() == {"error": "invalid_grant"}


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"client_id": "local.other"}, 200, "wrong_client"),
        ({"client_secret": "wrong"}, 400, "invalid_client"),
        ({"grant_type": "password"}, 400, "invalid_request"),
        ({"refresh_token": ""}, 400, "invalid_request"),
    ],
)
async def test_the_server_refuses_in_its_own_words(
    client: Client, more: dict[str, str], status: int, code: str
) -> None:
    answer = await refresh(client, pair(client).refresh, **more)
    assert (answer.status_code, answer.json()["error"]) == (status, code)


async def test_uninstalled_revoked_and_dismissed_have_names(client: Client) -> None:
    given = pair(client)
    client.office.users[1].active = False
    assert (await ask(client, "scope", given.access, None, "auth"))[1]["error"] == "authorization_error"
    client.office.users[1].active = True
    await client.http.post("/sandbox/uninstall")
    assert (await ask(client, "scope", given.access, None, "auth"))[1]["error"] == "APPLICATION_NOT_FOUND"
    assert (await refresh(client, given.refresh)).json()["error"] == "NOT_INSTALLED"
    again = pair(client)
    await client.http.post("/sandbox/expire")
    assert (await ask(client, "scope", again.access, None, "auth"))[1]["error"] == "expired_token"
    await client.http.post("/sandbox/revoke")
    assert (await ask(client, "scope", again.access, None, "auth"))[1]["error"] == "invalid_token"


async def test_an_application_with_pages_is_half_installed_until_its_page_says_so(client: Client) -> None:
    access = pair(client, "page").access
    _, body = await ask(client, "app.info", access, None, "auth")
    assert body["result"]["INSTALLED"] is False


async def test_a_renamed_portal_redirects_everything(client: Client) -> None:
    client.portal.knobs = client.portal.knobs.with_changes({"portal_renamed": "new.test"})
    answer = await client.http.post("/rest/scope.json?auth=x")
    assert (answer.status_code, answer.headers["location"]) == (302, "https://new.test/rest/scope.json")
    fresh = (await refresh(client, pair(client).refresh)).json()
    assert fresh["client_endpoint"] == "https://new.test/rest/"


async def test_a_deleted_portal_says_so(client: Client) -> None:
    client.portal.knobs = client.portal.knobs.with_changes({"portal_deleted": True})
    assert (await ask(client, "scope", pair(client).access, None, "auth"))[1]["error"] == "PORTAL_DELETED"


async def test_an_application_lacks_a_scope_in_other_words(client: Client) -> None:
    client.portal.knobs = client.portal.knobs.with_changes({"scopes": []})
    status, body = await ask(client, "user.current", pair(client).access, None, "auth")
    assert status == 401
    assert body["error_description"].endswith("by the access token")


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"handler": "https://pbx.test/h"}, "ERROR_ARGUMENT"),
        ({"event": "OnExternalCallStart"}, "ERROR_ARGUMENT"),
        ({"event": "OnNothing", "handler": "https://pbx.test/h"}, "ERROR_EVENT_NOT_FOUND"),
        ({"event": "OnExternalCallStart", "handler": "https://localhost/h"}, "ERROR_WRONG_HANDLER_URL"),
        ({"event": "OnExternalCallStart", "handler": "ftp://pbx.test/h"}, "ERROR_UNSUPPORTED_PROTOCOL"),
    ],
)
async def test_a_wrong_subscription_is_refused(client: Client, params: dict[str, str], code: str) -> None:
    status, body = await ask(client, "event.bind", pair(client).access, params, "auth")
    assert (status, body["error"]) == (400, code)


async def test_a_subscription_is_kept_once_and_told(client: Client) -> None:
    access, params = pair(client).access, {"event": "OnExternalCallStart", "handler": "https://pbx.test/h"}
    assert (await ask(client, "event.bind", access, params, "auth"))[1]["result"] is True
    assert (await ask(client, "event.bind", access, params, "auth"))[1]["error"] == "ERROR_CORE"
    _, body = await ask(client, "event.get", access, None, "auth")
    assert body["result"] == [
        {"event": "ONEXTERNALCALLSTART", "handler": "https://pbx.test/h", "auth_type": "0", "offline": 0}
    ]
