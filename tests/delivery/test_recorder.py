"""What one attempt asked and was answered."""

from __future__ import annotations

from callme.crm.port import Exchange
from callme.delivery.recorder import EXCHANGES_MAX, Recorder


def test_exchanges_are_kept_in_order_and_not_without_end() -> None:
    recorder = Recorder()
    for number in range(EXCHANGES_MAX + 5):
        recorder.note(f"ask {number}", "yes")
    assert recorder.exchanges[0] == Exchange("ask 0", "yes")
    assert recorder.exchanges[-1] == Exchange(f"ask {EXCHANGES_MAX - 1}", "yes")


def test_what_comes_after_the_attempt_is_not_its_own() -> None:
    recorder = Recorder()
    recorder.note("ask", "yes")
    kept = recorder.exchanges
    recorder.note("late", "yes")
    assert kept == (Exchange("ask", "yes"),)
