"""SIPp scenarios of the lab's telephones: one that is rung, one that calls, with the same talk in both.

A telephone does nothing of its own accord but keep the protocol; what it shall do next (answer, refuse, hang
up, hold, transfer, press a key) it is told from outside by a SIP MESSAGE inside the call, headers `X-Do`,
`X-Seq` and `X-Arg`. Each thing it sees or does is one log line, `SECONDS MICROSECONDS LEG WHAT CALL-ID
DETAIL…`: the truth about the call. Pure: values in, text out; `phones` starts the processes.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import escape

REASONS = {"403": "Forbidden", "404": "Not Found", "480": "Temporarily Unavailable", "486": "Busy Here",
           "500": "Server Error", "503": "Service Unavailable", "603": "Decline"}  # fmt: skip
"""Codes with which a rung telephone can refuse."""

FAILURES = ("400", "401", "403", "404", "408", "480", "481", "484", "486", "488", "500", "503", "600", "603")
"""Answers that end a calling telephone's attempt; 487 follows its own CANCEL."""

_VIA = "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK[pid]x[call_number]s"
_CONTACT = "Contact: <sip:lab@[local_ip]:[local_port]>"
_TAG = "tag=[pid]t[call_number]"
_POLITE = ("UPDATE", "OPTIONS")
_EMPTY = "Content-Length: 0"
_TO_INVITE = "Via: [$via]\nFrom: [$remote]\nTo: [$to];" + _TAG + "\nCall-ID: [call_id]\nCSeq: [$cseq]"
_TO_LAST = "[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What a calling telephone dials, and as whom."""

    leg: str
    number: str
    caller: str
    name: str = ""
    anonymous: bool = False
    """Withhold the number, as a provider tells it: From anonymous, Privacy: id."""


def rung(leg: str, tone: str) -> str:
    """Scenario of a telephone that waits to be rung, any number of times. `tone`: file of A-law sound it
    sends."""
    return _scenario(
        '<recv request="INVITE"><action>',
        '<ereg regexp="sips?:([^@;&gt; ]*)" search_in="msg" assign_to="hash,did"/>',
        '<ereg regexp="sip:([^@;&gt; ]*)" search_in="hdr" header="From:" assign_to="hash,from"/>',
        *(_keep(header, name) for header, name in
          (("Via:", "via"), ("From:", "remote"), ("To:", "to"), ("CSeq:", "cseq"))),
        _keep_target(),
        _note(leg, "invite", "[$did] [$from]"),
        _note(leg, "shown", "[$remote]"),
        "</action></recv>",
        _send(f"SIP/2.0 180 Ringing\n{_TO_INVITE}\n{_CONTACT}\n{_EMPTY}"),
        '<recv request="CANCEL" optional="true" next="cancelled">',
        f'<action>{_note(leg, "cancel")}</action></recv>',
        _listen(timeout=True),
        *(_branch(code, f"refuse{code}") for code in REASONS),
        _send(f"SIP/2.0 200 OK\n{_TO_INVITE}\n{_CONTACT}\n{_sdp('sendrecv')}", retrans=True),
        f'<recv request="ACK"><action>{_play(tone)}{_note(leg, "answer")}</action></recv>',
        _talk(leg, tone, f"[$to];{_TAG}", "[$remote]"),
        '<label id="cancelled"/>',
        _send(f"SIP/2.0 200 OK\n{_TO_LAST}\n{_EMPTY}"),
        _send(f"SIP/2.0 487 Request Terminated\n{_TO_INVITE}\n{_EMPTY}", retrans=True),
        '<recv request="ACK" next="over"/>',
        *(_refusal(leg, code, reason) for code, reason in REASONS.items()),
        _over(),
    )  # fmt: skip


