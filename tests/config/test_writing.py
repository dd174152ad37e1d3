"""The `[[pbx]]` table that a lab gives for callme.toml."""

from __future__ import annotations

import tomllib

from callme.config.writing import toml


def test_the_fragment_reads_back_as_what_it_was() -> None:
    table: dict[str, object] = {
        "id": "office",
        "port": 5038,
        "tls": False,
        "secret": 'a"b\\c',
        "trunks": ["PJSIP/trunk-*"],
        "click_to_call": {"context": "from-internal"},
    }
    assert tomllib.loads(toml(table)) == {"pbx": [table]}
