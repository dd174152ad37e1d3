"""What people see at the portal's address: each user's screen with the cards on it, and the calls as the CRM
lists them.

The page is rendered here, escaped by Jinja; `screen/page.js` renders nothing, it fetches the page again when
the event stream tells of something and swaps the parts that changed. No inline script or style: the policy
below forbids both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from callme.lab.sandboxes.bitrix24 import wordlist
from callme.lab.sandboxes.bitrix24.php import PORTAL_ZONE
from callme.lab.sandboxes.bitrix24.state import Card, Office, Statistic, User
from callme.wording import Language, Phrase

SCREEN = Path(__file__).with_name("screen")
STATIC = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; media-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
MOST_CALLS = 100
OUTGOING = 1


@dataclass(frozen=True, slots=True)
class CardView:
    """A card on a screen, in words."""

    key: str
    direction: str
    outgoing: bool
    client: str
    phone: str
    line: str
    since: int


@dataclass(frozen=True, slots=True)
class Seat:
    """A user and what is on the screen."""

    key: str
    name: str
    initials: str
    extension: str
    cards: list[CardView]


@dataclass(frozen=True, slots=True)
class Row:
    """A call as the CRM's list shows it."""

    key: str
    direction: str
    outgoing: bool
    client: str
    phone: str
    user: str
    extension: str
    line: str
    started: str
    duration: str
    status: str
    code: str
    tone: str
    recording: int | None
    recorded: str


def routes(office: Office, clock: Callable[[], float]) -> list[Route]:
    """The page and its files."""
    templates = Environment(
        loader=FileSystemLoader(SCREEN), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    template = templates.get_template("page.html")

    async def page(request: Request) -> Response:
        language = spoken(request.query_params.get("lang"), request.headers.get("accept-language", ""))
        body = template.render(
            language=language,
            say=lambda name: wordlist.PAGE[name].say(language),
            seats=seats(office, language),
            rows=rows(office, language),
            now=int(clock() * 1000),
        )
        headers = {"content-security-policy": POLICY, "cache-control": "no-store", "vary": "accept-language"}
        return HTMLResponse(body, headers={**headers, "x-content-type-options": "nosniff"})

    async def static(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in STATIC:
            return Response(status_code=404)
        return FileResponse(SCREEN / name, media_type=STATIC[name], headers={"cache-control": "no-cache"})

    return [Route("/", page), Route("/sandbox/static/{name}", static)]


def spoken(asked: str | None, accepted: str) -> Language:
    """The page's language: what the address asks for, else the first of ours that the browser accepts."""
    for tag in (asked or "", *accepted.split(",")):
        short = tag.strip()[:2].lower()
        if short == "ru":
            return "ru"
        if short == "en":
            return "en"
    return "en"


def seats(office: Office, language: Language) -> list[Seat]:
    """People with an extension, and whoever else has a card on the screen."""
    people = [user for user in office.users.values() if user.real]
    shown = [user for user in people if user.extension or office.cards_now(user.id)]
    strangers = office.watching() - {user.id for user in people}
    shown += [User(number, f"#{number}", "") for number in sorted(strangers)]
    return [
        Seat(
            key=f"seat-{user.id}",
            name=user.full_name,
            initials=(user.name[:1] + user.last_name[:1]).upper(),
            extension=user.extension,
            cards=[_card(card, language) for card in office.cards_now(user.id)],
        )
        for user in shown
    ]


def rows(office: Office, language: Language) -> list[Row]:
    """The latest calls first."""
    latest = sorted(office.statistics.values(), key=lambda record: record.id, reverse=True)[:MOST_CALLS]
    return [_row(office, record, language) for record in latest]


def _card(card: Card, language: Language) -> CardView:
    return CardView(
        key=f"card-{card.call}-{card.user}",
        direction=_direction(card.type).say(language),
        outgoing=card.type == OUTGOING,
        client=card.client,
        phone=card.phone,
        line=card.line,
        since=int(card.shown_at * 1000),
    )


def _row(office: Office, record: Statistic, language: Language) -> Row:
    user = office.users.get(record.user)
    sound = office.recordings.get(record.record_file or 0)
    return Row(
        key=f"row-{record.id}",
        direction=_direction(record.type).say(language),
        outgoing=record.type == OUTGOING,
        client=office.title(record.primary),
        phone=record.phone,
        user=user.full_name if user else "",
        extension=user.extension if user else "",
        line="" if record.line.startswith("REST_APP:") else record.line,
        started=datetime.fromtimestamp(record.started_at, UTC)
        .astimezone(PORTAL_ZONE)
        .strftime("%d.%m %H:%M:%S"),
        duration=clock_face(record.duration) if record.duration else "—",
        status=wordlist.STATUSES.get(record.code, wordlist.UNDEFINED).say(language),
        code=record.code,
        tone=wordlist.TONES.get(record.code, "neutral"),
        recording=sound.id if sound else None,
        recorded=clock_face(round(sound.duration)) if sound and sound.duration else "",
    )


def _direction(kind: int) -> Phrase:
    return wordlist.DIRECTIONS.get(kind, wordlist.UNDEFINED)


def clock_face(seconds: int) -> str:
    """Seconds as `m:ss` or `h:mm:ss`."""
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"
