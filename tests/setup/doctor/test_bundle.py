"""The support bundle: everything that helps, nothing that is secret or somebody's."""

from __future__ import annotations

import stat
import tarfile
from pathlib import Path

import pytest

from callme.config import load
from callme.errors import StoreError
from callme.pbx.segments import SegmentFile, stamp
from callme.setup.doctor import bundle

TEXT = """# ours
[service]
data_dir = "var"
[[pbx]]
id = "office"
secret = "hush-one"
[[portal]]
id = "main"
crm = "bitrix24"
webhook = "https://example.bitrix24.ru/rest/1/hush-two/"
application_token = "hush-three"
extra = { client_secret = "hush-four", door = { secret = 'hush-five' }, token = "hush \\"hush-six" }
secret_words = ["a",
  "hush-seven"]
"""
EVENT = (
    b"Event: Newchannel\r\nChannel: PJSIP/101-00000001\r\nCallerIDNum: 79160000123\r\n"
    b"CallerIDName: Anna Petrova\r\nUniqueid: 1700000000.1\r\n\r\n"
)


def test_what_is_in_it_and_what_is_not(tmp_path: Path) -> None:
    file = tmp_path / "callme.toml"
    file.write_text(TEXT, "utf-8")
    file.chmod(0o600)
    folder = tmp_path / "var/transcripts/office"
    folder.mkdir(parents=True)
    segment = SegmentFile(folder / f"{stamp(1_700_000_000.0)}.ami", 1_700_000_000.0)
    segment.write(1_700_000_001.0, EVENT, fresh=True, asked=None)
    segment.close()
    config = load(file, {})
    findings = [{"found": "101 Anna Petrova, 102 Boris", "level": "well"}]
    out = tmp_path / "support.tar.gz"
    parts = bundle.write(out, config, findings, {"calls": 5}, ["Anna Petrova", "Boris"])
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    with tarfile.open(out) as archive:
        texts = {one.name: archive.extractfile(one).read().decode() for one in archive}  # type: ignore[union-attr]
    assert {name.removeprefix("callme-support/") for name in texts} == set(parts)
    assert any(name.endswith(".ami") for name in texts)
    everything = "\n".join(texts.values())
    assert "bitrix24" in everything
    assert 'id = "main"' in everything
    assert '"level": "well"' in everything
    for private in ("hush-", "Petrova", "Boris", "79160000123"):
        assert private not in everything
    with pytest.raises(StoreError, match="exists already"):
        bundle.write(out, config, [], {}, [])


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "callme.toml").write_text('[[pbx]]\nid = "office"\nsecret = "x"\n', "utf-8")
    (tmp_path / "callme.toml").chmod(0o600)
    config = load(tmp_path / "callme.toml", {})
    with pytest.raises(StoreError, match="gone"):
        bundle.write(tmp_path / "gone/support.tar.gz", config, [], {}, [])
