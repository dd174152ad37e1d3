"""How the portal says no: one exception with the status, both code variants and both text variants of a
refusal.

Raised by the methods and the REST layer, turned into a body by `spoken`, which alone knows the knobs K2 and
K6.
"""

from __future__ import annotations

from typing import Any

from callme.lab.sandboxes.bitrix24.knobs import Knobs


class Refusal(Exception):
    """An error answer. `code` is the live server's, `docs_code` the documented one, `docs_text` the docs'
    wording."""

    def __init__(
        self,
        status: int,
        code: str,
        text: str,
        *,
        docs_code: str | None = None,
        docs_text: str | None = None,
        docs_status: int | None = None,
        argument: str | None = None,
    ) -> None:
        super().__init__(status, code, text)
        self.status = status
        self.code = code
        self.text = text
        self.docs_code = code if docs_code is None else docs_code
        self.docs_text = text if docs_text is None else docs_text
        self.docs_status = status if docs_status is None else docs_status
        self.argument = argument

    def spoken(self, knobs: Knobs) -> tuple[int, dict[str, Any]]:
        """HTTP status and body under these knobs. An error body never has `time` (§1.0)."""
        bracket = knobs.closing_bracket and self.text.startswith("Call is not found (call should")
        body: dict[str, Any] = {
            "error": self.code if knobs.empty_error_codes else self.docs_code,
            "error_description": self.docs_text if knobs.docs_message_variants or bracket else self.text,
        }
        if self.argument is not None:
            body["argument"] = self.argument
        return (self.docs_status if knobs.auth_error_status == "docs" else self.status), body


def failure(text: str, *, docs_text: str | None = None) -> Refusal:
    """An ordinary telephony failure: 400, an empty code live and `ERROR_CORE` in the docs (K2)."""
    return Refusal(400, "", text, docs_code="ERROR_CORE", docs_text=docs_text)


def wrong_auth_type(text: str = "Current authorization type is denied for this method") -> Refusal:
    """This kind of credential may not call this method (K1, §1.1)."""
    return Refusal(403, "WRONG_AUTH_TYPE", text)


def access_denied(text: str = "Access denied!") -> Refusal:
    """The credential's owner lacks the right."""
    return Refusal(403, "ACCESS_DENIED", text)


def unknown_method() -> Refusal:
    """No such method."""
    return Refusal(404, "ERROR_METHOD_NOT_FOUND", "Method not found!")


def wrong_credentials() -> Refusal:
    """The webhook's secret is wrong, or its owner was dismissed."""
    return Refusal(401, "INVALID_CREDENTIALS", "Invalid request credentials", docs_status=403)


def missing_scope(credential: str = "webhook") -> Refusal:
    """The webhook, or the application with its `access` token, was not given the method's scope."""
    return Refusal(
        401,
        "insufficient_scope",
        f"The request requires higher privileges than provided by the {credential} token",
        docs_status=403,
    )
