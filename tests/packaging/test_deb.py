"""The Debian package, as somebody meets it: built here, installed on a bare Debian 12, run, and removed.

No systemd runs in that Debian: `test_systemd` boots another one.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from callme.setup import unit
from tests.packaging.debian import PACKAGING, Debian, ran

CONFIG = """
[service]
listen = "127.0.0.1:8099"
data_dir = "/var/lib/callme"
language = "en"
[[pbx]]
id = "office"
port = 9
secret = "not-so-secret-here"
"""
SERVES = """
import subprocess, sys, time, urllib.request
service = subprocess.Popen(["callme", "run", "--config", "/etc/callme/callme.toml"])
try:
    for _ in range(200):
        try:
            print(urllib.request.urlopen("http://127.0.0.1:8099/healthz", timeout=5).status)
            break
        except OSError:
            time.sleep(0.1)
finally:
    service.terminate()
sys.exit(service.wait(20))
"""


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory, deb: Path) -> Debian:
    """With the package beside it, not installed."""
    debian = Debian(tmp_path_factory.mktemp("debian") / "root")
    debian.take(deb)
    return debian


@pytest.mark.long
def test_installs_serves_and_leaves_nothing(debian: Debian) -> None:
    before = debian.files()
    said = debian.run("dpkg", "-i", "/callme.deb")
    assert "Next: callme setup" in said
    assert re.match(r"(callme )?\d+\.\d+", debian.run("callme", "version", user="callme:callme").lower())

    config = debian.root / "etc" / "callme" / "callme.toml"
    config.write_text(CONFIG, encoding="utf-8")
    debian.run("chown", "callme:callme", "/etc/callme/callme.toml")
    debian.run("chmod", "600", "/etc/callme/callme.toml")
    assert debian.run("python3", "-", user="callme:callme", text=SERVES).startswith("200")
    assert list((debian.root / "var" / "lib" / "callme").glob("*.db"))

    debian.run("dpkg", "-r", "callme")
    assert config.exists()
    debian.run("dpkg", "-P", "callme")
    assert debian.files() == before
    assert "callme" not in debian.run("getent", "passwd")


@pytest.mark.long
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    """With a program and a user that this machine has."""
    file = tmp_path / "callme.service"
    text = unit.packaged().replace("/usr/bin/callme", "/bin/true").replace("User=callme", "User=nobody")
    file.write_text(text, encoding="utf-8")
    ran("systemd-analyze", "verify", "--man=no", str(file))
    exposed = ran("systemd-analyze", "security", "--offline=true", str(file))
    level = re.search(r"exposure level for callme.service: (\d+\.\d+)", exposed)
    assert level is not None
    assert float(level[1]) < 2.5, exposed


@pytest.mark.parametrize("script", ["build.sh", "postinst", "prerm", "postrm"])
def test_the_scripts_are_sound_shell(script: str) -> None:
    ran("sh", "-n", str(PACKAGING / "deb" / script))


def test_the_unit_starts_what_the_package_brings() -> None:
    build = (PACKAGING / "deb" / "build.sh").read_text(encoding="utf-8")
    assert "ExecStart=/usr/bin/callme run --config /etc/callme/callme.toml" in unit.packaged()
    assert '"$root/usr/bin/callme"' in build
    assert "callme setup" not in unit.packaged()
