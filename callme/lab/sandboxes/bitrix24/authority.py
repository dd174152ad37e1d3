"""The portal's one local application and the authorisation server that knows it (sheet §3).

Tokens are issued when the application is installed, and renewed by the server as a fresh pair each time, the
old refresh token being worthless from then on. A plain state machine without a clock. `rest` asks who a token
belongs to; `installation` sends the tokens to a handler.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from callme.lab.sandboxes.bitrix24.knobs import Knobs
from callme.lab.sandboxes.bitrix24.refusal import Refusal

CLIENT_ID = "local.5f0e7a1c9b2d34.10000001"
CLIENT_SECRET = "sandboxclientsecretsandboxclientsecret"  # noqa: S105 - opens nothing but this stand-in
APP_ID = 7


class Installed(StrEnum):
    """How far the application's installation is."""

    ABSENT = "absent"  # created, or uninstalled
    HALF = "half"  # its tokens are out, its page has not called BX24.installFinish() yet
    WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class Pair:
    """What an installation or a refresh gives."""

    access: str
    refresh: str
    user: int


class Authority:
    """Issues, renews and judges tokens. `member` and `application_token` never change (§2.2)."""

    def __init__(self) -> None:
        self.installed = Installed.ABSENT
        self.member = secrets.token_hex(16)
        self.application_token = secrets.token_hex(16)
        self.refreshes = 0
        self._access: dict[str, tuple[int, float]] = {}  # token → user, valid until
        self._refresh: dict[str, tuple[int, float]] = {}

    def issue(self, user: int, now: float, knobs: Knobs) -> Pair:
        """A fresh pair for that user."""
        pair = Pair(secrets.token_hex(35), secrets.token_hex(35), user)
        self._access[pair.access] = (user, now + knobs.access_token_ttl_s)
        self._refresh[pair.refresh] = (user, now + knobs.refresh_token_ttl_s)
        return pair

    def expire(self) -> None:
        """Every access token runs out at once."""
        self._access = {token: (user, float("-inf")) for token, (user, _) in self._access.items()}

    def revoke(self) -> None:
        """Nothing that was issued is worth anything any more."""
        self._access.clear()
        self._refresh.clear()

    def uninstall(self) -> None:
        """An administrator removes the application."""
        self.installed = Installed.ABSENT

    def user_of(self, token: str, now: float) -> int:
        """Whose access token that is. `Refusal` in the words of §3.3."""
        if token not in self._access:
            raise Refusal(401, "invalid_token", "Unable to get application by token")
        if self.installed is Installed.ABSENT:
            raise Refusal(401, "APPLICATION_NOT_FOUND", "Application not found")
        user, until = self._access[token]
        if now >= until:
            raise Refusal(401, "expired_token", "The access token provided has expired")
        return user

    def info(self) -> dict[str, Any]:
        """app.info."""
        return {
            "ID": APP_ID,
            "CODE": CLIENT_ID,
            "VERSION": 1,
            "STATUS": "L",
            "INSTALLED": self.installed is Installed.WHOLE,
            "PAYMENT_EXPIRED": "N",
            "DAYS": None,
            "LANGUAGE_ID": "ru",
            "LICENSE": "ru_pro100",
            "LICENSE_TYPE": "pro100",
            "LICENSE_FAMILY": "pro",
        }

    def grant(
        self, query: Mapping[str, str], now: float, knobs: Knobs, portal: str
    ) -> tuple[int, dict[str, Any]]:
        """The server's answer to a refresh. `portal` is the address that it names as the portal's. A wrong
        application is told with HTTP 200 (§8.3.27)."""
        if query.get("grant_type") != "refresh_token" or not query.get("refresh_token"):
            return 400, {"error": "invalid_request"}
        if query.get("client_id") != CLIENT_ID:
            return 200, {"error": "wrong_client"}
        if not hmac.compare_digest(query.get("client_secret", "").encode(), CLIENT_SECRET.encode()):
            return 400, {"error": "invalid_client"}
        if self.installed is Installed.ABSENT:
            return 401, {"error": "NOT_INSTALLED"}
        user, until = self._refresh.pop(query["refresh_token"], (0, float("-inf")))
        if now >= until:
            return 400, {"error": "invalid_grant"}
        self.refreshes += 1
        pair = self.issue(user, now, knobs)
        return 200, {
            "access_token": pair.access,
            "refresh_token": pair.refresh,
            "expires_in": round(knobs.access_token_ttl_s),
            "expires": round(now + knobs.access_token_ttl_s),
            "client_endpoint": f"{portal}rest/",
            "server_endpoint": f"{portal}oauth/rest/",
            "domain": "oauth.bitrix.info",
            "member_id": self.member,
            "scope": ",".join(knobs.scopes),
            "status": "L",
            "user_id": user,
        }
