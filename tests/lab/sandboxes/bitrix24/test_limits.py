"""The leaky bucket and the operating time (§4.1, §4.2)."""

from __future__ import annotations

import pytest

from tests.lab.sandboxes.bitrix24.client import NOON, Client

TOO_MANY = (503, "QUERY_LIMIT_EXCEEDED", "Too many requests")
BLOCKED = (429, "OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit.")


@pytest.mark.parametrize("counts_refused", [True, False])
async def test_the_bucket(counts_refused: bool) -> None:
    async with Client(
        rate_limit_x=5, rate_limit_y_per_s=2, rate_limit_counts_refused=counts_refused
    ) as client:
        for _ in range(5):
            await client.result("profile")
        for _ in range(4):
            assert await client.refused("no.such") == TOO_MANY  # before anything else
        client.now += 1
        status, _ = await client.ask("profile")
        assert status == (503 if counts_refused else 200)
        client.now += 10
        await client.result("profile")


async def test_a_batch_counts_once() -> None:
    async with Client(rate_limit_x=1) as client:
        await client.result("batch", {"cmd": {str(n): "profile" for n in range(50)}})
        assert await client.refused("profile") == TOO_MANY


async def test_the_default_is_fifty() -> None:
    async with Client(rate_limit_x=50) as client:
        statuses = [(await client.ask("profile"))[0] for _ in range(51)]
        assert statuses == [200] * 50 + [503]


async def test_operating_time_blocks_one_method_until_its_oldest_minute_drops_out() -> None:
    async with Client(operating_limit_s=480, execution_s={"user.get": 161, "profile": 0.09}) as client:
        for number in (1, 2, 3):
            _, body = await client.ask("user.get")
            assert body["time"]["operating"] == 161 * number
            assert body["time"]["operating_reset_at"] == int(NOON) + 600
            client.now += 60
        assert await client.refused("user.get") == BLOCKED
        assert (await client.ask("profile"))[1]["time"]["operating"] == 0  # short calls are free
        client.now = NOON + 600
        _, body = await client.ask("user.get")
        assert body["time"]["operating_reset_at"] == int(NOON) + 660


async def test_inner_calls_of_a_batch_count_and_are_refused_singly() -> None:
    async with Client(operating_limit_s=10, execution_s={"user.get": 11}) as client:
        body = await client.result("batch", {"cmd": {"a": "user.get", "b": "user.get", "c": "profile"}})
        assert body["result_error"]["b"]["error"] == "OPERATION_TIME_LIMIT"
        assert list(body["result"]) == ["a", "c"]


async def test_a_box_has_no_limits() -> None:
    async with Client(operating_limit_s=0, execution_s={"user.get": 9999}) as client:
        await client.result("user.get")
        assert "operating" not in (await client.ask("user.get"))[1]["time"]
