"""The lab's telephones: SIPp processes at their own loopback addresses, and the one log of what they see and
do.

`play` tells them what to do and listens; nothing here knows a scenario. Telephones that can be rung run as
long as the lab; a telephone that calls is a process of its own for that call. All die with this process.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
import os
import socket
import struct
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from callme.lab import sipp
from callme.lab.asterisk import LabError
from callme.lab.numbering import Seat
from callme.lab.sipp import Outgoing
from callme.wording import Phrase, plain

READY_S = 20.0
RATE = 8000
_NO_MATTER = ("The following events occurred", "remote control socket")

PROVIDER_LEGS = {"trunk-prov": "prov", "trunk-back": "back"}
"""A trunk's far end → its name in the log."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that a telephone saw or did."""

    at: float
    """Epoch seconds."""
    leg: str
    what: str
    """call, invite, shown (its display: the From header), answer, answered, cancel, sendcancel, refuse,
    failed, hold, unhold, refer, notified, key, gotkey, sendbye, gotbye."""
    call: str
    """SIP Call-ID: which of the telephone's calls."""
    detail: str = ""

    @classmethod
    def read(cls, line: str) -> Seen:
        """One line of the log, as `sipp` writes it."""
        seconds, micros, leg, what, call, *detail = line.split(" ", 5)
        return cls(float(seconds) + float(micros) / 1e6, leg, what, call, detail[0] if detail else "")


def frequency(phone: str) -> int:
    """The tone of a telephone in Hz, by which a recording can be checked for who is in it: 101 → 410, 102 →
    420…; callers and far ends send 1000 Hz."""
    return 400 + 10 * (int(phone) - 100) if len(phone) == 3 and phone.isdigit() else 1000


def tone(hertz: int, seconds: float = 1.0) -> bytes:
    """A sine in A-law, whole periods, so that it can be repeated without a click."""
    count = int(RATE * seconds)
    return bytes(_alaw(int(8000 * math.sin(2 * math.pi * hertz * n / RATE))) for n in range(count))


