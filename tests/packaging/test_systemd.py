"""The package under a real systemd: a Debian 12 booted beside this machine. The unit starts, says that it is
ready, is watched, comes back after a crash and a standstill, is fenced in, and leaves nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from callme.setup import unit
from tests.packaging.booted import Booted, CannotBootError
from tests.packaging.debian import Debian, ran

UNIT = unit.NAME
WAIT_S = 40.0
CONFIG = """\
[service]
listen = "127.0.0.1:8099"
data_dir = "/var/lib/callme"
language = "en"
[[pbx]]
id = "office"
port = 9
secret = "not-so-secret-here"
"""
ASK = (
    "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:8099/healthz', timeout=5).status)"
)
QUICK = "[Service]\nWatchdogSec=4\n"


def until(ask: Callable[[], Any], what: str) -> Any:
    """The first true answer."""
    deadline = time.monotonic() + WAIT_S
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"not seen: {what}"
        time.sleep(0.1)
    return answer


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, deb: Path) -> Debian:
    """A Debian with systemd, not booted."""
    debian = Debian(tmp_path_factory.mktemp("systemd") / "root", "systemd", "systemd-sysv", "dbus")
    debian.take(deb)
    return debian


@pytest.fixture(scope="module")
def machine(house: Debian) -> Iterator[Booted | str]:
    """The machine, or what refused to let it be one."""
    try:
        booted = Booted(house.root)
        booted.__enter__()
    except CannotBootError as error:
        yield str(error)
        return
    try:
        yield booted
    finally:
        booted.__exit__()


def again(machine: Booted, before: str, restarts: int) -> str:
    """The new main process, once the unit is up again after that many restarts."""

    def new() -> str:
        shown = machine.shown(UNIT, "MainPID", "ActiveState", "NRestarts")
        back = shown["ActiveState"] == "active" and shown["MainPID"] not in ("0", before)
        return shown["MainPID"] if back and int(shown["NRestarts"]) == restarts else ""

    return str(until(new, f"{UNIT} is up again; {machine.journal()}"))


def serves(machine: Booted) -> bool:
    """Whether its pages answer."""
    return machine.run("python3", "-c", ASK, check=False).startswith("200")


@pytest.mark.long
def test_under_systemd(house: Debian, machine: Booted | str, capsys: pytest.CaptureFixture[str]) -> None:
    if isinstance(machine, str):  # then the unit is at least one that systemd of that Debian takes
        with capsys.disabled():
            print(f"\nno systemd could be booted here, its unit was only verified: {machine}")
        house.run("dpkg", "-i", "/callme.deb")
        house.run("systemd-analyze", "verify", "--man=no", UNIT)
        return
    before = house.files()
    assert "Next: callme setup" in machine.run("dpkg", "-i", "/callme.deb")
    idle = machine.shown(UNIT, "ActiveState", "UnitFileState", "ConditionResult")
    assert idle == {"ActiveState": "inactive", "UnitFileState": "enabled", "ConditionResult": "no"}

    machine.run("sh", "-c", "umask 077; cat >/etc/callme/callme.toml", text=CONFIG)
    machine.run("chown", "callme:callme", "/etc/callme/callme.toml")
    machine.run("systemctl", "start", UNIT)  # of Type=notify: it comes back when the service says READY
    assert serves(machine)
    pid = _started(machine)
    pid = _watched(machine, pid)
    pid = _crashes(machine, pid)
    _upgraded(machine, pid)
    _set_up(machine)

    machine.run("systemctl", "stop", UNIT)
    stopped = machine.shown(UNIT, "ActiveState", "Result", "ExecMainStatus")
    assert stopped == {"ActiveState": "inactive", "Result": "success", "ExecMainStatus": "0"}
    machine.run("systemctl", "start", UNIT)
    machine.run("rm", "-r", f"/run/systemd/system/{UNIT}.d")
    machine.run("dpkg", "-r", "callme")
    assert machine.run("systemctl", "is-active", UNIT, check=False).strip() == "inactive"
    assert (house.root / "etc/callme/callme.toml").exists()
    machine.run("dpkg", "-P", "callme")
    assert house.files() == before
    assert "callme" not in machine.run("getent", "passwd")
    assert "could not be found" in machine.run("systemctl", "status", UNIT, check=False)


def _started(machine: Booted) -> str:
    """It runs as its own user, without any right that it does not need."""
    wanted = ("Type", "MainPID", "User", "NRestarts", "WatchdogUSec", "NotifyAccess")
    shown = machine.shown(UNIT, *wanted)
    pid = shown.pop("MainPID")
    assert shown == {
        "Type": "notify",
        "User": "callme",
        "NRestarts": "0",
        "WatchdogUSec": "1min",
        "NotifyAccess": "main",
    }
    told = machine.run("cat", f"/proc/{pid}/status").splitlines()
    status = dict(line.split(":\t", 1) for line in told if ":\t" in line)
    assert int(status["Uid"].split()[0]) > 0
    assert (int(status["CapEff"], 16), int(status["CapBnd"], 16)) == (0, 0)
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    mounts = [line.split() for line in machine.run("cat", f"/proc/{pid}/mountinfo").splitlines()]
    modes = {mount[4]: mount[5].split(",")[0] for mount in mounts}
    assert (modes["/"], modes["/var/lib/callme"]) == ("ro", "rw")
    return pid


def _watched(machine: Booted, pid: str) -> str:
    """It tells systemd that it lives; when it stands still, systemd starts it anew."""
    machine.run("mkdir", "-p", f"/run/systemd/system/{UNIT}.d")
    machine.run("sh", "-c", f"cat >/run/systemd/system/{UNIT}.d/quick.conf", text=QUICK)
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", UNIT)
    first = machine.shown(UNIT, "WatchdogTimestampMonotonic", "MainPID")
    assert first["MainPID"] != pid
    until(
        lambda: (
            machine.shown(UNIT, "WatchdogTimestampMonotonic", "MainPID")
            != first | {"WatchdogTimestampMonotonic": first["WatchdogTimestampMonotonic"]}
        ),
        "a sign of life",
    )
    time.sleep(6)  # longer than the watchdog waits
    assert machine.shown(UNIT, "MainPID", "NRestarts") == {"MainPID": first["MainPID"], "NRestarts": "0"}
    _sent(machine, "STOP")
    back = again(machine, first["MainPID"], 1)
    assert "Watchdog timeout" in machine.journal()
    assert serves(machine)
    return back


def _sent(machine: Booted, signal: str) -> None:
    """A signal to the service's own process."""
    machine.run("systemctl", "kill", f"--signal={signal}", "--kill-whom=main", UNIT)


