"""What `/metrics` shows. Counted where it happens, read by nobody but Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """The service's counters; also delivery's `Tally`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._facts = Counter("callme_facts", "Facts taken from a PBX", ["pbx"], registry=self.registry)
        self._calls = Counter(
            "callme_calls", "Calls that ended", ["pbx", "direction", "disposition"], registry=self.registry
        )
        self._open = Gauge("callme_open_calls", "Calls that go on", ["pbx"], registry=self.registry)
        self._anomalies = Counter(
            "callme_anomalies",
            "Observations the model did not expect",
            ["pbx", "what"],
            registry=self.registry,
        )
        self._unrouted = Counter(
            "callme_unrouted_calls", "Calls that no route sends to a portal", ["pbx"], registry=self.registry
        )
        self._untold = Counter(
            "callme_transcript_troubles",
            "Times that the transcript could not be written",
            ["pbx"],
            registry=self.registry,
        )
        self._lookups = Counter(
            "callme_lookups", "Callers that a PBX asked about", ["pbx", "outcome"], registry=self.registry
        )
        self._lookup_took = Histogram(
            "callme_lookup_seconds", "How long a PBX waited for us", ["pbx"], registry=self.registry
        )
        self._link = Gauge("callme_pbx_up", "1 while the PBX link is up", ["pbx"], registry=self.registry)
        self._attempts = Counter(
            "callme_attempts", "Requests to portals", ["portal", "kind", "outcome"], registry=self.registry
        )
        self._took = Histogram(
            "callme_attempt_seconds", "How long an attempt took", ["portal", "kind"], registry=self.registry
        )
        self._waiting = Gauge(
            "callme_waiting_lanes", "Lanes ready or at work", ["portal"], registry=self.registry
        )
        self._paused = Gauge("callme_portal_paused", "1 while paused", ["portal"], registry=self.registry)

    # -------------------------------------------------------------------------------- the river
    def took(self, pbx: str, facts: int) -> None:
        """So many facts were taken in."""
        self._facts.labels(pbx).inc(facts)

    def ended(self, pbx: str, direction: str, disposition: str) -> None:
        """A call ended."""
        self._calls.labels(pbx, direction, disposition).inc()

    def open_calls(self, pbx: str, count: int) -> None:
        """So many calls go on."""
        self._open.labels(pbx).set(count)

    def odd(self, pbx: str, what: str) -> None:
        """An anomaly."""
        self._anomalies.labels(pbx, what).inc()

    def unrouted(self, pbx: str) -> None:
        """A call that goes to no portal."""
        self._unrouted.labels(pbx).inc()

    def transcript_trouble(self, pbx: str) -> None:
        """The transcript could not be written; called from its own thread."""
        self._untold.labels(pbx).inc()

    def looked_up(self, pbx: str, outcome: str, seconds: float) -> None:
        """A caller was looked up for the PBX: `sent` to an employee, `ordinary` route, or too `late`."""
        self._lookups.labels(pbx, outcome).inc()
        self._lookup_took.labels(pbx).observe(seconds)

    def link(self, pbx: str, up: bool) -> None:
        """The link went up or down."""
        self._link.labels(pbx).set(up)

    # ------------------------------------------------------------------------- delivery's tally
    def attempted(self, portal: str, kind: str, outcome: str, seconds: float) -> None:
        """One attempt ended so, after so long."""
        self._attempts.labels(portal, kind, outcome).inc()
        self._took.labels(portal, kind).observe(seconds)

    def waiting(self, portal: str, lanes: int) -> None:
        """So many lanes are ready or at work."""
        self._waiting.labels(portal).set(lanes)

    def paused(self, portal: str, yes: bool) -> None:
        """The portal was paused or goes on."""
        self._paused.labels(portal).set(yes)
