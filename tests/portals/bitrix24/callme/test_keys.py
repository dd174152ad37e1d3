"""Every key of the old scripts and of each known fork: what becomes of it, and what stands in our tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from callme.crm.moving import Fate
from callme.portals.bitrix24.callme.keys import KNOWN, convert
from callme.portals.bitrix24.callme.php import read
from callme.portals.bitrix24.settings import read as settings
from tests.portals.bitrix24.callme.scripts import PASSWORD, SECRETS, TOKEN, WEBHOOK, config_php

KEPT, NEEDLESS, LOST = Fate.KEPT, Fate.NEEDLESS, Fate.LOST

Said = dict[str, Fate]

TABLE: list[tuple[str, str, Said, dict[str, Any], dict[str, Any]]] = [
    # fork, its lines, verdicts, in [[pbx]], in [[portal]]
    ("callme", "'CallMeDEBUG' => 1", {"CallMeDEBUG": NEEDLESS}, {}, {}),
    ("callmeplus", "'LogPath' => '/var/log/x.log'", {"LogPath": NEEDLESS}, {}, {}),
    ("callme", "'tech' => 'SIP'", {"tech": NEEDLESS}, {}, {}),
    ("callme", f"'authToken' => '{TOKEN}'", {"authToken": KEPT}, {}, {"application_token": TOKEN}),
    ("callme", "'authToken' => ''", {"authToken": LOST}, {}, {}),
    ("callme", f"'bitrixApiUrl' => '{WEBHOOK}'", {"bitrixApiUrl": KEPT}, {}, {"webhook": WEBHOOK}),
    (
        "callme",
        "'bitrixApiUrl' => 'http://b.example.ru/rest/1/abc/'",
        {"bitrixApiUrl": KEPT},
        {},
        {"webhook": "https://b.example.ru/rest/1/abc/"},
    ),
    ("callme", "'bitrixApiUrl' => 'https://b.example.ru'", {"bitrixApiUrl": LOST}, {}, {}),
    (
        "callme",
        "'extentions' => array('74950000001', '1100')",
        {"extentions": KEPT},
        {},
        {"lines": {"74950000001": {}, "1100": {}}},
    ),
    ("callmeplus", "'extentions' => array('s')", {"extentions": NEEDLESS}, {}, {}),
    ("callme", "'context' => 'dial_out'", {"context": KEPT}, {"click_to_call": {"context": "dial_out"}}, {}),
    ("callme", "'context' => 'a b'", {"context": LOST}, {}, {}),
    ("callme", "'listener_timeout' => 300", {"listener_timeout": NEEDLESS}, {}, {}),
    ("callme", "'asterisk' => ['host' => '10.1.2.3']", {"asterisk.host": KEPT}, {"host": "10.1.2.3"}, {}),
    ("callme", "'asterisk' => ['port' => 5039]", {"asterisk.port": KEPT}, {"port": 5039}, {}),
    ("callme", "'asterisk' => ['port' => '5039']", {"asterisk.port": KEPT}, {"port": 5039}, {}),
    ("callme", "'asterisk' => ['port' => 70000]", {"asterisk.port": LOST}, {}, {}),
    ("callme", "'asterisk' => ['scheme' => 'tcp://']", {"asterisk.scheme": NEEDLESS}, {}, {}),
    ("callme", "'asterisk' => ['scheme' => 'tls://']", {"asterisk.scheme": KEPT}, {"tls": True}, {}),
    ("callme", "'asterisk' => ['username' => 'u']", {"asterisk.username": KEPT}, {"username": "u"}, {}),
    (
        "callme",
        f"'asterisk' => ['secret' => '{PASSWORD}']",
        {"asterisk.secret": KEPT},
        {"secret": PASSWORD},
        {},
    ),
    ("callme", "'asterisk' => ['secret' => '']", {"asterisk.secret": LOST}, {}, {}),
    ("callme", "'asterisk' => ['connect_timeout' => 10]", {"asterisk.connect_timeout": NEEDLESS}, {}, {}),
    ("callme", "'asterisk' => ['read_timeout' => 10]", {"asterisk.read_timeout": NEEDLESS}, {}, {}),
    ("callme", "'asterisk' => ['colour' => 'red']", {"asterisk.colour": LOST}, {}, {}),
    ("callme", "'asterisk' => 'nothing'", {"asterisk": LOST}, {}, {}),
    ("prefix", "'intPrefix' => '219'", {"intPrefix": LOST}, {}, {}),
    ("prefix", "'intPrefix' => ''", {"intPrefix": NEEDLESS}, {}, {}),
    ("maps", "'type_call' => 2", {"type_call": NEEDLESS}, {}, {}),
    (
        "maps",
        "'bx24' => ['74950000001' => '101', '74950000002' => '102']",
        {"bx24": KEPT},
        {},
        {"lines": {"74950000001": {"owner": "101"}, "74950000002": {"owner": "102"}}},
    ),
    (
        "maps",
        "'bx24' => ['8001' => '101', 'default_user_number' => '100'], 'extentions' => ['8001', '8002']",
        {"bx24": KEPT, "bx24.default_user_number": LOST, "extentions": KEPT},
        {},
        {"lines": {"8001": {"owner": "101"}, "8002": {"owner": "100"}}},
    ),
    (
        "maps",
        "'bx24_crm_source' => ['8001' => 'WEB', 'default_crm_source' => 'CALL'], 'extentions' => ['8002']",
        {"bx24_crm_source": KEPT, "extentions": KEPT},
        {},
        {"lines": {"8001": {"source": "WEB"}, "8002": {"source": "CALL"}}},
    ),
    ("maps", "'bx24_crm_source' => ['default_crm_source' => '1']", {"bx24_crm_source": LOST}, {}, {}),
    (
        "maps",
        "'user_show_cards' => ['101', '102']",
        {"user_show_cards": KEPT},
        {},
        {"cards": "never", "card_rules": [{"cards": "ring", "extensions": ["101", "102"]}]},
    ),
    ("maps", "'user_show_cards' => array( )", {"user_show_cards": LOST}, {}, {}),
    (
        "responsible",
        "'responsible_mode' => 'crm_responsible'",
        {"responsible_mode": KEPT},
        {},
        {"missed_owner": ["responsible", "line", "rung", "default"]},
    ),
    (
        "responsible",
        "'responsible_mode' => 'static_mapping'",
        {"responsible_mode": KEPT},
        {},
        {"missed_owner": ["line", "rung", "default"]},
    ),
    (
        "responsible",
        "'fallback_responsible_user_id' => 7",
        {"fallback_responsible_user_id": KEPT},
        {},
        {"default_user": 7},
    ),
    (
        "responsible",
        "'fallback_responsible_user_id' => 'nobody'",
        {"fallback_responsible_user_id": LOST},
        {},
        {"default_user": 1},
    ),
    (
        "responsible",
        "'extentions' => ['RU' => ['73422482347' => 63], 'KZ' => ['77272000000' => 64]]",
        {"extentions": LOST},
        {},
        {"lines": {"73422482347": {}, "77272000000": {}}},
    ),
    ("responsible", "'hold_timeout' => 60", {"hold_timeout": LOST}, {}, {}),
    ("responsible", "'healthCheckTimeout' => 5", {"healthCheckTimeout": NEEDLESS}, {}, {}),
    ("responsible", "'pingIdleTimeout' => 30", {"pingIdleTimeout": NEEDLESS}, {}, {}),
    ("responsible", "'enable_full_log' => false", {"enable_full_log": NEEDLESS}, {}, {}),
    ("responsible", "'ami_healthcheck_log' => []", {"ami_healthcheck_log": NEEDLESS}, {}, {}),
    ("responsible", "'roi_source_iblock_id' => 17", {"roi_source_iblock_id": LOST}, {}, {}),
    ("somebody's", "'my_own' => 'x'", {"my_own": LOST}, {}, {}),
]


@pytest.mark.parametrize(("fork", "lines", "said", "pbx", "portal"), TABLE, ids=[row[1] for row in TABLE])
def test_each_key(fork: str, lines: str, said: Said, pbx: dict[str, Any], portal: dict[str, Any]) -> None:
    found = convert(read(f"<?php return [{lines}];"), {})
    assert {one.key: one.fate for one in found.keys} == said
    assert pbx.items() <= found.pbx.items()
    assert portal.items() <= found.portal.items()
    assert set(found.pbx) == {"id", *pbx}
    assert set(found.portal) == {"id", "crm", "default_user", "callme_out", *portal}
    for one in found.keys:
        for text in (one.said.say("en"), one.said.say("ru")):
            assert text
            assert not any(secret in text for secret in SECRETS)


def test_the_table_above_names_every_known_key() -> None:
    named = {key for row in TABLE for key in row[2]} | set(GLOBALS)
    assert set(KNOWN) <= named


GLOBALS: dict[str, tuple[str, Fate, dict[str, Any]]] = {
    "MP3": ("/r/mp3/", KEPT, {"recordings": "/r/mp3", "recordings_on_pbx": "/r/mp3"}),
    "WAV": ("/r/wav", KEPT, {"recordings": "/r/wav", "recordings_on_pbx": "/r/wav"}),
    "URLRECORDS": ("https://x/records/mp3", NEEDLESS, {}),
    "URLPHP": ("http://x/", LOST, {}),
    "RECORDING": ("1", NEEDLESS, {}),
}


@pytest.mark.parametrize("name", GLOBALS)
def test_each_global(name: str) -> None:
    value, fate, pbx = GLOBALS[name]
    found = convert({}, {name: value})
    assert [(one.key, one.fate) for one in found.keys] == [(name, fate)]
    assert pbx.items() <= found.pbx.items()


def test_raw_and_finished_files_are_both_below_the_folder_that_is_kept() -> None:
    found = convert({}, {"WAV": "/r/records/wav", "MP3": "/r/records/mp3"})
    assert found.pbx["recordings"] == found.pbx["recordings_on_pbx"] == "/r/records"
    assert all("/r/records;" in one.said.say("en") for one in found.keys)


@pytest.mark.parametrize("value", ["{{PATH}}/records/mp3", "${BASE}/mp3", ""])
def test_a_folder_that_is_none_is_not_taken(value: str) -> None:
    found = convert({}, {"MP3": value})
    assert found.keys[0].fate is LOST
    assert "recordings" not in found.pbx


def test_the_portals_table_is_one_that_the_portal_takes() -> None:
    more = (
        "'bx24' => ['74950000001' => '101'], 'responsible_mode' => 'crm_responsible',"
        "'user_show_cards' => ['101'], 'bx24_crm_source' => ['default_crm_source' => 'CALL'],"
    )
    found = convert(read(config_php(host="10.0.0.9", more=more)), {})
    taken = settings("main", found.portal, "callme.toml", Path())
    assert taken.webhook_url == WEBHOOK
    assert taken.callme_out.allow == ("127.0.0.1/32", "::1/128", "10.0.0.9/32")
    assert taken.lines["74950000001"].owner == "101"


def test_verdicts_come_in_the_order_of_the_file() -> None:
    found = convert(read(config_php(more="'bx24' => [], 'hold_timeout' => 1,")), {"RECORDING": "1"})
    keys = [one.key for one in found.keys]
    assert keys[0] == "CallMeDEBUG"
    assert keys.index("asterisk.host") < keys.index("listener_timeout") < keys.index("hold_timeout")
    assert keys[-1] == "RECORDING"
