"""`[transcription]`: off unless a way is named, one way at a time, nothing unencrypted to another machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from callme.config import Config, load
from callme.errors import ConfigError
from tests.config.test_steering import SOUND


def loaded(folder: Path, text: str, environ: dict[str, str] | None = None) -> Config:
    file = folder / "callme.toml"
    file.write_text(f"{SOUND}\n[transcription]\n{text}", encoding="utf-8")
    file.chmod(0o600)
    return load(file, environ or {})


def test_off_by_default(tmp_path: Path) -> None:
    speech = loaded(tmp_path, "").transcription
    assert not speech.on
    assert speech.redact


def test_every_key_is_read_and_the_token_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t0ken", encoding="utf-8")
    config = loaded(
        tmp_path,
        "url = 'https://speech.example.com/hear?model=a'\ntoken_file = 'token'\nca = 'ca.pem'\n"
        "language = 'ru'\nmin_talk_s = 10\nredact = false\nparallel = 2\nlimit_s = 60",
    )
    speech = config.transcription
    assert speech.on
    assert speech.token.get_secret_value() == "t0ken"
    assert "t0ken" not in repr(config)
    assert speech.ca == tmp_path / "ca.pem"
    assert (speech.language, speech.min_talk_s, speech.redact) == ("ru", 10, False)
    assert (speech.parallel, speech.limit_s) == (2, 60)


def test_a_command_is_a_list_or_one_text_as_in_the_environment(tmp_path: Path) -> None:
    words = ("whisper", "--to", "{audio}")
    assert loaded(tmp_path, "command = ['whisper', '--to', '{audio}']").transcription.command == words
    environ = {"CALLME_TRANSCRIPTION__COMMAND": "whisper --to '{audio}'"}
    assert loaded(tmp_path, "", environ).transcription.command == words
    assert loaded(tmp_path, "url = 'http://[::1]:9000/hear'").transcription.on


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ("command = ['whisper']", "command", "{audio}"),
        ("command = ['{audio}']", "command", "{audio}"),
        ('command = "whisper \'{audio}"', "command", "quotes"),
        ("command = ['a', '{audio}']\nurl = 'https://a.example'", "url", "one of them"),
        ("url = 'http://speech.example.com/'", "url", "unencrypted"),
        ("url = 'https://anna:secret@speech.example.com/'", "url", "token"),
        ("url = 'speech.example.com'", "url", "https://"),
        ("language = 'Russian'", "language", ""),
        ("parallel = 0", "parallel", ""),
        ("tocken = 'a'", "tocken", "token"),
    ],
)
def test_what_is_wrong_is_named_with_its_cure(tmp_path: Path, text: str, key: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text)
    said = str(caught.value)
    assert f"transcription.{key}" in said
    assert says in said
    assert "anna:secret" not in said
