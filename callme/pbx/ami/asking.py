"""What who asks a PBX for something may be told instead of the answer, and what to do about it. Raised by
`ami.link` and `ami.client`, judged by whoever asked.
"""

from __future__ import annotations

from callme.errors import PbxError
from callme.pbx.ami.session import Reply
from callme.wording import Phrase, plain

UNANSWERED = Phrase(
    "the PBX did not answer {action}: {why}; whether it was done is not known",
    "АТС не ответила на {action}: {why}; выполнено ли действие — неизвестно",
)
REFUSED = Phrase("the PBX refused {action}: {why}", "АТС отклонила {action}: {why}")
RIGHTS = Phrase(
    "add “system,call,originate,reporting,user” to the “write” line of our user in manager.conf, then "
    "“manager reload”",
    "добавьте «system,call,originate,reporting,user» в строку «write» нашего пользователя в manager.conf, "
    "затем выполните «manager reload»",
)


class AskRefusedError(PbxError):
    """The PBX answered with an error: the action was not done. `reply` is its answer."""

    def __init__(self, problem: Phrase, cure: Phrase | None, reply: Reply) -> None:
        super().__init__(problem, cure)
        self.reply = reply


class AskUnansweredError(PbxError):
    """The action was sent and no answer came: it may have been done. It is never sent again by the link."""


def refusal(action: str, reply: Reply) -> Phrase:
    """That the PBX refused this action, in its words."""
    return REFUSED.given(
        action=plain(action), why=plain(reply.response.get("Message") or reply.response.name)
    )


def cure(reply: Reply) -> Phrase | None:
    """What to do about a refusal, where it is known."""
    return RIGHTS if reply.response.get("Message") == "Permission denied" else None
