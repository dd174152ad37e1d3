"""The AMI user that CallMe gets: which file, which rights, and the `channelvars` without which recordings
cannot be found. Pure.

Rights are the least that calls need (sheet freepbx §0, §4.3). `system` is never among those to write: with
`originate` it is a shell on the PBX. The user is let in from our address alone.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address, ip_network

from callme.errors import ConfigError
from callme.setup import pieces, sections
from callme.setup.house import Flavour, House
from callme.setup.pieces import Piece
from callme.setup.sections import Loaded
from callme.wording import Phrase

MAIN = "manager.conf"
CUSTOM = "manager_custom.conf"
PIECE = "ami"
READ = "system,call,agent,user,cdr"
WRITE = "call,originate,reporting"
NEEDED_CHANNELVARS = ("FROM_DID", "MIXMONITOR_FILENAME")
MESSAGE, VOTE = "VM_MESSAGEFILE", "CALLME_VOTE"
CHANNELVARS = (*NEEDED_CHANNELVARS, MESSAGE, VOTE)
OLD_CHANNELVARS = (
    "CallStart", "CallMeCALL_ID", "CallMeDURATION", "CallMeDISPOSITION", "CallMeCallerIDName", "FullFname",
    "CallIntNum", "CallExtNum",
)  # fmt: skip
"""What the dialplan of the old PHP scripts sets; wanted while it still runs."""

_WRITETIMEOUT = 5000
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{1,31}")

ABOUT = Phrase("the AMI user of CallMe", "пользователь AMI для CallMe")
BAD_NAME = Phrase(
    "“{name}” cannot be the name of an AMI user", "«{name}» не годится как имя пользователя AMI"
)
BAD_NAME_CURE = Phrase(
    "use Latin letters, digits, “-” and “_”, a letter first",
    "используйте латинские буквы, цифры, «-» и «_», первой — буква",
)
TAKEN = Phrase(
    "the name {name} is taken by another AMI user ({file}, line {line})",
    "имя {name} занято другим пользователем AMI ({file}, строка {line})",
)
TAKEN_CURE = Phrase(
    "choose another one (pbx.username), or use that user as he is: setup.ami = existing",
    "выберите другое (pbx.username) или используйте того пользователя как есть: setup.ami = existing",
)
BAD_PERMIT = Phrase("setup.permit: “{part}” is no address", "setup.permit: «{part}» — не адрес")
BAD_PERMIT_CURE = Phrase(
    "give this machine's address as the PBX sees it, such as 10.0.0.9",
    "укажите адрес этой машины, каким его видит АТС, например 10.0.0.9",
)
NO_PLACE = Phrase(
    "{main} of this PBX is generated and includes no file of your own",
    "{main} этой АТС создаётся автоматически и не включает вашего файла",
)
NO_PLACE_CURE = Phrase(
    "make an AMI user in the PBX's own pages and give it here: setup.ami = existing",
    "заведите пользователя AMI в интерфейсе АТС и укажите его здесь: setup.ami = existing",
)
OUTDONE = Phrase(
    "{file}, line {line} sets channelvars after us and leaves ours without effect: add {names} to that line",
    "{file}, строка {line}: channelvars задаются позже наших, и наши не действуют; добавьте туда {names}",
)


@dataclass(frozen=True, slots=True)
class AmiUser:
    """What is to be written. `permit` is the address we come from; `variables` are wanted in each event."""

    name: str = "callme"
    secret: str = field(default="", repr=False)
    permit: tuple[str, ...] = ("127.0.0.1",)
    variables: tuple[str, ...] = CHANNELVARS


@dataclass(frozen=True, slots=True)
class Planned:
    """The block, and what has to be told beside it."""

    piece: Piece
    user: AmiUser
    fresh: bool  # the block must be laid at the end: where it stands it has no effect
    notes: tuple[Phrase, ...] = ()


def new_secret() -> str:
    """A secret that no configuration file misreads: letters and digits alone."""
    alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
    return "".join(secrets.choice(alphabet) for _ in range(32))


def bare(files: Mapping[str, bytes], house: House) -> dict[str, bytes]:
    """The files without our blocks."""
    return {name: pieces.lift(text, house.etc / name) or b"" for name, text in files.items()}


def ours(house: House) -> AmiUser | None:
    """The user that an earlier run wrote."""
    for name, text in house.files.items():
        block = pieces.laid(text, house.etc / name).get(PIECE)
        if block is None:
            continue
        loaded = sections.read(name, {name: block.encode()})
        user = next((one for one in loaded.sections if one.get("secret")), None)
        if user is not None:
            permits = tuple(one.value.partition("/")[0] for one in user.entries if one.key == "permit")
            said = loaded.last("general", "channelvars").split(",")
            variables = tuple(one for one in CHANNELVARS + OLD_CHANNELVARS if one in said)
            return AmiUser(user.name, user.get("secret"), permits, variables)
    return None


def plan(house: House, user: AmiUser, *, local: bool) -> Planned:
    """The block for that user. Raises `ConfigError`: a name that is taken or unfit, no file for it."""
    if not _NAME.fullmatch(user.name):
        raise ConfigError(BAD_NAME.given(name=user.name), BAD_NAME_CURE)
    files = bare(house.files, house)
    loaded = sections.read(MAIN, files)
    if other := loaded.named(user.name):
        raise ConfigError(TAKEN.given(name=user.name, file=other.file, line=other.line), TAKEN_CURE)
    name = place(house, loaded)
    general = _general(loaded, user.variables, quiet=local and house.flavour is Flavour.PLAIN)
    piece = Piece(house.etc / name, PIECE, text(user, general), ABOUT)
    fresh, outdone = _effect(house, files, name, piece, user.variables)
    return Planned(piece, user, fresh, outdone)


def paste(user: AmiUser) -> str:
    """What a person puts into manager_custom.conf of a PBX on another machine."""
    return text(user, {"channelvars": ",".join(user.variables)})


def place(house: House, loaded: Loaded) -> str:
    """The file for the block: one that the PBX never writes and that is surely read. Raises `ConfigError`."""
    if CUSTOM in loaded.included or CUSTOM in loaded.asked:
        return CUSTOM
    own = next((one for one in loaded.asked if sections.matching(one, ["manager.d/callme.conf"])), "")
    if own and house.flavour is Flavour.PLAIN:
        return "manager.d/callme.conf"
    if house.generated(MAIN):
        raise ConfigError(NO_PLACE.given(main=MAIN), NO_PLACE_CURE)
    return MAIN


def text(user: AmiUser, general: Mapping[str, str]) -> str:
    """The block's text."""
    lines = []
    if general:
        lines = ["[general](+)", *(f"{key} = {value}" for key, value in general.items()), ""]
    lines += [f"[{user.name}]", f"secret = {user.secret}", "deny = 0.0.0.0/0.0.0.0"]
    lines += [f"permit = {_masked(address)}" for address in user.permit]
    lines += [f"read = {READ}", f"write = {WRITE}", f"writetimeout = {_WRITETIMEOUT}", "displayconnects = no"]
    return "\n".join(lines) + "\n"


