"""What the sandbox portal does where the real one's behaviour is disputed, unknown or a matter of plan and
settings.

Names and defaults are those of the contract sheet (`knobs`, §8.5); K1…K11 are its contradictions. Where
nothing tells which is right, the default is the stricter one. Tests and the demo set them; nothing here acts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from pydantic import TypeAdapter

TELEPHONY_SCOPES = ("crm", "im", "telephony", "user")


@dataclass(frozen=True, slots=True)
class Knobs:
    """One setting of the sandbox. Times are seconds."""

    webhook_telephony: Literal["deny", "allow"] = "deny"  # K1: register, finish and lines over a webhook
    empty_error_codes: bool = True  # K2: `""` as the live server says, else `ERROR_CORE` as the docs print
    finish_add_to_chat_default: Literal[0, 1] = 0  # K3
    auth_error_status: Literal["live", "docs"] = "live"  # K6: 401 or 403
    docs_message_variants: bool = False  # §8.3.30: three texts as the docs punctuate them
    closing_bracket: bool = False  # only finish's "Call is not found …" with the docs' bracket
    incoming_activity_completed: bool = False  # K11
    strict_param_case: bool = True  # §1.0: telephony methods do not see lower-case names
    crm_mode: Literal["classic", "simple"] = "classic"  # with leads, or contact and deal at once
    dedup_window_s: float = 1800  # K4, over the start dates of unfinished calls
    rate_limit_x: float = 50  # §4.1 leaky bucket: threshold; 0 switches it off (a box)
    rate_limit_y_per_s: float = 2  # §4.1: drain
    rate_limit_counts_refused: bool = (
        True  # the docs count every request; whether refused ones too is not said
    )
    operating_limit_s: float = 480  # §4.2 per method and webhook; 0 switches it off
    operating_window_s: int = 600
    operating_bucket_s: int = 60
    operating_min_counted_s: float = 0.1
    execution_s: Mapping[str, float] = field(default_factory=dict)  # what a call of a method is said to cost
    latency: float = 0  # every answer really comes this much later
    require_https: bool = False  # the real one always does; the sandbox lives on loopback
    scopes: tuple[str, ...] = TELEPHONY_SCOPES  # what the webhook or application was given
    access_token_ttl_s: float = 3600
    refresh_token_ttl_s: float = 180 * 86400
    portal_renamed: str = ""  # the host name that the portal has now: the old one answers 302 (§3.2)
    portal_deleted: bool = False  # K7
    offline_extended: bool = False  # the plan's feature rest_offline_extended (§2.6)
    statistics_right: bool = True  # the owner's right "Call statistics: view"
    crm_writes: bool = True  # the owner's right to make and change CRM objects
    crm_reads: bool = True  # the owner's right to see them

    def with_changes(self, changes: Mapping[str, Any]) -> Knobs:
        """The same setting with these knobs turned. `ValueError` names an unknown knob or a wrong value."""
        known = {knob.name for knob in fields(self)}
        for name in changes:
            if name not in known:
                raise ValueError(f"unknown knob {name!r}; known: {', '.join(sorted(known))}")
        return TypeAdapter(Knobs).validate_python({**self.as_json(), **changes})

    def as_json(self) -> dict[str, Any]:
        """All knobs as JSON-ready data."""
        return {**asdict(self), "scopes": list(self.scopes), "execution_s": dict(self.execution_s)}
