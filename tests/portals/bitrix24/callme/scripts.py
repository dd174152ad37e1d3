"""An installation of the old scripts, written anew from what is known of them: keys, names of contexts and
variables, the order of their steps. Used by the tests of this folder and by the live one.
"""

from __future__ import annotations

from pathlib import Path

WEBHOOK = "https://example.bitrix24.ru/rest/7/w3bh00ks3cr3t/"
TOKEN = "t0k3n0fth30utg01ngw3bh00k"
PASSWORD = "am1p4ssw0rd"
SECRETS = ("w3bh00ks3cr3t", TOKEN, PASSWORD)


def config_php(
    *,
    webhook: str = WEBHOOK,
    token: str = TOKEN,
    host: str = "127.0.0.1",
    port: int = 5038,
    username: str = "callme",
    password: str = PASSWORD,
    lines: tuple[str, ...] = ("74950000001", "s"),
    more: str = "",
) -> str:
    """The configuration as CallMePlus ships it."""
    numbers = ", ".join(f"'{line}'" for line in lines)
    return f"""<?php
return array(
    'CallMeDEBUG' => 1, // 1: write the log
    'LogPath' => '/var/log/callmeplus-php.log',
    'tech' => 'PJSIP',
    'authToken' => '{token}', # of the outgoing webhook
    'bitrixApiUrl' => '{webhook}',
    'extentions' => array({numbers}), /* the numbers outside,
                                         one by one */
    'context' => 'from-internal',
    'asterisk' => array(
        'host' => '{host}',
        'scheme' => 'tcp://',
        'port' => {port},
        'username' => '{username}',
        'secret' => '{password}',
        'connect_timeout' => 10000,
        'read_timeout' => 10000,
    ),
    'listener_timeout' => 300,
{more}
);
"""


def dialplan(records: str = "/var/www/html/callme/records", url: str = "http://127.0.0.1/callmeplus/") -> str:
    """The article's extensions_custom.conf: the recording, the hook of incoming calls, the one of outgoing
    calls with its report to `CallMeOut.php`."""
    text = Path(__file__).with_name("article.conf").read_text(encoding="utf-8")
    return text.replace("@RECORDS@", records).replace("@URL@", url)


OWN_CONTEXTS = Path(__file__).with_name("own_contexts.conf").read_text(encoding="utf-8")
"""The first version's outgoing context, through which the calls themselves are dialled, and a context that
has nothing to do with the scripts."""
