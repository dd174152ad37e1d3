"""What a person with a configuration file sees: a sound `Config`, or everything that is wrong with it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from callme.config import Config, load
from callme.errors import ConfigError

SOUND = """
[service]
listen = "127.0.0.1:8080"
data_dir = "var"

[[pbx]]
id = "office"
secret = "hunter2"

[[portal]]
id = "main"
crm = "some"
webhook = "https://crm.example.com/rest/1/hunter3/"
default_user = 1
"""


def _written(folder: Path, text: str, mode: int = 0o600) -> Path:
    file = folder / "callme.toml"
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    return file


def _refused(folder: Path, text: str, environ: dict[str, str] | None = None) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(_written(folder, text), environ or {})
    return caught.value


def test_a_sound_file_gives_every_default_of_the_design(tmp_path: Path) -> None:
    config = load(_written(tmp_path, SOUND), {})
    pbx = config.pbx[0]
    assert (pbx.host, pbx.port, pbx.tls, pbx.username) == ("127.0.0.1", 5038, False, "callme")
    assert pbx.secret.get_secret_value() == "hunter2"
    assert pbx.recordings_on_pbx == "/var/spool/asterisk/monitor"
    assert (pbx.trunks, pbx.extensions, pbx.click_to_call) == ((), (), None)
    assert (config.service.language, config.service.country) == ("ru", "RU")
    assert (config.service.host, config.service.port) == ("127.0.0.1", 8080)
    assert config.service.data_dir == tmp_path / "var", "relative to the file, not to where we were started"
    portal = config.portal[0]
    assert (portal.id, portal.crm) == ("main", "some")
    assert portal.settings == {"webhook": "https://crm.example.com/rest/1/hunter3/", "default_user": 1}


def test_files_of_a_pbx_are_relative_to_the_configuration_and_its_secrets_are_shown_nowhere(
    tmp_path: Path,
) -> None:
    (tmp_path / "password").write_text("monitor-password\n")
    more = "recordings = 'sftp://callme@pbx.example.com:2222/var/spool/asterisk/monitor'\n"
    more += "recordings_ssh_key = 'id'\nrecordings_ca = '/etc/ca.pem'\n"
    more += "recordings_password_file = 'password'\nrecordings_token_env = 'TOKEN'\n"
    config = load(_written(tmp_path, PBX + more), {"TOKEN": "monitor-token"})
    pbx = config.pbx[0]
    assert pbx.recordings_ssh_key == tmp_path / "id"
    assert pbx.recordings_ca == Path("/etc/ca.pem")
    assert pbx.recordings_password.get_secret_value() == "monitor-password"
    assert pbx.recordings_token.get_secret_value() == "monitor-token"
    assert "monitor-" not in repr(config)


def test_the_example_file_is_sound_once_its_secrets_are_filled_in(tmp_path: Path) -> None:
    example = (Path(__file__).parents[2] / "callme.example.toml").read_text(encoding="utf-8")
    load(
        _written(tmp_path, example), {"CALLME_PBX__office__SECRET": "s", "CALLME_PORTAL__main__WEBHOOK": "w"}
    )
    lines = example.splitlines()
    start = lines.index("# [[route]]")
    uncommented = [
        line.removeprefix("# ") if at >= start and re.match(r"# (\[|\w+ = )", line) else line
        for at, line in enumerate(lines)
    ]
    whole = load(_written(tmp_path, "\n".join(uncommented)), {"CALLME_PBX__office__SECRET": "s"})
    assert whole.route[0].line == "74950000001"
    assert whole.steer[0].to == ("last", "responsible", "105")
    assert not whole.routing.open


def test_shadow_mode_is_a_key_of_any_portal_and_not_of_its_crm(tmp_path: Path) -> None:
    portal = load(_written(tmp_path, SOUND + "shadow = true\n"), {}).portal[0]
    assert portal.shadow
    assert "shadow" not in portal.settings
    assert not load(_written(tmp_path, SOUND), {}).portal[0].shadow


def test_no_repr_shows_a_secret(tmp_path: Path) -> None:
    config = load(
        _written(tmp_path, SOUND),
        {"CALLME_SERVICE__WEB_USER": "a", "CALLME_SERVICE__WEB_PASSWORD": "hunter4"},
    )
    assert "hunter" not in repr(config)
    assert "hunter" not in str(config)


# -------------------------------------------------------------------------------------------- bad inputs
PBX = '[[pbx]]\nid = "office"\nsecret = "s"\n'

BAD = [
    # (text, key as it is named, English words, Russian words)
    ("[serv]\n" + PBX, "serv:", "did you mean `service`?", "возможно, имелось в виду `service`?"),
    ("[service]\nlisen = 'x'\n" + PBX, "service.lisen:", "`listen`", "`listen`"),
    (
        "[service]\nzzz = 1\n" + PBX,
        "service.zzz:",
        "known here: calls_days, country, data_dir",
        "здесь бывают: calls_days, country",
    ),
    ("[service]\nlisten = '8080'\n" + PBX, "service.listen:", "not host:port", "не адрес:порт"),
    ("[service]\nlisten = '127.0.0.1:99999'\n" + PBX, "service.listen:", "not host:port", "не адрес:порт"),
    ("[service]\nlisten = '::1:80'\n" + PBX, "service.listen:", "not host:port", "не адрес:порт"),
    (
        "[service]\nlisten = '0.0.0.0:80'\n" + PBX,
        "service.listen:",
        "web_user and web_password",
        "web_user и web_password",
    ),
    ("[service]\nweb_user = 'a'\n" + PBX, "service.web_password:", "belong together", "задаются вместе"),
    ("[service]\npublic_url = 'pbx.example.com'\n" + PBX, "service.public_url:", "web address", "веб-адрес"),
    ("[service]\nlanguage = 'de'\n" + PBX, "service.language:", "'ru', 'en'", "выберите"),
    ("[service]\ncountry = 'Russia'\n" + PBX, "service.country:", "two-letter", "двухбуквенный"),
    (
        "[service]\ndatabase = 'postgresql://u:hunter2@h/d'\n" + PBX,
        "service.database:",
        "only SQLite is supported",
        "только SQLite",
    ),
    (PBX + "port = 'x'\n", "pbx.office.port:", "whole number", "целое число"),
    (PBX + "port = 0\n", "pbx.office.port:", "the least is 1", "наименьшее значение — 1"),
    (PBX + "port = 70000\n", "pbx.office.port:", "the most is 65535", "наибольшее значение — 65535"),
    (PBX + "tls = 'maybe'\n", "pbx.office.tls:", "true or false", "true или false"),
    (PBX + "trunks = 7\n", "pbx.office.trunks:", "list of texts", "список строк"),
    ("[service]\nmp3_kbit = 30\n" + PBX, "service.mp3_kbit:", "a multiple of 8", "делиться на 8"),
    (
        PBX + "recordings = 'ftp://pbx/monitor'\n",
        "pbx.office.recordings:",
        "cannot be fetched by “ftp”",
        "нельзя забирать по «ftp»",
    ),
    (
        PBX + "recordings = 'http://pbx.example.com/monitor'\n",
        "pbx.office.recordings:",
        "cannot be fetched by “http”",
        "sftp://… или https://…",
    ),
    (
        PBX + "voicemail = 'sftp://callme:hunter2@pbx/voicemail'\n",
        "pbx.office.voicemail:",
        "does not belong into an address",
        "не место в адресе",
    ),
    (PBX + "recordings = 'https://'\n", "pbx.office.recordings:", "address of a folder", "адрес папки"),
    (
        PBX + "recordings = 'sftp://-oProxy/x'\n",
        "pbx.office.recordings:",
        "address of a folder",
        "адрес папки",
    ),
    (PBX + "secert = 'hunter2'\n", "pbx.office.secert:", "`secret`", "`secret`"),
    (PBX + "secret_file = 'f'\n", "pbx.office.secret_file:", "given twice", "дважды"),
    *(
        (
            PBX + f"click_to_call.lines.74950000001 = {{ variables = {variables} }}\n",
            "pbx.office.click_to_call.lines.74950000001.variables:",
            "cannot be set so on a channel",
            "это задать нельзя",
        )
        for variables in ("{ 'A=B' = '1' }", "{ A = '1,B=2' }", '{ A = "1\\r\\nAction: Command" }')
    ),
    (PBX + "click_to_call = 5\n", "pbx.office.click_to_call:", "a table of keys", "таблица ключей"),
    (
        PBX + "click_to_call = { contxt = 'a' }\n",
        "pbx.office.click_to_call.contxt:",
        "`context`",
        "`context`",
    ),
    ("[[pbx]]\nid = 'office'\n", "pbx.office.secret:", "`secret_file`", "`secret_env`"),
    (
        "[[pbx]]\nid = 'office'\nsecret = ''\n",
        "pbx.office.secret:",
        "must not be empty",
        "не может быть пустым",
    ),
    ("[[pbx]]\nid = 'o'\nsecret_env = 'NONE'\n", "pbx.o.secret_env:", "NONE is not set", "NONE не задана"),
    (
        "[[pbx]]\nid = 'o'\nsecret_file = 'gone'\n",
        "pbx.o.secret_file:",
        "cannot be read",
        "не удаётся прочитать",
    ),
    ("[[pbx]]\nsecret = 's'\n", "pbx[1].id:", "it is missing", "не задано"),
    (
        "[[pbx]]\nid = 'My Office'\nsecret = 's'\n",
        "pbx.My Office.id:",
        "small Latin letters",
        "строчные латинские",
    ),
    ("[pbx]\nid = 'office'\n", "pbx:", "[[pbx]]", "[[pbx]]"),
    ("", "pbx:", "no PBX is configured", "не задана ни одна АТС"),
    (PBX + PBX, "pbx.office:", "more than once", "больше одного раза"),
    (PBX + "[[portal]]\nid = 'main'\n", "portal.main.crm:", "it is missing", "не задано"),
    (
        PBX + "[[portal]]\nid = 'main'\ncrm = 'a b'\n",
        "portal.main.crm:",
        "not the name of a CRM",
        "не название CRM",
    ),
    (PBX + "[[route]]\nportal = 'x'\n", "route[1].portal:", "no portal with the id “x”", "нет portal"),
    (
        PBX + "[[portal]]\nid='m'\ncrm='c'\n[[route]]\nportal = 'm'\npbx = 'ofice'\n",
        "route[1].pbx:",
        "known ids: office",
        "известные идентификаторы: office",
    ),
    (
        PBX + "[[portal]]\nid='m'\ncrm='c'\n[[route]]\nportal = 'm'\nline = 7495\n",
        "route[1].line:",
        "in quotes",
        "в кавычки",
    ),
    (
        PBX + "[[portal]]\nid='a'\ncrm='c'\n[[portal]]\nid='b'\ncrm='c'\n",
        "route:",
        "several portals",
        "порталов несколько",
    ),
    ("[[pbx]\n", "line 1, column 6", "not TOML", "не TOML"),
]


@pytest.mark.parametrize(
    ("text", "key", "english", "russian"), BAD, ids=[f"{at}-{bad[1]}" for at, bad in enumerate(BAD)]
)
def test_bad_input_names_key_and_cure_in_both_languages(
    tmp_path: Path, text: str, key: str, english: str, russian: str
) -> None:
    error = _refused(tmp_path, text)
    assert key in error.say("en")
    assert english in error.say("en")
    assert russian in error.say("ru")
    assert "hunter2" not in error.say("en") + error.say("ru") + repr(error)
    assert "callme.toml" in error.say("en")


def test_several_problems_are_told_together_each_with_its_cure(tmp_path: Path) -> None:
    error = _refused(tmp_path, "[service]\nlisten = 'x'\n[[pbx]]\nid = 'o'\nport = 'a'\n")
    said = error.say("en")
    assert "3 things to put right" in said
    assert said.count("→") == 3
    assert "service.listen" in said
    assert "pbx.o.port" in said
    assert "pbx.o.secret" in said


def test_a_missing_file_is_named_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "none.toml", {})
    assert "none.toml" in str(caught.value)
    assert "callme setup" in str(caught.value)


def test_a_folder_or_other_bytes_in_place_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path, {})
    (tmp_path / "x.toml").write_bytes(b"\xff\xfe[")
    with pytest.raises(ConfigError, match="UTF-8"):
        load(tmp_path / "x.toml", {})


# -------------------------------------------------------------------------------- who may read the file
def test_a_file_with_secrets_that_everyone_may_read_is_warned_about(tmp_path: Path) -> None:
    config = load(_written(tmp_path, SOUND, 0o644), {})
    assert [warning.cure.say() for warning in config.warnings if warning.cure] == [f"chmod 600 {config.path}"]
    assert load(_written(tmp_path, SOUND, 0o640), {}).warnings == ()


def test_a_public_file_whose_secrets_stand_elsewhere_is_fine(tmp_path: Path) -> None:
    text = "[[pbx]]\nid = 'office'\nsecret_env = 'AMI'\n"
    assert load(_written(tmp_path, text, 0o644), {"AMI": "s"}).warnings == ()


# -------------------------------------------------------------------------------------------- the environment
def _with(folder: Path, **environ: str) -> Config:
    return load(_written(folder, SOUND), environ)


def test_every_kind_of_key_can_come_from_the_environment(tmp_path: Path) -> None:
    config = _with(
        tmp_path,
        CALLME_SERVICE__LISTEN="127.0.0.1:9",
        CALLME_PBX__office__PORT="5039",
        CALLME_PBX__OFFICE__TLS="true",
        CALLME_PBX__office__TRUNKS="PJSIP/a-*, PJSIP/b-*",
        CALLME_PBX__office__CLICK_TO_CALL__CONTEXT="out",
        CALLME_PORTAL__main__WEBHOOK="https://other/",
        CALLME_ROUTE__1__PORTAL="main",
    )
    pbx = config.pbx[0]
    assert config.service.port == 9
    assert (pbx.port, pbx.tls, pbx.trunks) == (5039, True, ("PJSIP/a-*", "PJSIP/b-*"))
    assert pbx.click_to_call is not None
    assert pbx.click_to_call.context == "out"
    assert config.portal[0].settings["webhook"] == "https://other/"
    assert config.route[0].portal == "main"


def test_the_environment_outranks_a_value_that_the_file_keeps_elsewhere(tmp_path: Path) -> None:
    text = SOUND.replace('secret = "hunter2"', 'secret_file = "gone"')
    config = load(_written(tmp_path, text), {"CALLME_PBX__office__SECRET": "new"})
    assert config.pbx[0].secret.get_secret_value() == "new"


def test_secrets_may_stand_in_files_and_variables_in_any_section(tmp_path: Path) -> None:
    (tmp_path / "ami").write_text("from-file\n", encoding="utf-8")
    text = SOUND.replace('secret = "hunter2"', 'secret_file = "ami"').replace(
        'webhook = "', 'webhook_env = "HOOK" #'
    )
    config = load(_written(tmp_path, text), {"HOOK": "from-env"})
    assert config.pbx[0].secret.get_secret_value() == "from-file"
    assert config.portal[0].settings == {"webhook": "from-env", "default_user": 1}


def test_the_environment_alone_is_enough() -> None:
    config = load(None, {"CALLME_PBX__HEAD_OFFICE__SECRET": "s", "CALLME_PORTAL__main__CRM": "some"})
    assert config.pbx[0].id == "head-office"
    assert config.portal[0].crm == "some"


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("CALLME_PBX__ofice__PORT", "office"),
        ("CALLME_SERVICE_LISTEN", "two underscores"),
        ("CALLME_PBX__SECRET", "two underscores"),
        ("CALLME_ROUTE__5__LINE", "counted from 1"),
        ("CALLME_SERVICE__LISEN", "`listen`"),
    ],
)
def test_a_variable_that_names_nothing_is_an_error(tmp_path: Path, name: str, cure: str) -> None:
    error = _refused(tmp_path, SOUND, {name: "1"})
    assert cure in str(error)


def test_other_variables_of_ours_are_left_alone(tmp_path: Path) -> None:
    assert _with(tmp_path, CALLME_CONFIG="x", CALLME_LAB_DIR="y").pbx[0].id == "office"


PEOPLE = """
[service]
web_user = "admin"
web_password = "long enough"
[[pbx]]
id = "office"
secret = "x"
[[person]]
id = "leo"
password = "leo-secret"
role = "listen"
"""


def test_people_come_in_beside_who_manages(tmp_path: Path) -> None:
    file = tmp_path / "callme.toml"
    file.write_text(PEOPLE, encoding="utf-8")
    file.chmod(0o600)
    (leo,) = load(file, {}).person
    assert (leo.id, leo.role) == ("leo", "listen")
    assert load(file, {"CALLME_PERSON__LEO__ROLE": "look"}).person[0].role == "look"
    assert "leo-secret" not in repr(leo)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('web_user = "admin"\nweb_password = "long enough"', "", "set [service] web_user and web_password"),
        ('role = "listen"', 'role = "boss"', "person.leo.role"),
        ('id = "leo"', 'id = "admin"', "person.admin"),
        ('password = "leo-secret"', 'password = "short"', "person.leo.password"),
    ],
)
def test_people_that_cannot_be(tmp_path: Path, before: str, after: str, said: str) -> None:
    file = tmp_path / "callme.toml"
    file.write_text(PEOPLE.replace(before, after), encoding="utf-8")
    file.chmod(0o600)
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    assert said in caught.value.say("en")
    assert "leo-secret" not in caught.value.say("en")