def calling(call: Outgoing, pbx: str, tone: str) -> str:
    """Scenario of a telephone that makes one call through the PBX at that address."""
    user = "anonymous" if call.anonymous else call.caller
    display = f'"{call.name}" ' if call.name else ""
    local = f"{display}<sip:{user}@[local_ip]>;{_TAG}"
    privacy = "\nPrivacy: id" if call.anonymous else ""  # a provider tells a customer's PBX nothing more
    uri = f"sip:{call.number}@{pbx}:5060"
    head = f"{_VIA}i\nMax-Forwards: 70\nFrom: {local}\nTo: <{uri}>\nCall-ID: [call_id]\nCSeq: 1 "
    answered = head.replace(f"To: <{uri}>", "[last_To:]")
    return _scenario(
        _log(call.leg, "call", f"{call.number} {call.caller}"),
        _send(f"INVITE {uri} SIP/2.0\n{head}INVITE\n{_CONTACT}{privacy}\n{_sdp('sendrecv')}", retrans=True),
        '<label id="calling"/>',
        '<recv response="100" optional="true" next="calling"/>',
        '<recv response="180" optional="true" next="calling"/>',
        '<recv response="183" optional="true" next="calling"/>',
        *(f'<recv response="{code}" optional="true" next="failed"><action>{_note(call.leg, "failed", code)}'
          "</action></recv>" for code in FAILURES),
        '<recv request="MESSAGE" optional="true" next="giveup"/>',
        '<recv response="200"><action>', _keep("To:", "remote"), _keep_target(), _play(tone),
        _note(call.leg, "answered", "[pid]t[call_number] [$remote]"), "</action></recv>",
        _send(
            f"ACK [$target] SIP/2.0\n{_VIA}a\nFrom: {local}\nTo: [$remote]\nCall-ID: [call_id]\n"
            f"CSeq: 1 ACK\n{_EMPTY}"
        ),
        _talk(call.leg, tone, local, "[$remote]"),
        '<label id="giveup"/>',
        _log(call.leg, "sendcancel"),
        _send(f"CANCEL {uri} SIP/2.0\n{head}CANCEL\n{_EMPTY}", retrans=True),
        '<recv response="200" optional="true"/>',
        '<recv response="487"/>',
        _send(f"ACK {uri} SIP/2.0\n{head}ACK\n{_EMPTY}", next="over"),
        '<label id="failed"/>',
        _send(f"ACK {uri} SIP/2.0\n{answered}ACK\n{_EMPTY}", next="over"),
        _over(),
    )  # fmt: skip


def _talk(leg: str, tone: str, local: str, remote: str) -> str:
    """A talk, until either side hangs up; what it is told to do meanwhile."""
    head = (
        f"[$target] SIP/2.0\n{_VIA}[$seq]\nMax-Forwards: 70\nFrom: {local}\nTo: {remote}\n"
        "Call-ID: [call_id]\nCSeq: [$seq] "
    )

    def hold(what: str, mode: str) -> list[str]:
        return [
            f'<label id="{what}"/>',
            _send(f"INVITE {head}INVITE\n{_CONTACT}\n{_sdp(mode)}", retrans=True),
            '<recv response="100" optional="true"/>',
            f'<recv response="200"><action>{_note(leg, what)}</action></recv>',
            _send(f"ACK {head}ACK\n{_EMPTY}", next="talk"),
        ]

    return "\n".join([
        '<label id="talk"/>',
        *(f'<recv request="{word}" optional="true" next="polite"/>' for word in _POLITE),
        '<recv request="INFO" optional="true" next="polite">',
        f'<action><ereg regexp="Signal= *([0-9*#])" search_in="body" assign_to="hash,code"/>'
        f'{_note(leg, "gotkey", "[$code]")}</action></recv>',
        '<recv request="NOTIFY" optional="true" next="notified">',
        f'<action><ereg regexp="SIP/2.0 ([0-9]+)" search_in="body" assign_to="hash,code"/>'
        f'{_note(leg, "notified", "[$code]")}</action></recv>',
        '<recv request="INVITE" optional="true" next="reinvited"/>',
        f'<recv request="BYE" optional="true" next="gotbye"><action>{_note(leg, "gotbye")}</action></recv>',
        _listen(),
        *(_branch(what, what) for what in ("bye", "hold", "unhold", "refer", "key")),
        '<nop next="talk"/>',
        '<label id="polite"/>', _send(f"SIP/2.0 200 OK\n{_TO_LAST}\n{_CONTACT}\n{_EMPTY}", next="talk"),
        '<label id="notified"/>', _send(f"SIP/2.0 200 OK\n{_TO_LAST}\n{_EMPTY}", next="talk"),
        '<label id="reinvited"/>',
        _send(f"SIP/2.0 200 OK\n{_TO_LAST}\n{_CONTACT}\n{_sdp('sendrecv')}", retrans=True),
        f'<recv request="BYE" optional="true" next="gotbye"><action>{_note(leg, "gotbye")}</action></recv>',
        '<recv request="ACK" next="talk"/>',
        *hold("hold", "sendonly"), *hold("unhold", "sendrecv"),
        '<label id="refer"/>',
        _send(f"REFER {head}REFER\n{_CONTACT}\nRefer-To: [$arg]\nReferred-By: <sip:lab@[local_ip]>\n{_EMPTY}",
              retrans=True),
        f'<recv response="202" next="talk"><action>{_note(leg, "refer", "[$arg]")}</action></recv>',
        '<label id="key"/>',
        _send(f"INFO {head}INFO\nContent-Type: application/dtmf-relay\nContent-Length: [len]\n\n"
              "Signal=[$arg]\nDuration=160", retrans=True),
        f'<recv response="200" next="talk"><action>{_note(leg, "key", "[$arg]")}</action></recv>',
        '<label id="gotbye"/>',
        _send(f"SIP/2.0 200 OK\n{_TO_LAST}\n{_EMPTY}", next="over"),
        '<label id="bye"/>', _log(leg, "sendbye"),
        _send(f"BYE {head}BYE\n{_EMPTY}", retrans=True),
        '<recv request="BYE" optional="true" next="crossed"/>',
        '<recv response="481" optional="true" next="over"/>', '<recv response="200" next="over"/>',
        '<label id="crossed"/>', _send(f"SIP/2.0 200 OK\n{_TO_LAST}\n{_EMPTY}", next="over"),
    ])  # fmt: skip


