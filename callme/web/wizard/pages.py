"""The wizard's pages: the forms, what their trials showed, the diffs, what came of it.

A form that was sent is answered with the next page's address, so that nothing is sent twice by loading
again. Secrets are never filled in again; the one that a page shows is in the text for a PBX elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.staticfiles import StaticFiles

from callme.errors import CallMeError
from callme.setup.hook_step import WAYS
from callme.setup.visit import PbxForm, Step, Visit
from callme.web import forms
from callme.web.pages import spoken
from callme.web.wizard import fields as filled
from callme.web.wizard import looks
from callme.web.wizard.gate import COOKIE, ENTER, Gate
from callme.web.wizard.key import LASTS_S, Key
from callme.web.wizard.words import P
from callme.wording import LANGUAGES, Language

T = TypeVar("T")
Handler = Callable[[Mapping[str, str]], Awaitable[Response]]
PATHS = {Step.PBX: "/pbx", Step.PORTAL: "/crm", Step.EXTRAS: "/more", None: "/review"}


class Wizard:
    """Shows one visit. `over` is set when whoever set up has finished."""

    def __init__(self, visit: Visit, key: Key, version: str) -> None:
        self._visit = visit
        self._key = key
        self._version = version
        self._turn = asyncio.Lock()
        self.over = asyncio.Event()

    # ----------------------------------------------------------------------------------------- in common
    async def _ask(self, work: Callable[[], T]) -> T:
        """Files are read and trials made outside the loop, one request after the other."""
        async with self._turn:
            return await asyncio.to_thread(work)

    def _page(self, name: str, status: int = 200, **values: Any) -> HTMLResponse:
        context = {
            "step": name,
            "answered": [PATHS[step] for step in self._visit.tried],
            "form": self._key.form,
            "problem": None,
            **values,
        }
        return looks.page(f"wizard/{name}.html", self._visit.language, self._version, status, **context)

    def tongue(self, request: Request) -> None:
        """A language that was asked for stays."""
        asked = request.query_params.get("lang", "")
        self._visit.language = next((one for one in LANGUAGES if one == asked), self._visit.language)

    async def posted(self, request: Request, answer: Handler) -> Response:
        """Answers a form of ours; another one is sent away before anything is done."""
        language = self._visit.language
        try:
            sent = await forms.fields(request)
        except forms.TooLongError:
            return PlainTextResponse(P.FOREIGN_FORM.say(language), 413)
        except forms.NoFormError:
            return PlainTextResponse(forms.NO_FORM.say(language), 400)
        if not self._key.fits(sent.get("form", "")):
            return PlainTextResponse(P.FOREIGN_FORM.say(language), 403)
        return await answer(sent)

    # ------------------------------------------------------------------------------------------- coming in
    async def enter(self, request: Request, otherwise: Language) -> Response:
        """The word is exchanged for a cookie at once."""
        if self._key.knows(request.cookies.get(COOKIE, "")):
            self.tongue(request)
            return RedirectResponse("/", 303)
        cookie = self._key.enter(request.query_params.get("key", ""))
        if cookie is None:
            return PlainTextResponse(P.CLOSED.say(spoken(request, otherwise)), 403)
        self._visit.language = spoken(request, otherwise)
        # The page itself, not a way to it: after a link from elsewhere the browser would not bring a strict
        # cookie along.
        answer = await self.welcome()
        answer.set_cookie(
            COOKIE,
            cookie,
            int(LASTS_S),
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer

    async def welcome(self) -> Response:
        """What will happen."""
        try:
            there, config = await self._ask(lambda: (self._visit.pbx(), self._visit.config))
        except CallMeError as error:
            return self._page("welcome", there=None, config=None, problem=error)
        return self._page("welcome", there=there, config=config, next=PATHS[self._visit.next])

    # ----------------------------------------------------------------------------------------------- PBX
    async def pbx(self, problem: CallMeError | None = None, draft: PbxForm | None = None) -> Response:
        """The PBX's form."""
        shown = draft or await self._ask(self._visit.pbx)
        status = 200 if problem is None else 422
        tried = None if problem else self._visit.tried.get(Step.PBX)
        return self._page("pbx", status, shown=shown, tried=tried, problem=problem)

    async def take_pbx(self, sent: Mapping[str, str]) -> Response:
        """Its answers, tried."""
        before = await self._ask(self._visit.pbx)
        draft = before
        try:
            draft, secret = filled.pbx(sent, before)
            tried = await self._ask(partial(self._visit.say_pbx, draft, secret))
            paste = await self._ask(self._visit.paste)
        except CallMeError as error:
            return await self.pbx(error, draft)
        if paste is not None:
            return RedirectResponse("/paste", 303)
        return RedirectResponse(PATHS[Step.PORTAL] if tried.well else "/pbx", 303)

    async def paste(self) -> Response:
        """What to put on a PBX elsewhere."""
        paste = await self._ask(self._visit.paste)
        if paste is None:
            return RedirectResponse("/pbx", 303)
        return self._page("paste", paste=paste, tried=self._visit.tried.get(Step.PBX))

    async def try_pbx(self, sent: Mapping[str, str]) -> Response:
        """It was put there."""
        tried = await self._ask(self._visit.try_pbx)
        return RedirectResponse(PATHS[Step.PORTAL] if tried.well else "/paste", 303)

    # ----------------------------------------------------------------------------------------------- CRM
    async def portal(self, sent: Mapping[str, str], problem: CallMeError | None = None) -> Response:
        """The CRM's form; `sent` may name the CRM and the way into it."""
        shown = await self._ask(partial(self._visit.portal, sent.get("crm", ""), sent.get("way", "")))
        status, tried = (200, self._visit.tried.get(Step.PORTAL)) if problem is None else (422, None)
        drafts = {key.removeprefix("key-"): value for key, value in sent.items() if key.startswith("key-")}
        url = sent.get("public_url", shown.public_url)
        return self._page(
            "portal", status, shown=shown, tried=tried, problem=problem, drafts=drafts, public_url=url
        )

    async def take_portal(self, sent: Mapping[str, str]) -> Response:
        """Its answers, tried."""
        if sent.get("without"):
            await self._ask(self._visit.without_portal)
            return RedirectResponse(PATHS[Step.EXTRAS], 303)
        try:
            before = await self._ask(partial(self._visit.portal, sent.get("crm", ""), sent.get("way", "")))
            answers = filled.portal(sent, before)
            url = sent.get("public_url", "").strip()
            say = partial(self._visit.say_portal, before.crm, before.way, answers, url)
            tried = await self._ask(say)
        except CallMeError as error:
            return await self.portal(sent, error)
        return RedirectResponse(PATHS[Step.EXTRAS] if tried.well else "/crm", 303)

    # -------------------------------------------------------------------------------------------- the rest
    async def extras(self) -> Response:
        """What else may be chosen."""
        return self._page("extras", shown=await self._ask(self._visit.extras), hooks=WAYS)

    async def take_extras(self, sent: Mapping[str, str]) -> Response:
        """It was chosen."""
        before = await self._ask(self._visit.extras)
        await self._ask(partial(self._visit.say_extras, filled.extras(sent, before)))
        return RedirectResponse("/review", 303)

    async def review(self, *, moved: bool = False) -> Response:
        """Every change, before any of it is written. `moved`: it is another one than was seen."""
        plan = await self._ask(self._visit.plan)
        pbx = self._visit.tried.get(Step.PBX)
        ahead = pbx is not None and pbx.ahead
        return self._page("review", 409 if moved else 200, plan=plan, moved=moved, ahead=ahead)

    async def write(self, sent: Mapping[str, str]) -> Response:
        """Writes what was seen."""
        if self._visit.next is not None:
            return RedirectResponse(PATHS[self._visit.next], 303)
        outcome = await self._ask(partial(self._visit.write, sent.get("mark", "")))
        return await self.review(moved=True) if outcome is None else RedirectResponse("/done", 303)

    async def done(self) -> Response:
        """What came of it."""
        if self._visit.outcome is None:
            return RedirectResponse(PATHS[self._visit.next], 303)
        return self._page("done", outcome=self._visit.outcome)

    async def undo(self) -> Response:
        """What would be taken back."""
        return self._page("undo", notes=await self._ask(self._visit.back))

    async def take_back(self, sent: Mapping[str, str]) -> Response:
        """Takes it back."""
        await self._ask(self._visit.take_back)
        return RedirectResponse("/done", 303)

    async def finish(self, sent: Mapping[str, str]) -> Response:
        """Nobody comes in any more."""
        self.over.set()
        return self._page("finished")