def _crashes(machine: Booted, pid: str) -> str:
    _sent(machine, "KILL")
    back = again(machine, pid, 2)
    assert serves(machine)
    return back


def _upgraded(machine: Booted, pid: str) -> None:
    """The package laid over itself starts the running service anew."""
    machine.run("dpkg", "-i", "/callme.deb")
    again(machine, pid, 0)
    until(lambda: serves(machine), "its pages after the upgrade")


def _set_up(machine: Booted) -> None:
    """`callme setup` writes the configuration and starts the packaged service anew with it; `--undo` gives
    the old one back. There is no PBX here, which it says."""
    said = {
        "setup.ami": "existing",
        "pbx.host": "127.0.0.1",
        "pbx.port": "19",
        "pbx.recordings": "",
        "setup.portal": "false",
    }
    sets = [word for key, value in said.items() for word in ("--set", f"{key}={value}")]
    pid = machine.shown(UNIT, "MainPID")["MainPID"]
    told = machine.run("callme", "setup", "--yes", *sets, check=False)
    assert f"systemctl restart {UNIT}" in told
    assert "not-so-secret-here" not in told
    again(machine, pid, 0)
    until(lambda: serves(machine), "its pages after the set-up")
    _unreadable(machine)
    told = machine.run("callme", "setup", "--yes", "--undo", check=False)
    assert machine.run("cat", "/etc/callme/callme.toml") == CONFIG, told
    owner = machine.run("stat", "--format=%U %a", "/etc/callme/callme.toml").strip()
    assert owner == "callme 600"


def _unreadable(machine: Booted) -> None:
    """The doctor, started by root, sees what the service's own account may not read, and his cure helps."""
    day = "/srv/monitor/2026/03/05"
    machine.run("mkdir", "-p", day)
    machine.run("addgroup", "--quiet", "listeners")
    machine.run("sh", "-c", f"echo >{day}/in-1-2-20260305-100000-1.wav; chgrp -R listeners /srv/monitor")
    machine.run("chmod", "-R", "u=rwX,g=rX,o=", "/srv/monitor")
    ask = ("env", "CALLME_PBX__office__RECORDINGS=/srv/monitor", "callme", "check", "--json")

    def found() -> dict[str, str]:
        findings = json.loads(machine.run(*ask, check=False))["findings"]
        return next(one for one in findings if one["topic"].startswith("Recordings"))

    closed = found()
    assert closed["found"] == "/srv/monitor cannot be read by the service, which runs as callme"
    machine.run("sh", "-c", closed["cure"])
    assert found()["found"] == "/srv/monitor can be read"
    machine.run("rm", "-r", "/srv/monitor")
    machine.run("delgroup", "--quiet", "listeners")


@pytest.mark.long
def test_the_fence_is_known_to_that_systemd(house: Debian) -> None:
    """No line of the unit is unknown to Debian 12's systemd: it would be passed over in silence."""
    file = house.root / "tmp" / UNIT
    text = unit.packaged().replace("/usr/bin/callme", "/bin/true").replace("User=callme", "User=nobody")
    file.write_text(text, encoding="utf-8")
    assert "Unknown" not in house.run("sh", "-c", f"systemd-analyze verify --man=no /tmp/{UNIT} 2>&1")
    assert ran("sh", "-c", f"rm {file}") == ""