def _scenario(*parts: str) -> str:
    body = "\n".join(parts)
    names = "s,u,via,remote,to,cseq,target,did,from,do,seq,arg,cmp,yes,code,hash"
    used = ",".join(
        name for name in names.split(",") if f"${name}" in body or f'"{name}"' in body or name == "hash"
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="callme">\n'
        f'{body}\n<Reference variables="{used}"/>\n</scenario>\n'
    )


def _over() -> str:
    return '<label id="over"/>\n<nop/>'


def _send(text: str, *, retrans: bool = False, next: str = "") -> str:
    again = ' retrans="300"' if retrans else ""
    where = f' next="{next}"' if next else ""
    return f"<send{again}{where}><![CDATA[\n\n{text}\n\n]]></send>"


def _sdp(mode: str) -> str:
    body = [
        "v=0",
        "o=lab 1 1 IN IP4 [media_ip]",
        "s=-",
        "c=IN IP4 [media_ip]",
        "t=0 0",
        "m=audio [rtpstream_audio_port] RTP/AVP 8",
        "a=rtpmap:8 PCMA/8000",
        f"a={mode}",
    ]
    return "Content-Type: application/sdp\nContent-Length: [len]\n\n" + "\n".join(body)


def _keep(header: str, name: str) -> str:
    return f'<ereg regexp="[^ ].*" search_in="hdr" header="{header}" assign_to="{name}"/>'


def _keep_target() -> str:
    return '<ereg regexp="&lt;(sip:[^&gt;]*)&gt;" search_in="hdr" header="Contact:" assign_to="hash,target"/>'


def _listen(*, timeout: bool = False) -> str:
    """Wait to be told something. A telephone that nobody tells anything stops ringing after ten minutes."""
    limit = ' timeout="600000" ontimeout="over"' if timeout else ""
    taken = "".join(
        _keep(header, name) for header, name in (("X-Do:", "do"), ("X-Seq:", "seq"), ("X-Arg:", "arg"))
    )
    return f'<recv request="MESSAGE"{limit}><action>{taken}</action></recv>'


def _branch(word: str, label: str) -> str:
    return (
        f'<nop next="{label}" test="yes"><action><strcmp assign_to="cmp" variable="do" value="{word}"/>'
        '<test assign_to="yes" variable="cmp" compare="equal" value="0"/></action></nop>'
    )


def _refusal(leg: str, code: str, reason: str) -> str:
    answer = _send(f"SIP/2.0 {code} {reason}\n{_TO_INVITE}\n{_EMPTY}", retrans=True)
    return f'<label id="refuse{code}"/>{_log(leg, "refuse", code)}{answer}<recv request="ACK" next="over"/>'


def _play(tone: str) -> str:
    return f'<exec rtp_stream="{escape(tone)},-1,8,PCMA/8000"/>'


def _log(leg: str, what: str, detail: str = "") -> str:
    return f"<nop><action>{_note(leg, what, detail)}</action></nop>"


def _note(leg: str, what: str, detail: str = "") -> str:
    """One line of truth. It goes into a recv, or before a send: a message that comes while SIPp stands at a
    nop after a send would be unexpected."""
    line = escape(f"[$s] [$u] {leg} {what} [call_id] {detail}".rstrip(), {'"': "&quot;"})
    return f'<gettimeofday assign_to="s,u"/><log message="{line}"/>'
