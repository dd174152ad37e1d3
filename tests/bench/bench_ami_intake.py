"""How many AMI events a second one core frames, filters and parses.

`python -m tests.bench.bench_ami_intake [TRACE]`. The goal is 150 000 events/s read and filtered (docs:
numbers). Run by hand; no test asserts a time.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from callme.pbx.ami.session import AmiSettings, Events, Session, Stage

TRACE = Path(__file__).parent.parent / "transcripts" / "plain16" / "in_ivr_hangup.ami"
CHUNK = 65536
BYTES = 100_000_000
DROPPED = (b"Event: VarSet", b"Event: Newexten", b"Event: TestEvent", b"Event: RTCP", b"Event: CEL")


def main() -> None:
    trace = Path(sys.argv[1]) if len(sys.argv) > 1 else TRACE
    data = trace.read_bytes()
    stream = data * (BYTES // len(data) + 1)
    events = stream.count(b"\nEvent: ") + stream.startswith(b"Event: ")
    settings = AmiSettings(host="127.0.0.1", port=5038, username="bench", secret="")
    session = Session(
        settings, keep=lambda raw: not raw.startswith(DROPPED), private=True, nonce="bench", now=0.0
    )
    session.receive(b"Asterisk Call Manager/5.0.5\r\n", 0.0)
    session.receive(b"Response: Success\r\nActionID: callme-bench-1\r\nChallenge: 1\r\n\r\n", 0.0)
    session.receive(b"Response: Success\r\nActionID: callme-bench-2\r\n\r\n", 0.0)
    assert session.stage is Stage.UP
    kept = 0
    began = time.process_time()
    for start in range(0, len(stream), CHUNK):
        for happening in session.receive(stream[start : start + CHUNK], 0.0):
            if isinstance(happening, Events):
                kept += len(happening.messages)
    spent = time.process_time() - began
    print(
        f"{trace.name}: {events} events, {len(stream) / 1e6:.0f} MB, {kept} kept; "
        f"{events / spent:,.0f} events/s, {len(stream) / spent / 1e6:.0f} MB/s, "
        f"{spent / events * 1e6:.2f} µs of one core per event"
    )


if __name__ == "__main__":
    main()
