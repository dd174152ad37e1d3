"""The configuration: one TOML file, any key of which the environment may override.

`load` reads it for the command line and the service and either gives a `Config` that is sound, or one
`ConfigError` that names everything to put right. A portal's own keys pass through as a raw table;
`portals/<crm>/settings` validates them and reports with the same `Problem` and `refusal`.

The environment: `CALLME_<SECTION>__<KEY>`, with the entry's id (for routes and steers its number from 1)
between them where a section has several: `CALLME_SERVICE__LISTEN`, `CALLME_PBX__office__SECRET`,
`CALLME_PORTAL__main__WEBHOOK`, `CALLME_ROUTE__1__LINE`, `CALLME_PBX__office__CLICK_TO_CALL__CONTEXT`.
Letters' case does not matter, `_` in an id stands for `-` too, lists are separated by commas, words of a
command by spaces. `<key>_file` and `<key>_env` in any section name a file or an environment variable that
holds the value.
"""

from callme.config.forms import is_loopback
from callme.config.people import KeepBack, Person, Role
from callme.config.problems import Problem, refusal
from callme.config.reading import judge, load, raw
from callme.config.shape import ClickToCall, Config, Pbx, PortalTable, Route, Service
from callme.config.steering import Routing, Steer
from callme.config.transcription import Transcription

__all__ = [
    "ClickToCall",
    "Config",
    "KeepBack",
    "Pbx",
    "Person",
    "PortalTable",
    "Problem",
    "Role",
    "Route",
    "Routing",
    "Service",
    "Steer",
    "Transcription",
    "is_loopback",
    "judge",
    "load",
    "raw",
    "refusal",
]
