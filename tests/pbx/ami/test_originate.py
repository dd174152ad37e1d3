"""A click as the PBX gets it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callme.pbx.ami.source import originate
from callme.pbx.ami.wire import encode_action
from callme.pbx.port import Originate

ORDER = Originate(
    "callme-1795000001.70000002",
    "1795000001.70000002",
    "1795000001.70000003",
    "101",
    "originate-skipvm",
    "79261112233",
    "from-internal",
    25,
)


def test_the_employee_first_then_the_number_through_the_dialplan() -> None:
    headers = originate(ORDER)
    once = dict(header for header in headers if header[0] != "Variable")
    assert once == {
        "ActionID": "callme-1795000001.70000002",
        "Channel": "Local/101@originate-skipvm/n",
        "Context": "from-internal",
        "Exten": "79261112233",
        "Priority": "1",
        "CallerID": '"79261112233" <101>',
        "Timeout": "25000",
        "Async": "true",
        "ChannelId": "1795000001.70000002",
        "OtherChannelId": "1795000001.70000003",
    }
    variables = {value for name, value in headers if name == "Variable"}
    assert {"__CALLME_COMMAND=callme-1795000001.70000002", "AMPUSER=101"} <= variables


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("", "79261112233"),
        ("Иван Петров", "Иван Петров"),
        ('ООО "Ромашка" <b>\r\nAction: x', "ООО Ромашка b Action: x"),
        ("x" * 60, "x" * 40),
    ],
)
def test_the_customers_name_on_the_telephone(name: str, shown: str) -> None:
    headers = originate(replace(ORDER, name=name))
    assert ("CallerID", f'"{shown}" <101>') in headers
    assert ("Variable", f"AMPUSERCIDNAME={shown}") in headers


def test_variables_of_the_line() -> None:
    headers = originate(replace(ORDER, variables={"TRUNKCIDOVERRIDE": "74950000001"}))
    assert ("Variable", "TRUNKCIDOVERRIDE=74950000001") in headers


def test_no_value_makes_a_line_of_its_own() -> None:
    headers = [("Exten", "1\r\nAction: Command")]
    with pytest.raises(ValueError, match="Exten"):
        encode_action("Originate", headers, "x")


def test_a_chosen_device_is_rung_straight() -> None:
    headers = originate(replace(ORDER, device="PJSIP/101-desk", alert="info=alert-autoanswer"))
    assert ("Channel", "PJSIP/101-desk") in headers
    assert "OtherChannelId" not in dict(headers)
    assert ("Variable", "PJSIP_HEADER(add,Alert-Info)=info=alert-autoanswer") in headers


def test_a_telephone_rung_through_the_dialplan_picks_up_by_the_dialplans_header() -> None:
    headers = originate(replace(ORDER, alert="info=alert-autoanswer"))
    assert ("Variable", "__ALERT_INFO=info=alert-autoanswer") in headers
    assert not [value for name, value in originate(ORDER) if "ALERT_INFO" in value]
