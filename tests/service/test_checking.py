"""What `callme check` says of a PBX's numbers: all that it found, and what it was not allowed to ask."""

from __future__ import annotations

import errno
import grp
from pathlib import Path

import pytest

from callme.config import load
from callme.crm.port import Finding
from callme.service import checking
from callme.service.account import Account
from callme.service.checking import check_all
from tests.pbx.ami.pretender import Pretender, pretend
from tests.pbx.ami.test_directory import denied, telling
from tests.pbx.ami.test_probe import ALL, allow

TABLE = """
[service]
data_dir = "{folder}"
[[pbx]]
id = "office"
port = {port}
username = "callme"
secret = "s3cret"
{more}
"""


async def checked(pbx: Pretender, folder: Path, more: str = "") -> dict[str, Finding]:
    """Finding by the topic's beginning."""
    allow(pbx, *ALL)
    async with pretend(pbx):
        file = folder / "callme.toml"
        file.write_text(TABLE.format(folder=folder, port=pbx.port, more=more))
        return {one.topic.say("en").split(" of PBX")[0]: one for one in await check_all(load(file, {}))}


async def test_extensions_queues_groups_and_trunks_are_shown(tmp_path: Path) -> None:
    found = await checked(telling(), tmp_path)
    assert found["Extensions"].found.say("en") == "2, told by the PBX: 101 Anna Petrova, 102 Boris"
    assert found["Queues"].found.say("ru") == "2, сообщила АТС: 700 (101, 102), 701"
    assert found["Ring groups"].found.say("en") == "1, told by the PBX: 600"
    assert "PJSIP/trunk-prov" in found["Trunks"].found.say("en")
    assert "What PBX “office” may be asked" not in found


async def test_a_missing_right_is_a_hint_and_no_failure(tmp_path: Path) -> None:
    found = await checked(telling(DBGetTree=denied, ExtensionStateList=denied), tmp_path)
    hint = found["What PBX “office” may be asked"]
    assert hint.well
    assert "DBGetTree, ExtensionStateList" in hint.found.say("ru")
    assert hint.cure is not None
    assert "call,reporting" in hint.cure.say("ru")
    assert found["Trunks"].well


async def test_configured_trunks_are_not_contradicted(tmp_path: Path) -> None:
    found = await checked(telling(), tmp_path, 'trunks = ["PJSIP/trunk-*"]')
    assert found["Trunks"].found.say("en") == "as configured"


async def test_shadow_mode_is_told_with_the_way_out(tmp_path: Path) -> None:
    portal = (
        '[[portal]]\nid = "main"\ncrm = "bitrix24"\nshadow = true\ndefault_user = 1\n'
        'webhook = "http://127.0.0.1:9/rest/1/x/"'
    )
    found = await checked(telling(), tmp_path, portal)
    (shadow,) = [one for topic, one in found.items() if "shadow mode" in topic]
    assert shadow.well
    assert shadow.cure is not None
    assert "callme shadow" in shadow.cure.say("ru")


def recorded(folder: Path) -> Path:
    """Two days of recordings; the newest one."""
    for day in ("04", "05"):
        file = folder / f"monitor/2026/03/{day}/in-1-2-202603{day}-100000-1.wav"
        file.parent.mkdir(parents=True)
        file.touch()
    return file


@pytest.mark.parametrize("part", ["monitor", "monitor/2026/03", "monitor/2026/03/05", "file"])
async def test_recordings_are_looked_for_down_to_the_newest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    newest = recorded(tmp_path)
    more = f'recordings = "{tmp_path}/monitor"'
    assert (await checked(telling(), tmp_path, more))["Recordings"].well
    closed = newest if part == "file" else tmp_path / part
    monkeypatch.setattr(checking, "may_read", lambda path, account: path != closed)
    found = (await checked(telling(), tmp_path, more))["Recordings"]
    assert not found.well
    assert found.found.say("en") == f"{closed} cannot be read"


async def test_root_asks_for_the_services_own_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may read everything, and so would never see what is wrong."""
    newest, more = recorded(tmp_path), f'recordings = "{tmp_path}/monitor"'
    own = Account("callme", 117, 118, (118,))
    monkeypatch.setattr(checking, "account_of", lambda data: own)
    monkeypatch.setattr(checking, "may_read", lambda path, account: account is not own or path != newest)
    group = grp.getgrgid(newest.stat().st_gid).gr_name
    newest.chmod(0o640)
    found = (await checked(telling(), tmp_path, more))["Recordings"]
    assert found.found.say("en") == f"{newest} cannot be read by the service, which runs as callme"
    assert found.cure is not None
    assert found.cure.say("ru") == f"usermod -aG {group} callme && systemctl restart callme"
    newest.chmod(0o600)
    found = (await checked(telling(), tmp_path, more))["Recordings"]
    assert found.cure is not None
    assert found.cure.say("en").startswith(f"chmod g+rX {newest}")


async def test_a_folder_above_that_is_closed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(path: Path) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_dir", closed)
    found = checking._closed(tmp_path / "monitor", None)[0]
    assert found is not None
    assert found.say("en") == f"{tmp_path}/monitor cannot be read"


async def test_a_folder_that_is_not_there_is_told_so(tmp_path: Path) -> None:
    found = (await checked(telling(), tmp_path, f'recordings = "{tmp_path}/gone"'))["Recordings"]
    assert (found.well, found.found.say("en")) == (False, f"{tmp_path}/gone is not there")
