"""Puts a real Asterisk on this machine, in a folder of its own: Debian's packages, unpacked by debootstrap.

`install` is called by the lab before a PBX starts, and by `make` through `callme lab install`. It never
touches an Asterisk of the machine itself. Quick when there is nothing to do.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from callme.errors import TroubleError
from callme.wording import Phrase, plain

Release = Literal["16", "22"]
Progress = Callable[[Phrase], None]

RECIPE = "1"
"""Raised when what is installed changes, so that old folders are made anew."""

STAMP = ".callme-recipe"
PROGRAMS = {
    "debootstrap": "debootstrap",
    "sipp": "sip-tester",
    "unshare": "util-linux",
    "setpriv": "util-linux",
}
"""Program we call → Debian package that brings it."""

DEBOOTSTRAP = Path("/usr/sbin/debootstrap")


class LabError(TroubleError):
    """The lab cannot be set up, started or used on this machine."""


@dataclass(frozen=True, slots=True)
class Suite:
    """Where one Asterisk release comes from in Debian."""

    name: str
    script: str
    packages: tuple[str, ...]


SUITES: dict[Release, Suite] = {
    "16": Suite("bullseye", "sid", ("asterisk", "asterisk-core-sounds-en-wav", "asterisk-voicemail")),
    # Debian 12's debootstrap has no script of this name; the one of sid fits.
    "22": Suite("forky", "sid", ("asterisk", "asterisk-core-sounds-en-wav")),
}


def home() -> Path:
    """Where the lab keeps its Asterisks: $CALLME_LAB_DIR, else ~/.cache/callme/lab."""
    own = os.environ.get("CALLME_LAB_DIR")
    return Path(own) if own else Path.home() / ".cache" / "callme" / "lab"


def tree(release: Release) -> Path:
    """The folder that holds that Asterisk, whether installed or not."""
    return home() / f"asterisk-{release}"


def installed(release: Release) -> bool:
    """True when that Asterisk is complete and of today's recipe."""
    with contextlib.suppress(OSError):
        return (tree(release) / STAMP).read_text("utf-8").strip() == RECIPE
    return False


def as_root() -> list[str]:
    """What goes before a command that needs root: nothing for root, else sudo."""
    return [] if os.geteuid() == 0 else ["sudo", "-n"]


def install(release: Release, progress: Progress) -> Path:
    """Make sure that Asterisk and the programs around it are there; give the folder back.

    Raises LabError with the one thing to do when there is neither root nor sudo, or no way to the packages.
    """
    _need_root()  # to install, and to start what is installed
    missing = sorted({package for program, package in PROGRAMS.items() if shutil.which(program) is None})
    if installed(release) and not missing:
        return tree(release)
    home().mkdir(parents=True, exist_ok=True)
    with _locked(home() / f"asterisk-{release}.lock", progress):
        if missing:
            _packages(missing, progress)
        if not installed(release):
            _unpack(release, progress)
    return tree(release)


def _need_root() -> None:
    if os.geteuid() == 0:
        return
    if shutil.which("sudo") and _run(["sudo", "-n", "true"]).returncode == 0:
        return
    raise LabError(
        Phrase(
            "The lab's Asterisk needs root.",
            "Для Asterisk лаборатории нужны права root.",
        ),
        Phrase(
            "Run the same command as root, or give this user sudo without a password.",
            "Запустите ту же команду от root или разрешите этому пользователю sudo без пароля.",
        ),
    )


