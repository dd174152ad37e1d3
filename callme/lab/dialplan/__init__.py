"""The configuration files of a lab PBX, rendered for one seat: what stock FreePBX would have written, in
little.

`pbx` writes them into the instance's folder. The .conf files beside this module are the texts; @NAME@ marks
a value. Pure but for reading those texts: no process, no network.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files

from callme.lab import numbering
from callme.lab.dialplan.macros import of_macros
from callme.lab.numbering import Seat

TEXTS = (
    "asterisk.conf", "cdr.conf", "cdr_manager.conf", "cel.conf", "confbridge.conf", "extensions.conf",
    "features.conf", "logger.conf", "manager.conf", "modules.conf", "musiconhold.conf", "pjsip.conf",
    "queues.conf", "res_parking.conf", "rtp.conf", "voicemail.conf",
)  # fmt: skip
EMPTY = ("extensions_override_freepbx.conf", "extensions_custom.conf", "acl.conf", "ccss.conf", "udptl.conf")
HANGUP = "exten => h,1,Gosub(macro-hangupcall,s,1())"
READ_RIGHTS = "system,call,agent,user,cdr"
WRITE_RIGHTS = "call,originate,reporting"


@dataclass(frozen=True, slots=True)
class Options:
    """How a lab PBX behaves where real ones differ."""

    ring_s: int = 20
    """How long a telephone, a group step and a queue member ring."""
    ivr_s: int = 3
    """How long the IVR waits for a digit."""
    park_s: int = 45
    """How long a parked call waits before it comes back."""
    dialplan_class: bool = False
    """Give CallMe's AMI user the class `dialplan` too, as many installations do."""
    cdr_events: bool = False
    """Send Cdr events; a stock FreePBX does not."""
    cel_events: bool = False
    """Send CEL events; a stock FreePBX does not."""
    custom: str = ""
    """Text of extensions_custom.conf."""
    lookup: str = ""
    """Address of an HTTP CallerID Lookup Source that every inbound route asks, as FreePBX's module cidlookup
    writes it: `http://user:password@host:port/path?number=[NUMBER]`; also without user and password."""


@dataclass(frozen=True, slots=True)
class Layout:
    """One instance's folders as Asterisk sees them, and the secrets of its AMI users."""

    root: str
    secret: str
    admin_secret: str

    @property
    def monitor(self) -> str:
        """Where recordings go, as Asterisk names it."""
        return f"{self.root}/spool/monitor"

    def __repr__(self) -> str:
        return f"Layout(root={self.root!r})"


def render(seat: Seat, options: Options, layout: Layout, *, macros: bool = False) -> dict[str, str]:
    """File name → text of every configuration file of one instance. `macros`: the dialplan is the one that
    FreePBX 13–16 would have written, else that of 17."""
    values = {
        "ROOT": layout.root,
        "MONITOR": layout.monitor,
        "PBX": seat.pbx,
        "SECRET": layout.secret,
        "ADMIN_SECRET": layout.admin_secret,
        "READ": READ_RIGHTS + (",dialplan" if options.dialplan_class else ""),
        "WRITE": WRITE_RIGHTS,
        "RING_S": str(options.ring_s),
        "IVR_S": str(options.ivr_s),
        "PARK_S": str(options.park_s),
        "CDR": _yes(options.cdr_events),
        "CEL": _yes(options.cel_events),
        "CONFERENCE": numbering.CONFERENCE,
        "PARKING": numbering.PARKING,
    }
    folder = files(__package__)
    texts = {name: _filled((folder / name).read_text("utf-8"), values) for name in TEXTS}
    texts |= dict.fromkeys(EMPTY, "")
    texts["extensions_custom.conf"] = options.custom
    texts["extensions_additional.conf"] = additional(options.lookup)
    texts["pjsip.conf"] += endpoints(seat)
    texts["queues.conf"] += queues(options.ring_s)
    texts["voicemail.conf"] += "".join(
        f"{box} => 1234,{numbering.EXTENSIONS[box]}\n" for box in sorted(numbering.MAILBOXES)
    )
    if macros:
        for name in ("extensions.conf", "extensions_additional.conf"):
            texts[name] = of_macros(texts[name])
    return texts


