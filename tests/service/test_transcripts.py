"""What the PBXes said is kept by the river, and a call's part of it is found again."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import httpx2
import pytest
import structlog
from pydantic import SecretStr

from callme.calls.model import CallId
from callme.config import Config, Pbx
from callme.config.shape import Service
from callme.pbx.ami.transcript import moments, read_chunks
from callme.pbx.port import Moment
from callme.pbx.segments import segments
from callme.service.metrics import Metrics
from callme.service.river import River
from callme.service.running import Service as Running
from callme.service.transcripts import Transcripts
from callme.store import open_store
from tests.calls.played import FOLDER, Case, play, told
from tests.pbx.ami.pretender import Pretender, pretend
from tests.pbx.test_segments import as_served
from tests.service.test_river import NOBODY, RINGALL, Played

OFFICE = Pbx(id="office", secret=SecretStr("x"))


def config(folder: Path, days: int = 14) -> Config:
    return Config(service=Service(data_dir=folder, transcripts_days=days), pbx=(OFFICE,))


def with_facts(case: Case) -> list[Moment]:
    """The recording as the PBX's source gives it: facts and bytes."""
    facts = {moment.at: moment.facts for moment in case.moments}
    return [Moment(one.at, facts.get(one.at, ()), one.raw) for one in as_served(case) if one.raw]


async def flow(folder: Path, settings: Config, served: list[Moment]) -> Transcripts:
    metrics = Metrics()
    transcripts = Transcripts(settings, metrics, lambda: served[-1].at)
    await transcripts.open()
    store = open_store(folder / "callme.db")
    river = River(
        settings,
        OFFICE,
        Played(served),
        store,
        metrics,
        lambda: 0.0,
        lambda: None,
        transcripts.of("office"),
    )
    await river.run()
    await store.close()
    await transcripts.close()
    return transcripts


@pytest.mark.parametrize("case", [RINGALL, NOBODY], ids=lambda case: case.name)
async def test_a_call_can_be_replayed_from_what_was_kept(case: Case, tmp_path: Path) -> None:
    transcripts = await flow(tmp_path, config(tmp_path), with_facts(case))
    (call,) = play(case.moments)
    named = call.id.replace("pbx-", "office-")
    part = await transcripts.part(replace(call, pbx="office", id=CallId(named)))
    assert part is not None
    (tmp_path / "x.ami").write_bytes(part.ami)
    (tmp_path / "x.ami.idx").write_bytes(part.idx)
    (again,) = play(moments(read_chunks(tmp_path / "x.ami")))
    assert told(again) == told(call)


async def test_nothing_is_kept_where_nothing_is_wanted_and_what_was_kept_goes(tmp_path: Path) -> None:
    await flow(tmp_path, config(tmp_path), with_facts(NOBODY))
    folder = tmp_path / "transcripts" / "office"
    assert len(segments(folder)) == 1
    (tmp_path / "callme.db").unlink()
    transcripts = await flow(tmp_path, config(tmp_path, days=0), with_facts(NOBODY))
    assert list(folder.iterdir()) == []
    (call,) = play(NOBODY.moments)
    assert await transcripts.part(call) is None


async def test_the_running_service_gives_the_transcript_of_a_call_away(tmp_path: Path) -> None:
    busy = Case(FOLDER / "plain16" / "in_direct_busy.ami.gz")
    pbx = Pretender()
    async with pretend(pbx):
        service = Running(
            Config(
                service=Service(listen="127.0.0.1:0", data_dir=tmp_path),
                pbx=(Pbx(id="office", port=pbx.port, secret=SecretStr(pbx.secret)),),
            )
        )
        serving = asyncio.create_task(service.serve(signals=False))
        await service.ready.wait()
        await pbx.seen("ParkedCalls")
        pbx.send(b"".join(chunk.data for chunk in busy.chunks))
        async with httpx2.AsyncClient(base_url="http://{}:{}".format(*service.address)) as client:
            name = await _ended_call(client)
            answer = await client.get(f"/api/v1/calls/{name}/transcript")
        service.stop()
        assert await serving == 0
    with ZipFile(io.BytesIO(answer.content)) as archive:
        archive.extractall(tmp_path)
    (again,) = play(moments(read_chunks(tmp_path / f"{name}.ami")))
    (truth,) = play(busy.moments)
    assert told(again) == told(truth)


async def _ended_call(client: httpx2.AsyncClient) -> str:
    """The id of the call that is over, as soon as there is one."""
    async with asyncio.timeout(10):
        while True:
            calls = (await client.get("/api/v1/calls?open=false")).json()["calls"]
            if calls:
                return str(calls[0]["id"])
            await asyncio.sleep(0.02)


async def test_a_folder_that_cannot_be_made_harms_no_call(tmp_path: Path) -> None:
    (tmp_path / "transcripts").write_text("in the way")
    with structlog.testing.capture_logs() as logs:
        await flow(tmp_path, config(tmp_path), with_facts(RINGALL))
    said = [one["event"] for one in logs]
    assert said.count("transcript cannot be written; calls go on without it") == 1
    assert said.count("call ended") == 1
