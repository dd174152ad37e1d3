"""The systemd unit of the service: not root, fenced in, started again whatever happens, watched. Pure.

Its log goes to the journal, which turns over by itself: no logrotate is needed. The watchdog is fed by
`service.pulse`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

NAME = "callme.service"
PATH = Path("/etc/systemd/system") / NAME
USER = "callme"
STATE = Path("/var/lib/callme")
WATCHDOG_S = 60


@dataclass(frozen=True, slots=True)
class Unit:
    """What the unit depends on. `data` is where the service writes, `groups` are further groups of its user
    (Asterisk's, to read recordings), `beside` units that should be up first, `recordings` a folder that it
    reads. `packaged`: the text is the Debian package's own, not the set-up's."""

    programme: Path
    config: Path
    user: str = USER
    data: Path = STATE
    groups: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    packaged: bool = False


def text(unit: Unit) -> str:
    """The file's text."""
    after = " ".join(("network-online.target", *unit.beside))
    lines = [
        *([] if unit.packaged else ['# Written by "callme setup", taken back by "callme setup --undo".']),
        f"# Changes of your own belong into {PATH}.d/override.conf (systemctl edit callme).",
        "[Unit]",
        "Description=CallMe: phone calls told to the CRM",
        *([f"ConditionPathExists={unit.config}"] if unit.packaged else []),
        "Wants=network-online.target",
        f"After={after}",
        "# However often it fails, it is tried again: calls that nobody watches are lost to the CRM.",
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
        "Type=notify",
        "NotifyAccess=main",
        f"ExecStart={_quoted(unit.programme)} run --config {_quoted(unit.config)}",
        f"User={unit.user}",
        *([f"SupplementaryGroups={' '.join(unit.groups)}"] if unit.groups else []),
        "Restart=always",
        "RestartSec=2",
        f"WatchdogSec={WATCHDOG_S}",
        "TimeoutStopSec=30",
        "UMask=0027",
        *_folders(unit),
        "",
        "# It opens connections, writes its own folder, starts ffmpeg. Nothing else.",
        *_FENCE,
        f"ProtectHome={'read-only' if _at_home(unit) else 'yes'}",
        "",
        "[Install]",
        "WantedBy=multi-user.target",
    ]
    return "\n".join(lines) + "\n"


def packaged() -> str:
    """The unit that the Debian package brings (packaging/deb/build.sh)."""
    programme, config = Path("/usr/bin/callme"), Path("/etc/callme/callme.toml")
    beside = ("asterisk.service", "freepbx.service")
    return text(Unit(programme, config, beside=beside, packaged=True))


def _folders(unit: Unit) -> list[str]:
    """The folder it writes: made by systemd where it is a usual one."""
    if unit.data.parent == Path("/var/lib"):
        return [f"StateDirectory={unit.data.name}", "StateDirectoryMode=0750"]
    return [f"ReadWritePaths={_quoted(unit.data)}"]


_FENCE = (
    "NoNewPrivileges=yes",
    "ProtectSystem=strict",
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelLogs=yes",
    "ProtectControlGroups=yes",
    "ProtectClock=yes",
    "ProtectHostname=yes",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "LockPersonality=yes",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "SystemCallErrorNumber=EPERM",
    "CapabilityBoundingSet=",
    "AmbientCapabilities=",
)


def _at_home(unit: Unit) -> bool:
    """Whether what it needs lies in somebody's home, which the fence would otherwise hide."""
    return any(
        path.is_relative_to(home)
        for path in (unit.programme, unit.config, unit.data)
        for home in (Path("/home"), Path("/root"), Path("/run/user"))
    )


def _quoted(path: Path) -> str:
    """A path as a unit file takes it: `%` begins a specifier there, blanks end a word."""
    shown = str(path).replace("\\", "\\\\").replace("%", "%%").replace('"', '\\"')
    return f'"{shown}"' if " " in shown else shown
