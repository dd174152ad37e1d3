"""The lab's dialplan as FreePBX 13–16 writes it: of Macro where 17 has Gosub.

FreePBX itself writes one plan in two tongues (sheet freepbx §1.5); this module does the same to the lab's,
which is written in the newer one: `render` calls it for a PBX whose Asterisk still has app_macro. Pure.
"""

from __future__ import annotations

import re

_CALL = re.compile(r"Gosub\((?:macro-(?P<macro>[\w-]+),s|(?P<dial>[\w-]+-with-exten),[^,()]*),1\(")
_CONTEXT = re.compile(r"^\[(?P<name>[\w-]+)\]")
_RETURN = re.compile(r"\bReturn(?:\(\))?$")


def of_macros(text: str) -> str:
    """The same plan of Macro: calls, Dial's option, ways back. Contexts that only let Gosub show the dialled
    number (`…-with-exten`) go, and their Dial runs where it is asked for."""
    lines: list[str] = []
    context = ""
    for line in text.splitlines(keepends=True):
        if found := _CONTEXT.match(line):
            context = found["name"]
        if context.endswith("-with-exten"):
            continue
        lines.append(_line(line, inside=context.startswith("macro-")))
    return "".join(lines)


def _line(line: str, *, inside: bool) -> str:
    body = line.rstrip("\n")
    while found := _CALL.search(body):
        end = _closing(body, found.end())
        arguments = body[found.end() : end]
        called = f"Macro({found['macro']},{arguments})" if found["macro"] else f"Dial({arguments})"
        body = body[: found.start()] + called + body[end + 2 :]
    body = re.sub(r"\bU\(macro-([\w-]+)\)", r"M(\1)", body)
    if inside:
        body = _RETURN.sub("MacroExit()", body).replace("GOSUB_RESULT", "MACRO_RESULT")
    return body + line[len(line.rstrip("\n")) :]


def _closing(text: str, start: int) -> int:
    """Where the bracket closes that was opened just before `start`."""
    depth = 1
    for index in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[index], 0)
        if not depth:
            return index
    raise ValueError(text)
