"""External lines (§1.8)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.sandboxes.bitrix24.client import Client


@pytest.mark.parametrize(
    ("method", "params", "text"),
    [
        ("add", {}, "NUMBER should not be empty"),
        ("add", {"NUMBER": "  "}, "NUMBER should not be empty"),
        ("add", {"NUMBER": " line-1 "}, "Line already exists"),
        ("update", {}, "There are no fields to update"),
        ("update", {"NUMBER": "no"}, "There are no fields to update"),
        ("update", {"NAME": "x"}, "NUMBER should not be empty"),
        ("update", {"NUMBER": "no", "NAME": "x"}, "Could not find line with number no"),
        ("delete", {}, "NUMBER should not be empty"),
        ("delete", {"NUMBER": "no"}, "Could not find line with number no"),
    ],
)
async def test_lines_refuse(client: Client, method: str, params: dict[str, Any], text: str) -> None:
    await client.result("telephony.externalLine.add", {"NUMBER": "line-1"})
    assert await client.refused(f"telephony.externalLine.{method}", params) == (400, "", text)


@pytest.mark.parametrize(
    ("given", "kept"), [({}, "Y"), ({"CRM_AUTO_CREATE": "N"}, "N"), ({"CRM_AUTO_CREATE": 1}, "N")]
)
async def test_a_line_lives(client: Client, given: dict[str, Any], kept: str) -> None:
    line = {"NUMBER": " line-1 ", "NAME": "Главная"}
    assert await client.result("telephony.externalLine.add", {**line, **given}) == {"ID": 1}
    get = "telephony.externalLine.get"
    assert await client.result(get) == [{"NUMBER": "line-1", "NAME": "Главная", "CRM_AUTO_CREATE": kept}]
    changed = await client.result("telephony.externalLine.update", {"NUMBER": "line-1", "NAME": "Другая"})
    assert changed == {"ID": "1"}
    assert (await client.result(get))[0]["NAME"] == "Другая"
    assert await client.result("telephony.externalLine.delete", {"NUMBER": "line-1"}) == []
    assert await client.result(get) == []
