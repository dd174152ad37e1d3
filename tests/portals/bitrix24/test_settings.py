"""What a person may write into a portal's table, and what he is told when it is wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from callme.crm.cards import CardRule, CardRules, When
from callme.crm.policy import DEFAULT_RULES
from callme.errors import ConfigError
from callme.portals.bitrix24.settings import Settings, read
from tests.portals.bitrix24.scripted import SECRET, WEBHOOK

GOOD: dict[str, Any] = {"webhook": WEBHOOK, "default_user": 1}


def reading(**more: Any) -> Settings:
    table = {key: value for key, value in {**GOOD, **more}.items() if value is not None}
    return read("main", table, "callme.toml", Path("/etc/callme"))


def refusal(**more: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        reading(**more)
    english, russian = caught.value.say("en"), caught.value.say("ru")
    assert SECRET not in english + russian + repr(caught.value)
    return english


def test_unknown_callers_become_clients_and_dialled_numbers_do_not() -> None:
    create = reading().create
    assert (create.inbound, create.outbound) == ("always", "never")


def test_extensions_map_to_users_and_text_numbers_are_taken() -> None:
    settings = reading(users={"101": 12}, default_user="7", create={"outbound": True})
    assert (settings.users, settings.default_user, settings.create.outbound) == ({"101": 12}, 7, "always")


def test_the_secret_never_shows() -> None:
    assert SECRET not in repr(reading()) + str(reading())


def test_a_relative_authorities_file_starts_at_the_configuration() -> None:
    assert reading(ca_file="ca.pem").ca_file == Path("/etc/callme/ca.pem")


def test_plain_http_is_for_this_machine_only() -> None:
    assert reading(webhook=f"http://127.0.0.1:8099/rest/1/{SECRET}").webhook
    assert "https://" in refusal(webhook=f"http://acme.example/rest/1/{SECRET}/")


@pytest.mark.parametrize(
    "webhook",
    [
        "acme.bitrix24.example",
        f"https://acme.example/rest/{SECRET}/",
        f"https://acme.example/rest/1/{SECRET}/user.get",
        f"https://acme.example/rest/1/{SECRET}/?auth=1",
        f"https://acme.example:port/rest/1/{SECRET}/",
    ],
)
def test_an_address_that_is_no_webhook_is_named(webhook: str) -> None:
    told = refusal(webhook=webhook)
    assert "portal.main.webhook" in told
    assert "Inbound webhook" in told


def test_an_unknown_key_names_the_nearest() -> None:
    told = refusal(defualt_user=3)
    assert "portal.main.defualt_user" in told
    assert "`default_user`" in told
    assert "`inbound`" in refusal(create={"inbund": True})


def test_a_line_has_its_own_keys() -> None:
    line = reading(lines={" 74950000001 ": {"name": "Sales", "source": "CALL", "create": False}}).lines
    assert (line["74950000001"].name, line["74950000001"].create, line["74950000001"].owner) == (
        "Sales",
        "never",
        "",
    )
    assert "`owner`" in refusal(lines={"74950000001": {"owner_": "101"}})
    assert "portal.main.lines.74950000001.owner" in refusal(lines={"74950000001": {"owner": 101}})


def test_card_rules_become_the_policys() -> None:
    assert reading().rules == replace(DEFAULT_RULES, transcripts=True)
    rules = reading(
        cards="answer", card_rules=[{"extensions": "2XX, 301", "queues": ["400"], "cards": "never"}]
    )
    assert rules.rules.cards == CardRules(
        When.ANSWER, (CardRule(When.NEVER, extensions=("2XX", "301"), queues=("400",)),)
    )
    assert reading(card_rules=[{"groups": "600", "cards": "responsible"}]).asks_whose
    assert "choose from" in refusal(cards="sometimes")
    assert "names nobody" in refusal(card_rules=[{"cards": "never"}])
    assert "`queues`" in refusal(card_rules=[{"queue": "400", "cards": "never"}])


def test_clients_are_made_of_calls_that_a_word_names() -> None:
    create = reading(create={"inbound": "missed", "outbound": "answered"}).create
    assert (create.inbound, create.outbound) == ("missed", "answered")
    assert "never, answered, missed, always" in refusal(create={"inbound": "sometimes"})
    assert "choose from" in refusal(reassign={"kinds": ["person"]})
    assert "`task_hours`" in refusal(missed={"hours": 2})
    assert "`kinds`" in refusal(reassign={"kind": ["lead"]})


def test_the_order_of_owners_knows_four_words() -> None:
    assert reading(missed_owner=["line"]).missed_owner == ("line",)
    assert "choose from" in refusal(missed_owner=["boss"])


def test_everything_wrong_is_told_at_once() -> None:
    told = refusal(default_user=None, users={"101": "Anna"}, answer_timeout=0)
    assert "portal.main.default_user" in told
    assert "portal.main.users.101" in told
    assert "portal.main.answer_timeout" in told


APPLICATION = {
    "webhook": None,
    "domain": "acme.bitrix24.example",
    "client_id": "local.1",
    "client_secret": SECRET,
}


def test_an_application_takes_the_webhooks_place() -> None:
    settings = reading(**APPLICATION)
    assert settings.domain == "https://acme.bitrix24.example"
    assert settings.oauth_server == "https://oauth.bitrix.info"
    assert settings.webhook_url == ""
    assert SECRET not in repr(settings)
    assert reading(**{**APPLICATION, "domain": "http://127.0.0.1:8024/"}).domain == "http://127.0.0.1:8024"


@pytest.mark.parametrize(
    ("more", "key", "cure"),
    [
        ({"webhook": None}, "webhook", "client_secret of a local application"),
        ({"domain": "acme.example"}, "webhook", "keep webhook, or domain"),
        ({**APPLICATION, "client_secret": None}, "client_secret", "application's page"),
        ({**APPLICATION, "client_id": " "}, "client_id", "application's page"),
        ({**APPLICATION, "domain": "https://acme.example/rest/"}, "domain", "host name alone"),
        ({**APPLICATION, "domain": "http://acme.example"}, "domain", "https://"),
        ({**APPLICATION, "oauth_server": "http://oauth.example"}, "oauth_server", "https://"),
        ({**APPLICATION, "oauth_server": "ftp://oauth.example"}, "oauth_server", "https://"),
        ({**APPLICATION, "token_key": "short"}, "token_key", "16 random characters"),
    ],
)
def test_what_an_application_lacks_is_named(more: dict[str, Any], key: str, cure: str) -> None:
    told = refusal(**more)
    assert f"portal.main.{key}" in told
    assert cure in told