def create_wizard(visit: Visit, key: Key, version: str, language: Language, *, here: bool) -> FastAPI:
    """The application; `app.state.over` is set when it has done its work. `here`: this machine alone can
    reach it. `language` is for whoever names none."""
    app = FastAPI(title="CallMe", version=version, docs_url=None, redoc_url=None, openapi_url=None)
    wizard = Wizard(visit, key, version)
    app.state.over = wizard.over
    app.include_router(_router(wizard, visit, language))
    static = Path(__file__).parents[1] / "static"
    app.mount("/static", StaticFiles(directory=static), name="static")
    app.add_middleware(Gate, key=key, language=language, here=here)

    @app.exception_handler(CallMeError)
    async def troubled(request: Request, error: CallMeError) -> Response:
        return looks.page(
            "wizard/trouble.html", visit.language, version, 500, step="", answered=[], form="", problem=error
        )

    @app.exception_handler(HTTPException)
    async def nowhere(request: Request, error: HTTPException) -> Response:
        return PlainTextResponse(P.NO_PAGE.say(visit.language), error.status_code)

    return app


def _router(wizard: Wizard, visit: Visit, language: Language) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get(ENTER)
    async def enter(request: Request) -> Response:
        return await wizard.enter(request, language)

    shown: dict[str, tuple[Step | None, Callable[[], Awaitable[Response]]]] = {
        "/": (Step.PBX, wizard.welcome),
        "/pbx": (Step.PBX, wizard.pbx),
        "/paste": (Step.PORTAL, wizard.paste),
        "/more": (Step.EXTRAS, wizard.extras),
        "/review": (None, wizard.review),
        "/done": (Step.PBX, wizard.done),
        "/undo": (Step.PBX, wizard.undo),
    }
    for path, (needs, page) in shown.items():
        routes.get(path)(_showing(wizard, visit, needs, page))

    @routes.get("/crm")
    async def portal(request: Request) -> Response:
        wizard.tongue(request)
        if early(visit, Step.PORTAL):
            return RedirectResponse(PATHS[visit.next], 303)
        return await wizard.portal(request.query_params)

    taken: dict[str, Handler] = {
        "/pbx": wizard.take_pbx,
        "/paste": wizard.try_pbx,
        "/crm": wizard.take_portal,
        "/more": wizard.take_extras,
        "/write": wizard.write,
        "/undo": wizard.take_back,
        "/finish": wizard.finish,
    }
    for path, handler in taken.items():
        routes.post(path)(_taking(wizard, handler))
    return routes


def _showing(
    wizard: Wizard, visit: Visit, needs: Step | None, page: Callable[[], Awaitable[Response]]
) -> Callable[[Request], Awaitable[Response]]:
    async def show(request: Request) -> Response:
        wizard.tongue(request)
        return RedirectResponse(PATHS[visit.next], 303) if early(visit, needs) else await page()

    return show


def _taking(wizard: Wizard, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def take(request: Request) -> Response:
        return await wizard.posted(request, handler)

    return take


def early(visit: Visit, needs: Step | None) -> bool:
    """Whether a form before that one has no answer yet; `None`: all of them need one."""
    order = [*Step, None]
    return order.index(visit.next) < order.index(needs)
