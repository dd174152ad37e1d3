"""The set-up from outside: what is asked, what is written where, and that all of it comes back."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest

from callme.errors import ConfigError, TroubleError
from tests.setup.playing import BAD, Person, World, played, undone, wish
from tests.setup.trees import DEBIAN, FREEPBX, ISSABEL, SOURCE, contents, grow

PORTAL = "portal.webhook=https://example.invalid/rest/1/hushhush/"
TREES = {
    "freepbx": (FREEPBX, ("etc/freepbx.conf",), "manager_custom.conf"),
    "issabel": (ISSABEL, ("etc/issabel.conf",), "manager_custom.conf"),
    "debian": (DEBIAN, (), "manager.d/callme.conf"),
    "source": (SOURCE, (), "manager.conf"),
}


def configured(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "etc/callme/callme.toml").read_text("utf-8"))


@pytest.mark.parametrize("tree", TREES)
def test_by_script_on_each_kind_of_pbx_and_back_to_the_last_byte(tmp_path: Path, tree: str) -> None:
    files, marks, place = TREES[tree]
    before = grow(tmp_path, files, *marks)
    person, world = Person(), World()
    wanted = wish(tmp_path, PORTAL, "setup.unit=true", hands_off=True)
    assert played(wanted, person, world)
    written = {name for name, text in contents(tmp_path).items() if before.get(name) != text}
    assert {name for name in written if name.startswith("etc/asterisk/")} == {f"etc/asterisk/{place}"}
    (login,) = world.logins
    pbx = configured(tmp_path)["pbx"][0]
    assert (login.username, login.secret) == ("callme", pbx["secret"])
    assert len(login.secret) >= 24
    assert login.secret in (tmp_path / "etc/asterisk" / place).read_text("utf-8")
    assert stat.S_IMODE((tmp_path / "etc/callme/callme.toml").stat().st_mode) == 0o600
    unit = (tmp_path / "etc/systemd/system/callme.service").read_text("utf-8")
    assert "run --config /etc/callme/callme.toml" in unit
    assert not {login.secret, "hushhush"} & set(person.heard.replace("/", " ").replace('"', " ").split())
    once = contents(tmp_path)

    again, world = Person(), World()
    assert played(wish(tmp_path, hands_off=True), again, world)
    assert "Nothing to change." in again.said
    assert contents(tmp_path) == once
    assert world.logins[0].secret == login.secret

    assert undone(wish(tmp_path, hands_off=True), Person(), World())
    assert contents(tmp_path) == before


def test_a_dry_run_shows_and_writes_nothing(tmp_path: Path) -> None:
    before = grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    person = Person()
    assert played(wish(tmp_path, PORTAL, hands_off=True, dry=True), person, World())
    assert "+[callme]" in person.said
    assert "Nothing was written: this was a dry run." in person.said
    assert contents(tmp_path) == before


def test_by_hand_every_file_is_agreed_to_and_a_refusal_leaves_it(tmp_path: Path) -> None:
    before = grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    person = Person(
        {"Write this?": ["no", "no"], "Address of the webhook": ["https://x.invalid/rest/1/abc/"]}
    )
    assert not played(wish(tmp_path), person, World())
    assert person.said.count("Not written.") == 2
    assert contents(tmp_path) == before


def test_by_hand_a_portal_is_tried_until_it_works(tmp_path: Path) -> None:
    grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    person = Person(
        {
            "How does CallMe reach it": ["webhook"],
            "Address of the webhook": [
                "not an address",
                "https://x.invalid/rest/1/first/",
                "https://x.invalid/rest/1/second/",
            ],
        }
    )
    world = World(portal=[BAD])
    assert played(wish(tmp_path), person, world)
    assert configured(tmp_path)["portal"][0]["webhook"].endswith("/second/")
    assert "это не веб-адрес" in person.heard or "it is not a web address" in person.heard
    assert len(world.configs) == 2


def test_an_application_needs_its_three_keys_and_says_what_comes_after(tmp_path: Path) -> None:
    grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    person = Person(
        {
            "How does CallMe reach it": ["application"],
            "The portal": ["example.bitrix24.ru"],
            "Application code": ["local.1"],
            "Application key": ["hushhush"],
        }
    )
    assert played(wish(tmp_path, "service.public_url=https://pbx.example.com"), person, World())
    portal = configured(tmp_path)["portal"][0]
    assert (portal["domain"], portal["client_id"]) == ("example.bitrix24.ru", "local.1")
    assert "https://pbx.example.com/hooks/main/install" in person.heard
    assert "hushhush" not in person.heard


def test_a_pbx_elsewhere_is_told_what_to_paste(tmp_path: Path) -> None:
    person, world = Person(), World()
    wanted = wish(tmp_path, PORTAL, "pbx.host=192.0.2.5", "setup.permit=192.0.2.9", hands_off=True)
    assert played(wanted, person, world)
    pasted = "\n".join(person.said)
    assert "permit = 192.0.2.9/255.255.255.255" in pasted
    assert "channelvars = FROM_DID,MIXMONITOR_FILENAME,VM_MESSAGEFILE,CALLME_VOTE" in pasted
    assert world.logins[0].host == "192.0.2.5"
    assert world.logins[0].secret in pasted  # the one place where it must be seen
    first = configured(tmp_path)
    assert played(
        wish(tmp_path, "setup.permit=192.0.2.9", "setup.ami=new", hands_off=True), Person(), World()
    )
    assert configured(tmp_path) == first


def test_an_existing_user_is_taken_as_he_is(tmp_path: Path) -> None:
    before = grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    sets = ("setup.ami=existing", "pbx.username=gui-user", "pbx.secret_env=AMI_SECRET")
    with pytest.MonkeyPatch.context() as environ:
        environ.setenv("AMI_SECRET", "guisecret")
        world = World()
        assert played(wish(tmp_path, PORTAL, *sets, hands_off=True), Person(), world)
    assert world.logins[0].secret == "guisecret"
    after = contents(tmp_path)
    assert {name: after[name] for name in before if "asterisk/" in name} == {
        name: text for name, text in before.items() if "asterisk/" in name
    }
    assert configured(tmp_path)["pbx"][0]["secret_env"] == "AMI_SECRET"
    assert "guisecret" not in (tmp_path / "etc/callme/callme.toml").read_text("utf-8")


def test_a_taken_name_is_gone_around_unless_it_was_asked_for(tmp_path: Path) -> None:
    files = {**FREEPBX, "manager_additional.conf": b"[callme]\nsecret = theirs\n"}
    grow(tmp_path, files, "etc/freepbx.conf")
    world = World()
    assert played(wish(tmp_path, PORTAL, hands_off=True), Person(), world)
    assert world.logins[0].username == "callme-2"
    other = tmp_path / "other"
    grow(other, files, "etc/freepbx.conf")
    with pytest.raises(ConfigError, match="taken"):
        played(wish(other, PORTAL, "pbx.username=callme", hands_off=True), Person(), World())


def test_what_nobody_said_is_named_with_its_option(tmp_path: Path) -> None:
    grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    with pytest.raises(ConfigError) as told:
        played(wish(tmp_path, hands_off=True), Person(), World())
    assert "--set portal.webhook=" in str(told.value)


def test_a_machine_without_asterisk_must_be_told_where_it_is(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as told:
        played(wish(tmp_path, PORTAL, hands_off=True), Person(), World())
    assert "--set pbx.host=" in str(told.value)


def test_the_portal_can_wait(tmp_path: Path) -> None:
    grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    assert played(wish(tmp_path, "setup.portal=false", hands_off=True), Person(), World())
    assert "portal" not in configured(tmp_path)


def test_a_configuration_of_ones_own_keeps_what_was_not_asked(tmp_path: Path) -> None:
    grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    file = tmp_path / "etc/callme/callme.toml"
    file.parent.mkdir()
    text = (
        '# mine\n[service]\nlisten = "127.0.0.1:9090"\nlanguage = "ru"\n[[pbx]]\nid = "hq"\nsecret = "x"\n'
        '[[portal]]\nid = "sales"\ncrm = "bitrix24"\nwebhook = "https://x.invalid/rest/1/abc/"\n'
        'default_user = 7\nlines."74950000001" = { name = "Sales" }\n'
    )
    file.write_text(text, "utf-8")
    before = contents(tmp_path)
    assert played(wish(tmp_path, "setup.ami=new", hands_off=True), Person(), World())
    now = configured(tmp_path)
    assert (now["service"]["listen"], now["service"]["language"]) == ("127.0.0.1:9090", "ru")
    assert (now["pbx"][0]["id"], now["portal"][0]["id"]) == ("hq", "sales")
    assert now["portal"][0]["lines"] == {"74950000001": {"name": "Sales"}}
    assert undone(wish(tmp_path, hands_off=True), Person(), World())
    assert contents(tmp_path) == before


def test_undo_leaves_what_was_written_around_our_block_and_tells_of_an_edited_configuration(
    tmp_path: Path,
) -> None:
    grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    assert played(wish(tmp_path, PORTAL, hands_off=True), Person(), World())
    custom = tmp_path / "etc/asterisk/manager_custom.conf"
    custom.write_bytes(b"; above\n" + custom.read_bytes() + b"; below\n")
    config = tmp_path / "etc/callme/callme.toml"
    config.write_text(config.read_text("utf-8") + "# mine\n", "utf-8")
    person = Person()
    assert undone(wish(tmp_path, hands_off=True), person, World())
    assert custom.read_bytes() == b"; above\n; below\n"
    assert config.read_text("utf-8").endswith("# mine\n")
    assert "was changed since" in person.heard


def test_undo_finds_blocks_without_the_list_of_what_was_done(tmp_path: Path) -> None:
    grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    assert played(wish(tmp_path, PORTAL, hands_off=True), Person(), World())
    for file in (tmp_path / "etc/callme/.callme-setup").iterdir():
        file.unlink()
    assert undone(wish(tmp_path, hands_off=True), Person(), World())
    assert (tmp_path / "etc/asterisk/manager_custom.conf").read_bytes() == b""


def test_one_way_into_a_crm_is_left_for_another_by_script(tmp_path: Path) -> None:
    grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    assert played(wish(tmp_path, PORTAL, hands_off=True), Person(), World())
    keys = ("domain=example.bitrix24.ru", "client_id=local.1", "client_secret=hush")
    sets = [f"portal.{key}" for key in keys]
    assert played(wish(tmp_path, *sets, hands_off=True), Person(), World())
    (portal,) = configured(tmp_path)["portal"]
    assert portal["client_secret"] == "hush"
    assert "webhook" not in portal


def test_undo_of_nothing_says_so(tmp_path: Path) -> None:
    before = grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    person = Person()
    assert undone(wish(tmp_path), person, World())
    assert "There is nothing of callme setup to take back." in person.said
    assert contents(tmp_path) == before


def test_the_given_console_reloads_asterisk_and_its_failure_is_told(tmp_path: Path) -> None:
    grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    world, person = World(fails=True), Person()
    wanted = wish(tmp_path, PORTAL, hands_off=True, console=("docker", "exec", "pbx", "asterisk"))
    assert not played(wanted, person, world)
    assert world.ran == ["docker exec pbx asterisk -rx 'manager reload'"]
    assert "failed: exit 1" in person.heard
    world = World()
    assert undone(wish(tmp_path, hands_off=True), Person(), world)
    assert world.ran == ["docker exec pbx asterisk -rx 'manager reload'"]


def test_asterisk_files_that_cannot_be_read_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grow(tmp_path, FREEPBX)

    def closed(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", closed)
    with pytest.raises(TroubleError, match=r"manager\w*\.conf cannot be read: Permission denied"):
        played(wish(tmp_path, PORTAL, hands_off=True), Person(), World())


def test_a_packaged_unit_is_used_as_it_is(tmp_path: Path) -> None:
    grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    (tmp_path / "lib/systemd/system").mkdir(parents=True)
    (tmp_path / "lib/systemd/system/callme.service").touch()
    before = contents(tmp_path)
    person = Person()
    assert played(wish(tmp_path, PORTAL, hands_off=True), person, World())
    assert configured(tmp_path)["service"]["data_dir"] == "/var/lib/callme"
    assert not (tmp_path / "etc/systemd").exists()
    assert "systemctl restart callme.service" in person.heard
    person = Person()
    assert undone(wish(tmp_path, hands_off=True), person, World())
    assert "systemctl stop callme.service" in person.heard
    assert contents(tmp_path) == before


def test_variables_of_the_old_scripts_stay_until_they_are_no_longer_wanted(tmp_path: Path) -> None:
    grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    custom = tmp_path / "etc/asterisk/manager_custom.conf"
    for sets, there in (
        (("setup.moving_over=true",), True),
        ((), True),
        (("setup.moving_over=false",), False),
        ((), False),
    ):
        assert played(wish(tmp_path, PORTAL, *sets, hands_off=True), Person(), World())
        assert (b"CallMeCALL_ID" in custom.read_bytes()) is there
        assert b"FROM_DID,MIXMONITOR_FILENAME" in custom.read_bytes()


@pytest.mark.parametrize(
    ("sets", "named"),
    [
        (("pbx.host=192.0.2.5", "setup.permit=office.example.com"), "setup.permit"),
        (("pbx.port=abc",), "pbx.office.port"),
        (("service.listen=nowhere",), "service.listen"),
        (("service.listen=192.0.2.1:8080",), "web_user"),
        (("service.public_url=pbx",), "service.public_url"),
    ],
)
def test_what_cannot_be_used_is_named_before_anything_is_written(
    tmp_path: Path, sets: tuple[str, ...], named: str
) -> None:
    before = grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    with pytest.raises(ConfigError) as told:
        played(wish(tmp_path, PORTAL, *sets, hands_off=True), Person(), World())
    assert named in str(told.value)
    assert contents(tmp_path) == before
