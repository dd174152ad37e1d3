"""Hooks for a FreePBX dialplan, as texts: optional, each explained, none of them needed for calls to be told.

`callme routing --hooks` prints them and the set-up wizard lays them in as pieces. Each replaces exactly one
priority of an inbound route, the first, does again what stood there, and goes on at the second: a hook with
more priorities would put others of the route out of work (sheet freepbx §1.2, §1.7). They use Gosub and
Return alone, which FreePBX 13–16 (whose own dialplan is made of Macro) and 17 (of Gosub) both know. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from callme.setup.pieces import Piece
from callme.wording import Phrase

FILE = "extensions_custom.conf"

RELOAD = "dialplan reload"


@dataclass(frozen=True, slots=True)
class Hook:
    """One hook. `text` is for the end of `FILE`; `about` says what it does, `price` what it costs."""

    name: str
    about: Phrase
    price: Phrase
    text: str = field(repr=False)  # holds the key

    def piece(self, folder: Path) -> Piece:
        """The hook as a block for that folder's file."""
        return Piece(folder / FILE, self.name, self.text, self.about)


@dataclass(frozen=True, slots=True)
class LookupSource:
    """What to fill in at Admin → CallerID Lookup Sources (type HTTP) in FreePBX's pages; then it is chosen in
    the inbound routes. No dialplan is touched."""

    host: str
    port: int
    path: str
    query: str
    username: str
    password: str = field(repr=False)


SKIPS_VOICEMAIL = "originate-skipvm"
"""FreePBX's own context (13–17) in which no voicemail answers for an employee (sheet freepbx §5.1)."""

RING_CONTEXT = """\
[callme-ring]
; an employee's extension; where he does not take the call it goes to CALLME_THEN, else begins its route anew
exten => _X.,1,Set(CALLME_RING=${IF($["${CALLME_RING}" = ""]?20:${CALLME_RING})})
 same => n,Dial(Local/${EXTEN}@originate-skipvm/n,${CALLME_RING})
 same => n,GotoIf($["${CALLME_THEN}" != ""]?${CALLME_THEN})
 same => n,Goto(from-pstn,${IF($["${FROM_DID}" = ""]?s:${FROM_DID})},1)
"""

ENTRY = """\
[ext-did-custom]
; every number that is called; with an exact number instead of the pattern, that one alone
exten => _[+0-9].,1,Gosub(callme-in,s,1(${EXTEN}))
"""

SUB = """\
[callme-in]
exten => s,1,Set(__FROM_DID=${{ARG1}})
; where "Disallow transfer features for inbound callers" is on, take the first ";" of the next line away
; same => n,Set(__DIRECTION=INBOUND)
 same => n,Set(CALLME_EXTEN=)
 same => n,Set(CALLME_THEN=)
 same => n,Set(CALLME_RING=20)
{ask} same => n,GotoIf($["${{CALLME_EXTEN}}" = ""]?back)
 same => n,Set(CDR(did)=${{ARG1}})
 same => n,Dial(Local/${{CALLME_EXTEN}}@originate-skipvm/n,${{CALLME_RING}})
 same => n,GotoIf($["${{CALLME_THEN}}" != ""]?${{CALLME_THEN}})
 same => n(back),Return()
"""

RING_ABOUT = Phrase(
    "for the lookup source: rings the employee and takes the call back at once when he is busy or declines",
    "для источника имени: звонит сотруднику и сразу забирает звонок, если тот занят или отклонил",
)
RING_PRICE = Phrase(
    "none: a context of its own, which nothing else uses; without it a call that an employee declines may "
    "end there",
    "никакой: собственный контекст, которым больше ничто не пользуется; без него звонок, отклонённый "
    "сотрудником, может на этом закончиться",
)
AGI_ABOUT = Phrase(
    "asks CallMe over FastAGI who calls: sets the caller's name and goes to the employee",
    "спрашивает CallMe по FastAGI, кто звонит: ставит имя и переводит на сотрудника",
)
AGI_PRICE = Phrase(
    "a call that goes to an employee passes the inbound route by: its recording and music settings do not "
    "count for it; Asterisk waits for an answer without a limit of its own",
    "звонок, ушедший сотруднику, минует входящий маршрут: его запись и музыка на такой звонок не действуют; "
    "собственного предела ожидания ответа у Asterisk нет",
)
CURL_ABOUT = Phrase(
    "asks CallMe over HTTP for the extension and goes there; the caller's name is set from outside",
    "спрашивает у CallMe по HTTP внутренний номер и переводит туда; имя ставится снаружи",
)
CURL_PRICE = Phrase(
    "a call that goes to an employee passes the inbound route by: its recording and music settings do not "
    "count for it; without an answer the call goes on after 2 s",
    "звонок, ушедший сотруднику, минует входящий маршрут: его запись и музыка на такой звонок не действуют; "
    "без ответа звонок идёт дальше через 2 с",
)


def lookup_source(pbx: str, host: str, port: int, key: str) -> LookupSource:
    """The way without any dialplan. `${UNIQUEID}` and `${FROM_DID}` are taken over into the dialplan as they
    stand; FreePBX 13 and 14 know no placeholder for them."""
    query = "number=[NUMBER]&uniqueid=${UNIQUEID}&did=${FROM_DID}"
    return LookupSource(host, port, f"lookup/{pbx}", query, "callme", key)


def ring() -> Hook:
    """The context in which the lookup source's calls ring. It hooks into nothing."""
    return Hook("callme-ring", RING_ABOUT, RING_PRICE, RING_CONTEXT)


def agi(pbx: str, address: str, key: str) -> Hook:
    """The hook that asks over FastAGI; `address` is host:port."""
    ask = f" same => n,AGI(agi://{address}/{pbx},{key},${{ARG1}})\n"
    return Hook("callme-in", AGI_ABOUT, AGI_PRICE, ENTRY + SUB.format(ask=ask))


def curl(pbx: str, base: str, key: str) -> Hook:
    """The hook that asks over HTTP; `base` is how the PBX reaches our pages, such as http://127.0.0.1:8080."""
    query = (
        f"key={key}&number=${{URIENCODE(${{CALLERID(num)}})}}&uniqueid=${{UNIQUEID}}"
        "&did=${URIENCODE(${ARG1})}"
    )
    ask = (
        " same => n,Set(CURLOPT(conntimeout)=1)\n"
        " same => n,Set(CURLOPT(httptimeout)=2)\n"
        f" same => n,Set(CALLME_EXTEN=${{CURL({base.rstrip('/')}/lookup/{pbx}/extension?{query})}})\n"
        ' same => n,ExecIf($[${REGEX("^[0-9]{2,10}$" ${CALLME_EXTEN})} = 0]?Set(CALLME_EXTEN=))\n'
    )
    return Hook("callme-in", CURL_ABOUT, CURL_PRICE, ENTRY + SUB.format(ask=ask))