class Phones:
    """All telephones of one lab PBX."""

    def __init__(self, seat: Seat, folder: Path, on_seen: Callable[[Seen], None]) -> None:
        self._seat, self._folder, self._on_seen = seat, folder, on_seen
        self._processes: list[asyncio.subprocess.Process] = []
        self._numbers = itertools.count(10)
        self._at: dict[str, tuple[str, int]] = {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._pipe = -1
        self._pending = b""
        self.log: list[Seen] = []

    async def start(self) -> None:
        """Start every telephone that can be rung and wait until all listen."""
        self._folder.mkdir(parents=True, exist_ok=True)
        fifo = self._folder / "seen"
        with contextlib.suppress(FileExistsError):
            os.mkfifo(fifo, 0o600)
        self._pipe = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
        asyncio.get_running_loop().add_reader(self._pipe, self._read)
        phones = self._seat.phones()
        for phone, address in phones.items():
            leg = PROVIDER_LEGS.get(phone, phone)
            await self._run(leg, sipp.rung(leg, str(self._tone(phone))), address, 5060)
        waiting = set(phones.values())
        async with _limit(READY_S, "telephones"):
            while waiting := waiting - _listening():  # noqa: ASYNC110  only the kernel's table tells
                await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """End all telephones."""
        for process in self._processes:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
        await asyncio.gather(*(process.wait() for process in self._processes))
        self._processes.clear()
        if self._pipe >= 0:
            asyncio.get_running_loop().remove_reader(self._pipe)
            os.close(self._pipe)
            self._pipe = -1
        self._socket.close()

    async def dial(self, phone: str, call: Outgoing) -> None:
        """Let a telephone (an extension, or a trunk's far end) call through the PBX."""
        address = self._seat.phone(phone)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
            port = probe.getsockname()[1]
        text = sipp.calling(call, self._seat.pbx, str(self._tone(phone)))
        ident = f"{call.leg}@{address}"
        self._at[call.leg] = (address, port)
        sound = 20000 + 10 * (next(self._numbers) % 2000)  # SIPp tries a hundred ports from here on
        more = ["-m", "1", "-mp", str(sound), "-cid_str", f"%u-%p-{port}@%s", f"{self._seat.pbx}:5060"]
        await self._run(ident, text, address, port, *more)

    def tell(self, seen: Seen, do: str, arg: str = "-") -> None:
        """Tell the telephone of that log line, within that call, what to do (`sipp` lists the words)."""
        number = next(self._numbers)
        address = self._at.get(seen.leg) or (self._address(seen.leg), 5060)
        lines = [
            f"MESSAGE sip:{seen.leg}@{address[0]} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKlab{number}",
            "From: <sip:lab@127.0.0.1>;tag=lab",
            f"To: <sip:{seen.leg}@{address[0]}>",
            f"Call-ID: {seen.call}",
            f"CSeq: {number} MESSAGE",
            f"X-Do: {do}",
            f"X-Seq: {number}",
            f"X-Arg: {arg}",
            "Content-Length: 0",
        ]
        self._socket.sendto(("\r\n".join(lines) + "\r\n\r\n").encode(), address)

    def errors(self) -> str:
        """What SIPp complained about, for a failed play."""
        texts = [path.read_text("utf-8", "replace") for path in sorted(self._folder.glob("*.err"))]
        lines = [
            line for text in texts for line in text.splitlines() if line and not line.startswith(_NO_MATTER)
        ]
        return "\n".join(line for line in lines if "remote control socket" not in line)[-2000:]

    def _address(self, leg: str) -> str:
        trunk = next((name for name, short in PROVIDER_LEGS.items() if short == leg), leg)
        return self._seat.phone(trunk)

    def _tone(self, phone: str) -> Path:
        hertz = frequency(phone)
        path = self._folder / f"{hertz}.al"
        if not path.exists():
            path.write_bytes(tone(hertz))
        return path

    async def _run(self, ident: str, scenario: str, address: str, port: int, *more: str) -> None:
        xml = self._folder / f"{ident}-{port}.xml"
        xml.write_text(scenario, "utf-8")
        options = {
            "-sf": str(xml),
            "-i": address,
            "-mi": address,
            "-ci": address,  # its control port would else be open on every interface
            "-p": str(port),
            "-log_file": str(self._folder / "seen"),
            "-log_overwrite": "false",
            "-error_file": str(xml.with_suffix(".err")),
        }
        command = [
            "setpriv",
            "--pdeathsig",
            "KILL",
            "sipp",
            "-nostdin",
            "-skip_rlimit",
            "-trace_logs",
            "-trace_err",
        ]
        command += [word for option in options.items() for word in option]
        process = await asyncio.create_subprocess_exec(
            *command, *more, cwd=self._folder, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._processes.append(process)

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._pending += os.read(self._pipe, 1 << 16)
        *lines, self._pending = self._pending.split(b"\n")
        for line in lines:
            if line.strip():
                seen = Seen.read(line.decode("utf-8", "replace").strip())
                self.log.append(seen)
                self._on_seen(seen)


def far_end(leg: str) -> bool:
    """True for the log name of a trunk's far end."""
    return leg in PROVIDER_LEGS.values()


@contextlib.asynccontextmanager
async def _limit(seconds: float, what: str):  # type: ignore[no-untyped-def]
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise LabError(
            Phrase(
                "The lab's {what} were not ready within {s} s.", "{what} лаборатории не готовы за {s} с."
            ).given(what=plain(what), s=int(seconds))
        ) from error


def _listening() -> set[str]:
    """Addresses on which somebody has opened UDP port 5060, as the kernel tells."""
    found = set()
    for line in Path("/proc/net/udp").read_text("ascii").splitlines()[1:]:
        address, _, port = line.split()[1].partition(":")
        if int(port, 16) == 5060:
            found.add(socket.inet_ntoa(struct.pack("<I", int(address, 16))))
    return found


def _alaw(sample: int) -> int:
    """ITU-T G.711 A-law of a 16-bit sample."""
    sign = 0x80 if sample >= 0 else 0
    value = min(sample if sample >= 0 else -sample - 1, 32635) >> 4
    if value < 32:
        code = value >> 1
    else:
        exponent = value.bit_length() - 5
        code = (exponent << 4) | ((value >> exponent) & 0x0F)
    return (sign | code) ^ 0x55