def _masked(address: str) -> str:
    if "/" in address:
        return address
    return f"{address}/{'255.255.255.255' if ip_address(address).version == 4 else '128'}"


def _general(loaded: Loaded, variables: Iterable[str], *, quiet: bool) -> dict[str, str]:
    """What must be said in `[general]`: the names that are there already and ours, because a later line
    replaces an earlier one as a whole; and that the interface is on, for this machine alone where nobody
    used it before (`quiet`)."""
    general = {}
    if quiet and loaded.last("general", "enabled", "no").lower() not in ("yes", "true", "on", "1"):
        general = {"enabled": "yes", "bindaddr": "127.0.0.1"}
    there = names(loaded)
    missing = [name for name in variables if name not in there]
    if missing:
        general["channelvars"] = ",".join([*there, *missing])
    return general


def names(loaded: Loaded) -> list[str]:
    """The variables that events carry now."""
    return [name.strip() for name in loaded.last("general", "channelvars").split(",") if name.strip()]


def _effect(
    house: House, files: Mapping[str, bytes], name: str, piece: Piece, variables: Iterable[str]
) -> tuple[bool, tuple[Phrase, ...]]:
    """Whether the block must move to the end of its file, and who outdoes it even there."""
    now = house.files.get(name)
    if _carries(pieces.lay(now, piece), house.files, name, variables):
        return False, ()
    anew = pieces.lay(files.get(name) if now is not None else None, piece)
    if _carries(anew, files, name, variables):
        return True, ()
    last = sections.read(MAIN, {**files, name: anew}).entries("general", "channelvars")[-1]
    told = OUTDONE.given(file=last.file, line=last.line, names=",".join(variables))
    return False, (told,)


def _carries(laid: bytes, files: Mapping[str, bytes], name: str, variables: Iterable[str]) -> bool:
    loaded = sections.read(MAIN, {**files, name: laid})
    return set(variables) <= set(names(loaded))


def port(house: House) -> int:
    """Where the interface listens."""
    told = sections.read(MAIN, house.files).last("general", "port", "5038")
    return int(told) if told.isdecimal() else 5038


def host(house: House) -> str:
    """Where to reach it from this machine: an address that it is bound to alone, else the loopback."""
    told = sections.read(MAIN, house.files).last("general", "bindaddr")
    try:
        address = ip_address(told)
    except ValueError:
        return "127.0.0.1"
    return "127.0.0.1" if address.is_unspecified else told


def permits(text: str) -> tuple[str, ...]:
    """Addresses or networks from which to let us in, separated by commas. Raises `ConfigError`: a name there
    would not be understood by Asterisk."""
    found = tuple(part.strip() for part in text.split(",") if part.strip())
    for part in found:
        try:
            ip_network(part, strict=False)
        except ValueError:
            raise ConfigError(BAD_PERMIT.given(part=part), BAD_PERMIT_CURE) from None
    return found


def with_secret(user: AmiUser, earlier: AmiUser | None, make: Callable[[], str]) -> AmiUser:
    """The same user with the secret of an earlier run, or one that is made now."""
    if user.secret:
        return user
    kept = earlier.secret if earlier is not None and earlier.name == user.name else ""
    return replace(user, secret=kept or make())
