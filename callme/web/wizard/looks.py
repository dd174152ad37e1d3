"""How the pages of the set-up are rendered, in the wizard and in the running service alike."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from callme.setup import changing
from callme.setup.words import W
from callme.web.phrases import Words
from callme.web.wizard.words import P
from callme.wording import Language

KINDS: Mapping[str, str] = {"+": "more", "-": "less", "@": "where"}
_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parents[1] / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.globals.update(p=P, s=W, diff=changing.diff)
_templates.filters["ink"] = lambda line: "name" if line[:3] in ("+++", "---") else KINDS.get(line[:1], "same")


def page(name: str, language: Language, version: str, status: int = 200, **values: Any) -> HTMLResponse:
    """The page of that template."""
    words = Words(language)
    html = _templates.get_template(name).render(
        w=words, say=words.told, lang=language, version=version, **values
    )
    return HTMLResponse(html, status)