def additional(lookup: str = "") -> str:
    """extensions_additional.conf: what FreePBX generates from its tables."""
    parts = ["[globals]"]
    for number, (trunk, shown) in enumerate(numbering.TRUNKS.items(), 1):
        parts += [f"OUT_{number}={trunk}", f"OUTCID_{number}={shown}"]
    parts += ["", "[ext-did-0001]", "include => ext-did-0001-custom", "exten => foo,1,Noop(bar)"]
    parts += ["", "[ext-did-0002]", "include => ext-did-0002-custom"]
    parts += [_inbound_route(did, target, lookup) for did, target in numbering.DIDS.items()]
    parts += [_inbound_route("s", numbering.ANY_ROUTE, lookup)]
    parts += ["", "[cidlookup]", _lookup_source(lookup)] if lookup else []
    parts += ["", "[ext-local]", "include => ext-local-custom", HANGUP]
    parts += [_extension(ext) for ext in numbering.EXTENSIONS]
    parts += ["", "[ext-findmefollow]", "include => ext-findmefollow-custom", HANGUP]
    parts += [_follow_me("106")]
    parts += ["", "[ext-group]", "include => ext-group-custom", HANGUP]
    parts += [_group(group) for group in numbering.GROUPS]
    parts += ["", "[ext-queues]", "include => ext-queues-custom", HANGUP]
    parts += [_queue(queue) for queue in numbering.QUEUES]
    return "\n".join(parts) + "\n"


def endpoints(seat: Seat) -> str:
    """The telephones and trunks of pjsip.conf: static contacts, recognised by their addresses."""
    parts = []
    for ext, name in numbering.EXTENSIONS.items():
        phones = [] if ext in numbering.UNREGISTERED else [ext]
        phones += [numbering.SECOND_PHONE[ext]] if ext in numbering.SECOND_PHONE else []
        contacts = "".join(f"contact=sip:{ext}@{seat.phone(phone)}:5060\n" for phone in phones)
        addresses = [seat.phone(phone) for phone in phones] or [seat.phone(ext)]
        parts.append(
            f"[{ext}](phone)\naors={ext}\ncallerid={name} <{ext}>\n"
            f"media_address={seat.pbx}\n\n[{ext}](aor)\n{contacts}\n[{ext}-id](id)\nendpoint={ext}\n"
            + "".join(f"match={address}/32\n" for address in addresses)
        )
    for trunk in numbering.TRUNKS:
        address = seat.phone(trunk)
        parts.append(
            f"[{trunk}](trunk)\naors={trunk}\nmedia_address={seat.pbx}\n\n[{trunk}](aor)\n"
            f"contact=sip:{address}:5060\n\n[{trunk}-id](id)\nendpoint={trunk}\nmatch={address}/32\n"
        )
    return "\n".join(parts)


def queues(ring_s: int) -> str:
    """The queues of queues.conf; members are Local channels, as in FreePBX."""
    parts = []
    for queue, (strategy, members) in numbering.QUEUES.items():
        parts.append(f"[{queue}](queue)\nstrategy={strategy}\ntimeout={ring_s}")
        parts += [
            f"member => Local/{ext}@from-queue/n,0,{numbering.EXTENSIONS[ext]},hint:{ext}@ext-local"
            for ext in members
        ]
        parts.append("")
    return "\n".join(parts)


def astdb(ring_s: int) -> dict[str, str]:
    """Rows of the AstDB, without the leading slash, as FreePBX fills it."""
    rows: dict[str, str] = {}
    for ext, name in numbering.EXTENSIONS.items():
        rows |= {
            f"AMPUSER/{ext}/cidname": name,
            f"AMPUSER/{ext}/cidnum": ext,
            f"AMPUSER/{ext}/device": ext,
            f"AMPUSER/{ext}/ringtimer": "0",
            f"AMPUSER/{ext}/voicemail": "default" if ext in numbering.MAILBOXES else "novm",
            f"AMPUSER/{ext}/recording/in/external": "always",
            f"AMPUSER/{ext}/recording/out/external": "always",
            f"CW/{ext}": "ENABLED",
            f"DEVICE/{ext}/default_user": ext,
            f"DEVICE/{ext}/dial": f"PJSIP/{ext}",
            f"DEVICE/{ext}/tech": "pjsip",
            f"DEVICE/{ext}/type": "fixed",
            f"DEVICE/{ext}/user": ext,
        }
    rows |= {f"RINGGROUP/{group}/changecid": "default" for group in numbering.GROUPS}
    rows |= {
        "AMPUSER/106/followme/ddial": "DIRECT",
        "AMPUSER/106/followme/grplist": f"106-{numbering.MOBILES['106']}#",
        "AMPUSER/106/followme/grptime": str(ring_s),
        "AMPUSER/106/followme/prering": "2",
        "AMPUSER/106/followme/strategy": "ringallv2",
    }
    return rows


def _filled(text: str, values: dict[str, str]) -> str:
    return re.sub(r"@([A-Z_]+)@", lambda mark: values[mark[1]], text)


def _yes(switch: bool) -> str:
    return "yes" if switch else "no"


def _lines(exten: str, *steps: str) -> str:
    first, *rest = steps
    return "\n".join([f"exten => {exten},1,{first}", *(f" same => n{step}" for step in rest)])


def _lookup_source(address: str) -> str:
    """A source of the module cidlookup (sheet freepbx §6.1): the answer as a whole is the caller's name."""
    number = "${STRREPLACE(CALLERID(num),+,%2B)}"
    asked = address.replace("[NUMBER]", number).replace("[UNIQUEID]", "${UNIQUEID}")
    return _lines(
        "cidlookup_1",
        "Set(CURLOPT(httptimeout)=7)",
        f",Set(CALLERID(name)=${{CURL({asked})}})",
        ",Return",
    )