@contextlib.contextmanager
def _locked(path: Path, progress: Progress) -> Iterator[None]:
    """One installation at a time: a second one waits, then finds everything there."""
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress(
                Phrase("Another installation is running; waiting for it.", "Идёт другая установка; ждём её.")
            )
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _packages(packages: list[str], progress: Progress) -> None:
    progress(
        Phrase("Installing Debian packages: {names}", "Ставим пакеты Debian: {names}").given(
            names=" ".join(packages)
        )
    )
    wait = ["-o", "DPkg::Lock::Timeout=300"]
    environment = [*as_root(), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", *wait]
    command = [*environment, "install", "-y", "-q", "--no-install-recommends", *packages]
    done = _run(command)
    if done.returncode:
        _run([*environment, "update", "-q"])
        done = _run(command)
    if done.returncode:
        raise _no_packages(done.stdout)


def _unpack(release: Release, progress: Progress) -> None:
    """debootstrap into NAME.part, then rename: a folder under its final name is always whole."""
    suite = SUITES[release]
    part = tree(release).with_suffix(".part")
    said = ""
    for mirror in dict.fromkeys(filter(None, [_mirror(), _default_mirror()])):
        _erase(part)
        progress(
            Phrase(
                "Unpacking Asterisk {release} (Debian {suite}, about 500 MB, a minute or two)",
                "Распаковываем Asterisk {release} (Debian {suite}, около 500 МБ, минута-две)",
            ).given(release=release, suite=suite.name)
        )
        failed, said = _debootstrap(suite, part, mirror, progress)
        if not failed:
            break
    else:
        _erase(part)
        raise _no_packages(said)
    _finish(part)
    _erase(tree(release))
    _check([*as_root(), "mv", str(part), str(tree(release))])
    progress(Phrase("Asterisk {release} is ready.", "Asterisk {release} готов.").given(release=release))


def _debootstrap(suite: Suite, part: Path, mirror: str, progress: Progress) -> tuple[bool, str]:
    script = f"/usr/share/debootstrap/scripts/{suite.script}"
    command = [*as_root(), "env", *_proxy(), "debootstrap", "--variant=minbase"]
    command += [f"--include={','.join(suite.packages)}", suite.name, str(part), mirror, script]
    lines: list[str] = []
    stages = {"I: Retrieving Release": 0, "I: Extracting": 0, "I: Configuring": 0}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None  # noqa: S101  PIPE was asked for
        for line in process.stdout:
            lines.append(line.rstrip())
            for stage in stages:
                if line.startswith(stage):
                    stages[stage] += 1
                    if stages[stage] % 60 == 1:
                        progress(plain(line.rstrip()))
    return process.returncode != 0, "\n".join(lines[-4:])


def _finish(part: Path) -> None:
    """No service may start by itself inside; downloaded archives go; instances get a folder; then the
    stamp."""
    policy = "#!/bin/sh\nexit 101\n"
    script = (
        'cd "$1" && printf "%s" "$2" > usr/sbin/policy-rc.d && chmod 755 usr/sbin/policy-rc.d'
        " && rm -rf var/cache/apt/archives/*.deb && mkdir -p srv/callme"
        ' && chown "$3" srv/callme && printf "%s\\n" "$4" > "$5"'
    )
    owner = f"{os.getuid()}:{os.getgid()}"
    _check([*as_root(), "sh", "-c", script, "sh", str(part), policy, owner, RECIPE, STAMP])


def _mirror() -> str:
    """The Debian mirror that apt uses on this machine; empty where it tells none."""
    try:
        targets = _run(["apt-get", "indextargets", "--format", "$(ORIGIN)|$(SITE)", "Created-By: Packages"])
    except FileNotFoundError:
        return ""
    sites = [line.split("|", 1)[1] for line in targets.stdout.splitlines() if line.startswith("Debian|")]
    return next((site for site in sites if site.rstrip("/").endswith("/debian")), "")


def _default_mirror() -> str:
    """The mirror that debootstrap takes by itself; it has to be named when a suite's script is."""
    with contextlib.suppress(OSError):
        found = re.search(r'^DEF_MIRROR="([^"]+)"', DEBOOTSTRAP.read_text("utf-8"), re.MULTILINE)
        return found[1] if found else ""
    return ""


def _proxy() -> list[str]:
    """apt's own proxy for debootstrap, which reads the environment alone."""
    if os.environ.get("http_proxy"):
        return [f"http_proxy={os.environ['http_proxy']}"]
    try:
        dump = _run(["apt-config", "dump", "--format", "%f=%v%n", "Acquire::http::Proxy"]).stdout
    except FileNotFoundError:
        return []
    values = [
        line.partition("=")[2].strip()
        for line in dump.splitlines()
        if line.startswith("Acquire::http::Proxy=")
    ]
    return [f"http_proxy={value}" for value in values if value and value != "DIRECT"]


def _erase(folder: Path) -> None:
    if folder.exists():
        _check([*as_root(), "rm", "-rf", "--one-file-system", str(folder)])


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def _check(command: list[str]) -> None:
    done = _run(command)
    if done.returncode:
        raise LabError(
            Phrase("{what} failed: {said}", "Не удалось выполнить {what}: {said}").given(
                what=command[0] if command[0] != "sudo" else command[2], said=done.stdout.strip()
            )
        )


def _no_packages(said: str) -> LabError:
    return LabError(
        Phrase(
            "The Debian packages for the lab could not be fetched: {said}",
            "Не удалось получить пакеты Debian для лаборатории: {said}",
        ).given(said=said.strip()[-400:]),
        Phrase(
            "Check that this machine reaches its Debian mirror (apt-get update), then run the same command.",
            "Проверьте, что машине доступно её зеркало Debian (apt-get update), и повторите команду.",
        ),
    )
