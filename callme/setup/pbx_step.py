"""The PBX's part of the set-up: where it is, which AMI user we have there, whether he is let in.

On this machine a user of our own is written; for a PBX elsewhere it is told what to paste there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callme.config import is_loopback
from callme.pbx.ami.reach import ami_settings
from callme.setup import ami_user, changing, own, pieces, sections
from callme.setup.ami_user import AmiUser
from callme.setup.changing import Change, Owner
from callme.setup.course import PBX_ID, Course, Paste
from callme.setup.house import Flavour, House, address_towards
from callme.setup.words import W
from callme.wording import plain


def is_local(house: House, host: str) -> bool:
    """Whether the PBX at that address is the one whose files are here."""
    return house.flavour is not Flavour.NONE and (is_loopback(host) or host == ami_user.host(house))


def usual_way(house: House, old: Mapping[str, Any]) -> str:
    """Whether a user of our own is made, or one that is there already stays, where nobody says which."""
    kept = any(key in old for key in ("secret", "secret_file", "secret_env"))
    return "existing" if kept and ami_user.ours(house) is None else "new"


def usual_recordings(house: House, old: Mapping[str, Any], *, local: bool) -> str:
    """The folder of recordings where nobody says which."""
    return str(old.get("recordings") or (house.monitor if local else ""))


class PbxStep:
    """The conversation about the PBX."""

    def __init__(self, course: Course) -> None:
        self._on = course

    def run(self) -> None:
        old = self._on.entry("pbx")
        host = self._host(old)
        local = is_local(self._on.house, host)
        port = ami_user.port(self._on.house) if local else 5038
        table: dict[str, Any] = {
            "id": str(old.get("id") or PBX_ID),
            "host": host,
            "port": old.get("port") or port,
            **self._on.wish.given.get("pbx", {}),
        }
        # What cannot be used is told before anything is written; the secret comes later.
        self._on.judged(own.merged(self._on.new, "pbx", {"secret": "-", **table}))
        way = self._ami_way(old)
        table = self._existing(table, old) if way == "existing" else self._new_user(table, old, local=local)
        folder = self._recordings(old, local=local)
        if folder:
            table["recordings"] = folder
        self._on.new = own.merged(self._on.new, "pbx", table)

    def _host(self, old: dict[str, Any]) -> str:
        said = self._on.wish.said("pbx", "host")
        if said:
            return str(said)
        if self._on.house.flavour is not Flavour.NONE:
            house = self._on.house
            found = W.FOUND.given(what=plain(house.name), etc=house.etc)
            self._on.talk.tell(found)
            here = str(old.get("host") or ami_user.host(self._on.house))
            if self._on.wish.hands_off or self._on.talk.confirm(W.CONNECT_IT, True):
                return here
        return self._on.value("pbx", "host", W.HOST, str(old.get("host") or ""))

    def _ami_way(self, old: dict[str, Any]) -> str:
        said = self._on.wish.said("setup", "ami")
        if said:
            return str(said)
        default = usual_way(self._on.house, old)
        if self._on.wish.hands_off:
            return default
        return self._on.talk.choose(W.AMI_WAY, (("new", W.AMI_NEW), ("existing", W.AMI_EXISTING)), default)

    def _existing(self, table: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
        """A user that is there already: name and secret, tried until they fit."""
        while True:
            name = str(old.get("username") or "callme")
            table["username"] = self._on.value("pbx", "username", W.USERNAME, name)
            table |= self._on.secret("pbx", "secret", W.SECRET, old)
            if self._works(table) or not self._on.again():
                return table

    def _new_user(self, table: dict[str, Any], old: dict[str, Any], *, local: bool) -> dict[str, Any]:
        """A user of our own: written here, or told to be pasted where the PBX is."""
        earlier = ami_user.ours(self._on.house) if local else None
        if earlier is None and old.get("secret"):
            earlier = AmiUser(str(old.get("username") or "callme"), str(old["secret"]))
        name = str(table.get("username") or (earlier.name if earlier else self._free_name(local=local)))
        user = AmiUser(
            name,
            str(self._on.wish.said("pbx", "secret") or ""),
            self._permit(table, local=local),
            ami_user.CHANNELVARS + (ami_user.OLD_CHANNELVARS if self._moves_over(earlier) else ()),
        )
        user = ami_user.with_secret(user, earlier, lambda: self._on.make("ami"))
        table |= {"username": user.name, "secret": user.secret}
        there = True
        if local:
            there = self._write_user(user)
        else:
            self._tell_paste(user, str(table["host"]))
        if there and not self._on.wish.dry:
            while not self._works(table) and self._on.again():
                pass
        return table

    def _tell_paste(self, user: AmiUser, host: str) -> None:
        about = W.PASTE.given(host=host, permit=", ".join(user.permit))
        self._on.paste = paste = Paste(about, ami_user.paste(user), W.PASTE_RELOAD)
        self._on.talk.tell(paste.about)
        shown = paste.text.splitlines()
        self._on.talk.show(map(changing.masked, shown) if self._on.wish.dry else shown)
        self._on.talk.tell(paste.then)
        if not self._on.wish.hands_off and not self._on.wish.dry:
            self._on.talk.confirm(W.PASTED, True)

    def _moves_over(self, earlier: AmiUser | None) -> bool:
        """Whether variables of the old scripts are wanted: as said, else as it was."""
        said = self._on.wish.said("setup", "moving_over")
        if said is not None:
            return bool(said)
        return earlier is not None and not set(ami_user.OLD_CHANNELVARS).isdisjoint(earlier.variables)

    def _free_name(self, *, local: bool) -> str:
        if not local:
            return "callme"
        loaded = sections.read(ami_user.MAIN, ami_user.bare(self._on.house.files, self._on.house))
        names = ("callme", *(f"callme-{number}" for number in range(2, 100)))
        free = next(name for name in names if loaded.named(name) is None)
        if free != "callme":
            self._on.talk.tell(W.NAME_TAKEN.given(name=free))
        return free

    def _permit(self, table: dict[str, Any], *, local: bool) -> tuple[str, ...]:
        """Where we come from, as the PBX sees it."""
        said = self._on.wish.said("setup", "permit")
        if local and not said:
            return ("127.0.0.1",)
        guess = address_towards(str(table["host"]))
        return ami_user.permits(self._on.value("setup", "permit", W.PERMIT, guess))

    def _write_user(self, user: AmiUser) -> bool:
        """Whether it makes sense to log in as him now: not before he stands in more than a rehearsal."""
        planned = ami_user.plan(self._on.house, user, local=True)
        for note in planned.notes:
            self._on.warn(note)
        path = planned.piece.file
        before = self._on.disk.content(path)
        base = pieces.lift(before, path, ami_user.PIECE) if planned.fresh and before is not None else before
        mine = self._on.house.owner
        owner = Owner(*mine) if mine[0] >= 0 else None
        change = Change(
            path,
            before,
            pieces.lay(base, planned.piece),
            ami_user.ABOUT,
            mode=self._on.house.mode,
            owner=owner,
        )
        if self._on.agreed([change]):
            self._on.console("manager reload", W.RELOAD)
        return not (change.needed and self._on.disk.paper)

    def _works(self, table: dict[str, Any]) -> bool:
        config = self._on.judged(own.merged(self._on.new, "pbx", table))
        return self._on.tried("pbx", self._on.trials.pbx(ami_settings(config.pbx[0])))

    def _recordings(self, old: dict[str, Any], *, local: bool) -> str:
        default = usual_recordings(self._on.house, old, local=local)
        if self._on.wish.said("pbx", "recordings") is not None or (self._on.wish.hands_off and not default):
            return str(self._on.wish.said("pbx", "recordings") or "")
        return self._on.value("pbx", "recordings", W.RECORDINGS, default, empty=True)