def _inbound_route(did: str, target: str, lookup: str = "") -> str:
    own = (
        'ExecIf($["${FROM_DID}" = ""]?Set(__FROM_DID=${EXTEN}))' if did == "s" else "Set(__FROM_DID=${EXTEN})"
    )
    return _lines(
        did,
        "Set(__DIRECTION=)",
        ",Gosub(sub-record-check,s,1(in,${EXTEN},dontcare))",
        f",{own}",
        ",Set(CDR(did)=${FROM_DID})",
        ',ExecIf($["${CALLERID(name)}" = ""]?Set(CALLERID(name)=${CALLERID(num)}))',
        ",Set(CHANNEL(musicclass)=default)",
        ",Set(__CALLINGNAMEPRES_SV=${CALLERID(name-pres)})",
        ",Set(__CALLINGNUMPRES_SV=${CALLERID(num-pres)})",
        "(did-cid-hook),Noop(CallerID Entry Point)",
        *((",Gosub(cidlookup,cidlookup_1,1())",) if lookup else ()),
        f"(dest-ext),Goto({target})",
    )


def _extension(ext: str) -> str:
    box = ext if ext in numbering.MAILBOXES else "novm"
    own = f"${{DB(AMPUSER/{ext}/ringtimer)}}"
    return (
        _lines(
            ext,
            f"Set(__RINGTIMER=${{IF($[0{own} > 0]?{own}:${{RINGTIMER_DEFAULT}})}})",
            f",Gosub(macro-exten-vm,s,1({box},{ext}))",
            "(dest),Set(__PICKUPMARK=)",
            ",Gosub(macro-hangupcall,s,1())",
        )
        + f"\nexten => {ext},hint,PJSIP/{ext}"
    )


def _follow_me(ext: str) -> str:
    mobile = numbering.MOBILES[ext]
    return _lines(
        ext,
        f'GotoIf($["${{DB(AMPUSER/{ext}/followme/ddial)}}" != "DIRECT"]?ext-local,{ext},1)',
        ",Gosub(macro-user-callerid,s,1())",
        f",Set(__EXTTOCALL={ext})",
        f",Set(__PICKUPMARK={ext})",
        f",Gosub(sub-record-check,s,1(exten,{ext},always))",
        f",Set(__FMRING=${{DB(AMPUSER/{ext}/followme/grptime)}})",
        f",Set(__FMPRERING=${{DB(AMPUSER/{ext}/followme/prering)}})",
        f",Set(__FMCONFIRM=${{DB(AMPUSER/{ext}/followme/grpconf)}})",
        ",Gosub(macro-blkvm-setifempty,s,1())",
        f",Gosub(macro-dial,s,1(ringallv2,{ext},"
        f"Local/FMPR-{ext}@from-internal&Local/FMGL-{mobile}#@from-internal))",
        ",Gosub(macro-blkvm-clr,s,1())",
        ",Gosub(macro-hangupcall,s,1())",
    )


def _group(group: str) -> str:
    method, members = numbering.GROUPS[group]
    confirm = ",confirm" if group in numbering.CONFIRMED else ""
    return _lines(
        group,
        "Gosub(macro-user-callerid,s,1())",
        f",Set(__RINGGROUP={group})",
        ",Gosub(macro-blkvm-setifempty,s,1())",
        ",Set(RRNODEST=${NODEST})",
        f",Set(__NODEST={group})",
        f",Gosub(sub-record-check,s,1(rg,{group},always))",
        f",Gosub(macro-dial,s,1({method},{group},{'&'.join(members)}{confirm}))",
        ",Set(RingGroupMethod=)",
        ",Set(__NODEST=${RRNODEST})",
        ",Gosub(macro-blkvm-clr,s,1())",
        ",Goto(app-blackhole,hangup,1)",
    )


def _queue(queue: str) -> str:
    limit, after = numbering.QUEUE_LIMIT.get(queue, ("${QUEUE_MAX_S}", "app-blackhole,hangup,1"))
    return _lines(
        queue,
        "Gosub(macro-user-callerid,s,1())",
        ",Answer",
        ",Set(__FROMQUEUEEXTEN=${CALLERID(number)})",
        ",Gosub(macro-blkvm-set,s,1(reset))",
        f",Set(QUEUENUM={queue})",
        f",Set(__NODEST={queue})",
        f",Gosub(sub-record-check,s,1(q,{queue},always))",
        ",Set(__QCONTEXT=0)",
        f",Queue({queue},tR,,,{limit})",
        ",Set(__NODEST=)",
        ",Gosub(macro-blkvm-clr,s,1())",
        f",Goto({after})",
    )
