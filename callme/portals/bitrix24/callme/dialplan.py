"""Finds the old scripts' own lines in a dialplan file of Asterisk.

Pure. `globals_of` reads the globals that they had set, `old_hooks` says which lines go. A context or an
extension that holds nothing else goes as a whole; where somebody's own routing stands among their lines, an
old line becomes `NoOp()` of the same priority, since a gap in the priorities would end the call there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from callme.crm.moving import Edit
from callme.portals.bitrix24.callme.keys import GLOBALS
from callme.wording import Phrase

WHOLE_CONTEXT = Phrase(
    "the old scripts' own context [{name}]", "контекст [{name}], нужный только старым скриптам"
)
EXTENSION = Phrase(
    "the old scripts' hook {exten} in [{name}]: it takes the place of FreePBX's first steps",
    "вставка старых скриптов {exten} в [{name}]: она подменяет первые шаги FreePBX",
)
ONE_LINE = Phrase(
    "a line of the old scripts among others in [{name}]", "строка старых скриптов среди других в [{name}]"
)
NO_CDR = Phrase(
    "it switched off the PBX's own record of the call (CDR)", "она отключала запись звонка в самой АТС (CDR)"
)
GLOBAL = Phrase("a global of the old scripts", "глобальная переменная старых скриптов")

VARIABLES = (
    "CallMeCALL_ID",
    "CallMeCallerIDName",
    "CallMeDURATION",
    "CallMeDISPOSITION",
    "CallMeFULLFNAME",
    "CallmeCALLID",
    "CALLME_CARD_STATE",
    "IS_CALLME_ORIGINATE",
    "FullFname",
    "CallStart",
    "CallStop",
    "CallIntNum",
    "CallExtNum",
)
"""What their dialplan sets and reads; no other dialplan is known to use these names."""

_OLD = re.compile(
    rf"(?<![A-Za-z0-9])_*(?:{'|'.join(VARIABLES)})\b"
    r"|(?i:CDR_PROP\(disable\))"
    r"|sendcall2b24|CallMeOut\.php"
    r"|(?i:(?:Gosub|GosubIf|Macro)\(.*\brecording\s*,\s*~~s~~)"
    r"|\bmonopt\s*=|\$\{(?:WAV|MP3|URLRECORDS|URLPHP|RECORDING)\}"
    r"|hangup_handler_push\)\s*=\s*(?:sub-call-from-cid-ended|sub-call-internal-ended)"
)
_SURE = re.compile(rf"(?<![A-Za-z0-9])_*(?:{'|'.join(VARIABLES)})\b|sendcall2b24|CallMeOut\.php")
"""What nobody else writes. A file without it is none of theirs: FreePBX's own follow-me switches its record
of a call off too (sheet freepbx §1.8)."""

_CONTEXT = re.compile(r"^\s*\[([^\]]+)\]")
_EXTEN = re.compile(r"^\s*exten\s*=>?\s*([^,]+?)\s*,\s*([^,]+?)\s*,(.*)$", re.IGNORECASE)
_SAME = re.compile(r"^\s*same\s*=>?\s*([^,]+?)\s*,(.*)$", re.IGNORECASE)
_OTHER = re.compile(r"^\s*(?:include|switch|lswitch|eswitch|ignorepat)\s*=>?", re.IGNORECASE)
_GLOBAL = re.compile(rf"^\s*({'|'.join(GLOBALS)})\s*=>?\s*(.*?)\s*$")
_COMMENT = re.compile(r"(?<!\\);.*$")
_ALONGSIDE = re.compile(
    r"\s*(?:Set\(CALLERID\(num\)=|Set\(LOCAL\(|Set\((?:fname|datedir)=|Set\(CDR\((?:filename|recordingfile|realdst)\)"
    r"|NoOp|MacroExit|Return|System\(mkdir|MixMonitor\(|GotoIf\(|ExecIf\(|Hangup\(\))",
    re.IGNORECASE,
)
"""What stands beside their lines in the published dialplans. Alone it proves nothing; an extension of these
and their lines routes no call."""

_HOOKED = re.compile(r"(?:-custom|^recording|^sub-call-(?:from-cid|internal)-ended)$")
"""Contexts in which an extension that only watches may go as a whole: what FreePBX has there itself runs
then."""


@dataclass(slots=True)
class _Line:
    number: int
    application: str
    head: str  # what stands before the application

    @property
    def old(self) -> bool:
        return _OLD.search(self.application) is not None

    @property
    def idle(self) -> bool:
        """It routes no call."""
        return self.old or _ALONGSIDE.match(self.application) is not None


@dataclass(slots=True)
class _Context:
    name: str
    first: int
    extens: dict[str, list[_Line]] = field(default_factory=dict)
    foreign: int = 0  # other lines that mean something


def globals_of(text: str) -> dict[str, str]:
    """The globals of the old scripts with their values, in the order of the file. What the scripts wrote
    with a doubled `=` by mistake is read as it was meant."""
    found: dict[str, str] = {}
    for _, line, context in _lines(text):
        match = _GLOBAL.match(line) if context == "globals" else None
        if match:
            found[match[1]] = match[2].lstrip("=").strip().strip('"')
    return found


def old_hooks(text: str) -> tuple[Edit, ...]:
    """The lines of the old scripts, in order, none within another; none in a file that has no sure sign of
    them."""
    if not any(_SURE.search(line) for _, line, _ in _lines(text)):
        return ()
    edits = [
        Edit(number, number, GLOBAL)
        for number, line, context in _lines(text)
        if context == "globals" and _GLOBAL.match(line)
    ]
    for context, until in _contexts(text):
        edits += _of_context(context, until)
    return tuple(sorted(_merged(edits), key=lambda edit: edit.first))


def _of_context(context: _Context, until: int) -> list[Edit]:
    touched = {exten: lines for exten, lines in context.extens.items() if any(line.old for line in lines)}
    if not touched:
        return []
    whole = [
        exten
        for exten, lines in touched.items()
        if _HOOKED.search(context.name) and all(line.idle for line in lines)
    ]
    if len(whole) == len(context.extens) and not context.foreign:
        return [Edit(context.first, until, WHOLE_CONTEXT.given(name=context.name))]
    edits: list[Edit] = []
    for exten, lines in touched.items():
        if exten in whole:
            why = EXTENSION.given(exten=exten, name=context.name)
            edits += [Edit(line.number, line.number, why) for line in lines]
            continue
        for line in lines:
            if line.old:
                why = NO_CDR if "CDR_PROP" in line.application else ONE_LINE.given(name=context.name)
                edits.append(Edit(line.number, line.number, why, (f"{line.head}NoOp()",)))
    return edits


def _merged(edits: Sequence[Edit]) -> Iterator[Edit]:
    """Neighbouring lines that go for one reason are one edit."""
    held: Edit | None = None
    for edit in sorted(edits, key=lambda one: one.first):
        if held and not held.put and not edit.put and (held.last + 1, held.why) == (edit.first, edit.why):
            held = Edit(held.first, edit.last, held.why)
            continue
        if held:
            yield held
        held = edit
    if held:
        yield held


def _contexts(text: str) -> Iterator[tuple[_Context, int]]:
    """Each context with its last line that means something."""
    held: _Context | None = None
    last, exten = 0, ""
    for number, line, _ in _lines(text):
        opening = _CONTEXT.match(line)
        if opening:
            if held:
                yield held, last
            held, last, exten = _Context(opening[1].strip(), number), number, ""
            continue
        if held is None or not line.strip():
            continue
        last = number
        named, same = _EXTEN.match(line), _SAME.match(line)
        if named:
            exten = named[1]
        if named or same:
            application = (named[3] if named else same[2]) if named or same else ""  # type: ignore[index]
            head = line[: len(line) - len(application)]
            held.extens.setdefault(exten, []).append(_Line(number, application, head))
        elif held.name != "globals":
            held.foreign += 1
    if held:
        yield held, last


def _lines(text: str) -> Iterator[tuple[int, str, str]]:
    """Line number, the line without its comment, the context it stands in."""
    context = ""
    for number, raw in enumerate(text.split("\n"), start=1):
        line = _COMMENT.sub("", raw.rstrip("\r"))
        opening = _CONTEXT.match(line)
        if opening:
            context = opening[1].strip()
        yield number, line, context
