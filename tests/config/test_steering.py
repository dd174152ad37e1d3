"""`[routing]` and `[[steer]]` as people write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from callme.config import Config, load
from callme.config.hours import within
from callme.errors import ConfigError
from tests.config.test_reading import SOUND

KEY = "0123456789abcdef"
WHOLE = f"""
[routing]
key = "{KEY}"
agi = "127.0.0.1:4573"
exclude = ["7916XXXXXXX"]

[[steer]]
line = "74950000001,74950000002"
hours = "mon-fri 09:00-18:00"
client = "vip"
to = ["last", "responsible", "105"]
even_if = "busy"
ring_s = 20
then = "ext-group,600"
"""


def loaded(folder: Path, text: str, environ: dict[str, str] | None = None) -> Config:
    file = folder / "callme.toml"
    file.write_text(SOUND + text, encoding="utf-8")
    file.chmod(0o600)
    return load(file, environ or {})


def test_off_by_default(tmp_path: Path) -> None:
    config = loaded(tmp_path, "")
    assert not config.routing.open
    assert (config.steer, config.routing.deadline) == ((), 1.5)


def test_every_key_is_read_and_the_secret_is_not_shown(tmp_path: Path) -> None:
    config = loaded(tmp_path, WHOLE)
    (rule,) = config.steer
    assert config.routing.open
    assert KEY not in repr(config)
    assert (rule.line, rule.to) == (("74950000001", "74950000002"), ("last", "responsible", "105"))
    assert (rule.even_if, rule.ring_s, rule.then) == (("busy",), 20, "ext-group,600")


def test_from_the_environment(tmp_path: Path) -> None:
    environ = {
        "CALLME_ROUTING__KEY": KEY,
        "CALLME_STEER__1__TO": "responsible",
        "CALLME_STEER__1__RING_S": "9",
    }
    config = loaded(tmp_path, "", environ)
    assert config.routing.open
    assert (config.steer[0].to, config.steer[0].ring_s) == (("responsible",), 9)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[routing]\nkey = "short"', "routing.key"),
        ('[routing]\nkey = "with, comma and ) 0000"', "routing.key"),
        ('[routing]\nagi = "here"', "routing.agi"),
        ("[routing]\ndeadline = 9", "routing.deadline"),
        ("[routing]\ndedline = 1", "did you mean `deadline`"),
        ("[[steer]]\nring_s = 9", "steer[1].to"),
        ("[[steer]]\nto = []", "steer[1].to"),
        ('[[steer]]\nto = ["nobody"]', "“nobody”"),
        ('[[steer]]\nto = ["101"]\nhours = "9-18"', "“9-18”"),
        ('[[steer]]\nto = ["101"]\nhours = "mon-fry 09:00-18:00"', "mon-fry"),
        ('[[steer]]\nto = ["101"]\nthen = "a b"', "“a b”"),
        ('[[steer]]\nto = ["101"]\nclient = "rich"', "steer[1].client"),
        ('[[steer]]\nto = ["101"]\neven_if = ["asleep"]', "steer[1].even_if"),
        ('[[steer]]\nto = ["101"]\npbx = "depot"', "“depot”"),
        ('[steer]\nto = ["101"]', "[[steer]]"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text)
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("text", "weekday", "time", "holds"),
    [
        ("mon-fri 09:00-18:00", 0, "09:00", True),
        ("mon-fri 09:00-18:00", 4, "17:59", True),
        ("mon-fri 09:00-18:00", 4, "18:00", False),
        ("mon-fri 09:00-18:00", 5, "12:00", False),
        ("sat,sun 10:00-24:00", 6, "23:59", True),
        ("9:00-18:00", 6, "12:00", True),
        ("fri-mon 10:00-11:00", 6, "10:30", True),
        ("fri-mon 10:00-11:00", 2, "10:30", False),
        ("fri 22:00-06:00", 4, "23:00", True),
        ("fri 22:00-06:00", 5, "05:59", True),
        ("fri 22:00-06:00", 4, "05:00", False),
        ("sun 22:00-06:00", 0, "01:00", True),
    ],
)
def test_hours_of_a_week(text: str, weekday: int, time: str, holds: bool) -> None:
    hour, minute = map(int, time.split(":"))
    assert within([text], weekday, hour * 60 + minute) is holds
