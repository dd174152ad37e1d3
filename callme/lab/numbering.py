"""The lab's numbering plan and loopback addresses: who can be called, and where everything listens.

Used by the dialplan, the phones and the scenarios. The plan is the one of the recorded traces, so that a
scenario and a trace of the same name tell the same story. Pure: no I/O.
"""

from __future__ import annotations

from dataclasses import dataclass

EXTENSIONS: dict[str, str] = {
    "101": "Anna Petrova",
    "102": "Boris Sidorov",
    "103": "Clara Ivanova",
    "104": "Denis Orlov",
    "105": "Elena Smirnova",
    "106": "Fyodor Kuznetsov",
    "107": "Galina Popova",
    "108": "Ilya Volkov",
}
"""Extension → name. 107 has no telephone registered, 108 has two."""

UNREGISTERED = frozenset({"107"})
SECOND_PHONE = {"108": "118"}
"""Extension → last octet of its second telephone."""

MAILBOXES = frozenset({"104"})
MOBILES = {"105": "79169990105", "106": "79169990106"}
"""Owner's mobile: 106 has follow-me to it, 105 forwards to it when a scenario sets CF/105."""

GROUPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "600": ("ringall", ("101", "102", "103")),
    "601": ("hunt", ("101", "102", "103")),
    "602": ("memoryhunt", ("101", "102", "103")),
    "603": ("ringall", ("101", "79169990106#")),
    "604": ("firstavailable", ("101", "102", "103")),
    "605": ("ringall", ("101", "79169990605#")),
}
"""Ring group → strategy and members; a member with # is an outside number, as FreePBX writes it."""

CONFIRMED = frozenset({"605"})
"""Ring groups whose outside members have to press 1 before the customer is put through."""

QUEUES: dict[str, tuple[str, tuple[str, ...]]] = {
    "700": ("linear", ("104", "105")),
    "701": ("ringall", ("104", "105")),
    "702": ("rrmemory", ("104", "105")),
    "703": ("ringall", ("105",)),
}
QUEUE_LIMIT = {"703": (4, "from-did-direct,104,1")}
"""Queue → how long a customer waits at most (s), and where he goes then."""

CONFERENCE = "800"
PARKING = "70"
OWN_NUMBER = "74950000001"
"""Shown outside by the first trunk; also the DID of extension 101."""

TRUNKS: dict[str, str] = {"trunk-prov": OWN_NUMBER, "trunk-back": "74950000099"}
"""Trunk → the number it shows. The second is tried when the first is out of order."""

DIDS: dict[str, str] = {
    "74950000001": "from-did-direct,101,1",
    "74950000002": "ivr-1,s,1",
    "74950000003": "ext-group,600,1",
    "74950000004": "ext-group,601,1",
    "74950000005": "ext-queues,700,1",
    "74950000006": "timeconditions,1,1",
    "74950000007": "from-did-direct,106,1",
    "74950000008": "from-did-direct,105,1",
    "74950000009": "from-did-direct,104,1",
    "74950000010": "ext-meetme,800,1",
    "74950000011": "ext-group,603,1",
    "74950000012": "ext-queues,701,1",
    "74950000013": "ext-group,602,1",
    "74950000014": "ext-queues,702,1",
    "74950000015": "ext-queues,703,1",
    "74950000016": "ext-group,604,1",
    "74950000017": "ext-group,605,1",
    **{f"74950000{ext}": f"from-did-direct,{ext},1" for ext in EXTENSIONS},
}
"""DID → where FreePBX's inbound route would send it. 74950000101 and so on reach the extension directly."""

ANY_ROUTE = "from-did-direct,101,1"
"""Where the any/any inbound route sends calls with an unknown DID or none."""

SEATS = range(11, 250)
"""Second octets of 127.x.0.0/16: one per running lab PBX."""


@dataclass(frozen=True, slots=True)
class Seat:
    """The loopback addresses of one lab PBX and its telephones: 127.<number>.0.0/24."""

    number: int

    @property
    def pbx(self) -> str:
        """Where Asterisk listens: SIP on 5060, AMI on 5038."""
        return self._host(1)

    def phone(self, name: str) -> str:
        """Address of an extension's telephone, of a second telephone (by its octet), or of a trunk's far
        end."""
        octets = {"trunk-prov": 201, "trunk-back": 202}
        return self._host(octets[name] if name in octets else int(name))

    def phones(self) -> dict[str, str]:
        """Every telephone that can be rung, by name → address; the far ends of the trunks among them."""
        names = [ext for ext in EXTENSIONS if ext not in UNREGISTERED]
        names += [*SECOND_PHONE.values(), *TRUNKS]
        return {name: self.phone(name) for name in names}

    def _host(self, last: int) -> str:
        return f"127.{self.number}.0.{last}"


def person(phone: str) -> str:
    """The extension a telephone belongs to: 118 is the second telephone of 108."""
    return next((ext for ext, second in SECOND_PHONE.items() if second == phone), phone)
