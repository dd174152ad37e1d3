"""The durable middle of the river: calls, open states, lanes, deliveries and attempts in one database."""

from callme.store.reading import (
    AttemptRow,
    Backlog,
    CallFilter,
    CallStory,
    Counts,
    DeliveryRow,
    Page,
    Reading,
)
from callme.store.river import Anomaly, Resume, StepWrite
from callme.store.sqlite import Store, open_reading, open_store

__all__ = [
    "Anomaly",
    "AttemptRow",
    "Backlog",
    "CallFilter",
    "CallStory",
    "Counts",
    "DeliveryRow",
    "Page",
    "Reading",
    "Resume",
    "StepWrite",
    "Store",
    "open_reading",
    "open_store",
]
