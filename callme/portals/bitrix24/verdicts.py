"""What each refusal of a portal means and what a person can do about it (sheet §3.3, §4).

One table for the codes; `rest` asks it about every failure. Pure: text in, outcome out.
"""

from __future__ import annotations

from callme.crm.port import Ambiguous, Later, Outcome, Refused, Unauthorised
from callme.http import server_words
from callme.wording import Phrase

TOO_MANY = Phrase(
    "Bitrix24 takes no more requests for a moment (its request limit).",
    "Битрикс24 ненадолго перестал принимать запросы (лимит запросов).",
)
OVERLOAD = Phrase(
    "Bitrix24 has blocked this portal's REST API because of overload; ask its support if this goes on.",
    "Битрикс24 заблокировал REST этого портала из-за перегрузки; если это надолго, напишите в поддержку.",
)

LEFT_OUT = Phrase(
    "Bitrix24 answered the batch and left this command out.",
    "Битрикс24 ответил на пакет, но об этой команде не сказал ничего.",
)

_NEW_WEBHOOK = Phrase(
    "Create an incoming webhook in Bitrix24 (rights: telephony, users, CRM); put its address in webhook.",
    "Создайте в Битрикс24 входящий вебхук с правами телефонии, пользователей и CRM; впишите адрес в webhook.",
)
LOCAL_APP = Phrase(
    "This portal does not let a webhook report calls: create a local application in Bitrix24.",
    "Этот портал не разрешает вебхуку сообщать о звонках: создайте в Битрикс24 локальное приложение.",
)
REINSTALL = Phrase(
    "Install the application in Bitrix24 again: open it there, or save it anew in Developer resources.",
    "Установите приложение в Битрикс24 заново: откройте его там или пересохраните в разделе «Разработчикам».",
)
SUBSCRIPTION = Phrase(
    "Check the portal's plan and subscription: the REST API needs a paid one.",
    "Проверьте тариф и подписку портала: для REST API нужен платный тариф.",
)

SCOPES = {
    "telephony": Phrase("Telephony (telephony)", "Телефония (telephony)"),
    "voximplant": Phrase("Telephony (telephony)", "Телефония (telephony)"),
    "user": Phrase("Users (user or user_basic)", "Пользователи (user или user_basic)"),
    "crm": Phrase("CRM (crm)", "CRM (crm)"),
    "tasks": Phrase("Tasks (task)", "Задачи (task)"),
    "im": Phrase("Chat and notifications (im)", "Чат и уведомления (im)"),
    "placement": Phrase("Application embedding (placement)", "Встраивание приложений (placement)"),
}

_UNAUTHORISED: dict[str, tuple[Phrase, Phrase | None]] = {
    "INVALID_CREDENTIALS": (
        Phrase(
            "Bitrix24 does not know this webhook: it was deleted or changed, or its owner was dismissed.",
            "Битрикс24 не знает этот вебхук: он удалён или изменён, либо его владелец уволен.",
        ),
        _NEW_WEBHOOK,
    ),
    "NO_AUTH_FOUND": (
        Phrase("Bitrix24 sees no valid credentials.", "Битрикс24 не видит действующих данных для входа."),
        _NEW_WEBHOOK,
    ),
    "EXPIRED_TOKEN": (
        Phrase("The access has expired.", "Срок действия доступа истёк."),
        _NEW_WEBHOOK,
    ),
    "INVALID_TOKEN": (
        Phrase("Bitrix24 does not accept the token.", "Битрикс24 не принимает токен."),
        _NEW_WEBHOOK,
    ),
    "AUTHORIZATION_ERROR": (
        Phrase(
            "The user to whom the webhook belongs cannot be signed in; he may be dismissed.",
            "Пользователь, которому принадлежит вебхук, не может войти; возможно, он уволен.",
        ),
        _NEW_WEBHOOK,
    ),
    "USER_ACCESS_ERROR": (
        Phrase("The user has no access to the application.", "У пользователя нет доступа к приложению."),
        Phrase(
            "Give the user access in the application's settings in Bitrix24.",
            "Откройте пользователю доступ в настройках приложения в Битрикс24.",
        ),
    ),
    "APPLICATION_NOT_FOUND": (
        Phrase("The application is deleted or switched off.", "Приложение удалено или отключено."),
        Phrase("Install the application again.", "Установите приложение заново."),
    ),
    "ERROR_OAUTH": (
        Phrase("The application is not installed.", "Приложение не установлено."),
        Phrase("Install the application again.", "Установите приложение заново."),
    ),
    "WRONG_AUTH_TYPE": (
        Phrase("Bitrix24 refuses this method to a webhook.", "Битрикс24 не разрешает этот метод вебхуку."),
        LOCAL_APP,
    ),
    "PAYMENT_REQUIRED": (
        Phrase("Bitrix24 asks for payment.", "Битрикс24 требует оплаты."),
        SUBSCRIPTION,
    ),
    "WRONG_LICENSE": (
        Phrase("The portal's plan does not include this.", "В тариф портала это не входит."),
        SUBSCRIPTION,
    ),
    "METHOD_CONFIRM_DENIED": (
        Phrase("An administrator has refused this method.", "Администратор запретил вызов этого метода."),
        Phrase("Ask the portal's administrator.", "Обратитесь к администратору портала."),
    ),
    "ALLOWED_ONLY_INTRANET_USER": (
        Phrase("The webhook belongs to an extranet user.", "Вебхук принадлежит пользователю экстранета."),
        Phrase(
            "Create the webhook as an employee of the company.",
            "Создайте вебхук от имени сотрудника компании.",
        ),
    ),
    "INVALID_REQUEST": (
        Phrase("Bitrix24 insists on https.", "Битрикс24 требует https."),
        Phrase("Write https:// in the address.", "Напишите в адресе https://."),
    ),
    "PORTAL_DELETED": (
        Phrase(
            "Bitrix24 says that this portal is deleted or closed.",
            "Битрикс24 сообщает, что этот портал удалён или закрыт.",
        ),
        Phrase(
            "Check the address; on a self-hosted portal check that its public part is open.",
            "Проверьте адрес; у коробочной версии проверьте, что публичная часть открыта.",
        ),
    ),
}

_OF_APPLICATION: dict[str, tuple[Phrase, Phrase | None]] = {
    "AUTHORIZATION_ERROR": (
        Phrase(
            "The administrator who installed the application cannot be signed in; he may be dismissed.",
            "Администратор, установивший приложение, не может войти; возможно, он уволен.",
        ),
        REINSTALL,
    ),
    "WRONG_AUTH_TYPE": (
        Phrase(
            "Bitrix24 refuses this method to the application.",
            "Битрикс24 не разрешает этот метод приложению.",
        ),
        SUBSCRIPTION,
    ),
    "ALLOWED_ONLY_INTRANET_USER": (
        Phrase(
            "The application was installed by an extranet user.",
            "Приложение установил пользователь экстранета.",
        ),
        REINSTALL,
    ),
}

MORE_SCOPES = Phrase(
    "Open the application in Bitrix24 (Developer resources), add the rights {names} and save it anew.",
    "Откройте приложение в Битрикс24 («Разработчикам»), добавьте права {names} и сохраните его заново.",
)
NEW_DOMAIN = Phrase("Put {new} into domain.", "Укажите {new} в domain.")
_DOMAIN = Phrase(
    "Open the portal in a browser and copy its host name into domain.",
    "Откройте портал в браузере и скопируйте имя его хоста в domain.",
)
_MOVED = Phrase("The portal {old} is now called {new}.", "Портал {old} теперь называется {new}.")
_REDIRECTS = Phrase(
    "{old} redirects requests instead of answering them.",
    "{old} перенаправляет запросы вместо ответа на них.",
)

_LATER = {
    "CONNECTION_ERROR": Phrase(
        "The portal cannot reach its authorisation server.",
        "Портал не может связаться с сервером авторизации.",
    ),
    "METHOD_CONFIRM_WAITING": Phrase(
        "The method waits for an administrator's confirmation.", "Метод ждёт подтверждения администратора."
    ),
}


def status_inside(code: str, text: str) -> int:
    """The HTTP status that a command of a batch would have had by itself: inside a batch none is told. What
    failed inside the portal may have been done (§1.0)."""
    broken = code.upper() in ("INTERNAL_SERVER_ERROR", "ERROR_UNEXPECTED_ANSWER")
    return 500 if broken or text.lower().startswith("sql query error") else 400


def judge(method: str, status: int, code: str, text: str, *, application: bool = False) -> Outcome:
    """What an answer with `error`, or with HTTP ≥ 400, means. Codes are compared without regard to case.
    `application`: we are one, not a webhook, which changes what a person has to do."""
    name = code.upper()
    if name == "INSUFFICIENT_SCOPE":
        return missing_scope(method, application=application)
    if application and name in _OF_APPLICATION:
        why, cure = _OF_APPLICATION[name]
        return Unauthorised(why, cure)
    if name in _UNAUTHORISED:
        why, cure = _UNAUTHORISED[name]
        return Unauthorised(why, REINSTALL if application and cure is _NEW_WEBHOOK else cure)
    if name in _LATER:
        return Later(_LATER[name])
    if name == "ERROR_METHOD_NOT_FOUND":
        return Unauthorised(
            Phrase(
                "This portal does not have the method {method}.", "На этом портале нет метода {method}."
            ).given(method=method),
            Phrase(
                "Check that the module it belongs to (telephony, CRM) is installed in the portal.",
                "Проверьте, что на портале установлен модуль, к которому он относится (телефония, CRM).",
            ),
        )
    if status >= 500:
        return Ambiguous(_failed(method, status, code, text))
    if name == "ACCESS_DENIED" or status in (401, 403):
        return Unauthorised(_refused(method, code, text), _denial(text, application=application))
    return Refused(_refused(method, code, text))


def judge_page(host: str, status: int, *, application: bool = False) -> Outcome:
    """What an answer means that is not the portal's JSON: a page of a proxy or firewall, or a cut body."""
    if status in (401, 403):
        return Unauthorised(
            Phrase(
                "{host} answers {status} with a page: something in front of the portal keeps us out.",
                "{host} отвечает {status} со страницей: что-то перед порталом нас не пускает.",
            ).given(host=host, status=status),
            Phrase(
                "Allow this machine's address in the portal's access rules or firewall.",
                "Разрешите адрес этой машины в правилах доступа портала или в межсетевом экране.",
            ),
        )
    if status in (404, 410):
        return Unauthorised(
            Phrase(
                "{host} answers, but there is no Bitrix24 REST API at this address.",
                "{host} отвечает, но REST API Битрикс24 по этому адресу нет.",
            ).given(host=host),
            _DOMAIN if application else _NEW_WEBHOOK,
        )
    if status == 413:
        return Refused(
            Phrase("{host} takes no file of this size.", "{host} не принимает файл такого размера.").given(
                host=host
            )
        )
    if 400 <= status < 500 and status != 408:
        return Refused(
            Phrase(
                "{host} answers {status} without a reason.", "{host} отвечает {status} без объяснения."
            ).given(host=host, status=status)
        )
    return Ambiguous(
        Phrase(
            "{host} answers {status} with something that is not a portal's answer.",
            "{host} отвечает {status}, и это не ответ портала.",
        ).given(host=host, status=status)
    )


def missing_scope(method: str, *, application: bool = False) -> Unauthorised:
    """We lack a right; which one follows from the method's first word."""
    scope = SCOPES.get(method.partition(".")[0].lower(), SCOPES["telephony"])
    if application:
        return Unauthorised(
            Phrase("The application lacks the right “{scope}”.", "У приложения нет права «{scope}».").given(
                scope=scope
            ),
            MORE_SCOPES.given(names=scope),
        )
    return Unauthorised(
        Phrase("The webhook lacks the right “{scope}”.", "У вебхука нет права «{scope}».").given(scope=scope),
        Phrase(
            "Open the webhook in Bitrix24, add the right “{scope}” and save it.",
            "Откройте вебхук в Битрикс24, добавьте право «{scope}» и сохраните.",
        ).given(scope=scope),
    )


def moved(old: str, new: str, *, application: bool = False) -> Unauthorised:
    """The portal was renamed. Where it went is told, never followed: the configuration says whom we trust."""
    known = bool(new) and new != old
    if application and known:
        return Unauthorised(_MOVED.given(old=old, new=new), NEW_DOMAIN.given(new=new))
    if application:
        return Unauthorised(_REDIRECTS.given(old=old), _DOMAIN)
    if not known:
        return Unauthorised(
            _REDIRECTS.given(old=old),
            Phrase(
                "Open the portal in a browser and copy the webhook's address anew.",
                "Откройте портал в браузере и скопируйте адрес вебхука заново.",
            ),
        )
    return Unauthorised(
        _MOVED.given(old=old, new=new),
        Phrase("Put {new} into the webhook's address.", "Укажите {new} в адресе вебхука.").given(new=new),
    )


def operating_time(method: str) -> Phrase:
    """The method has used up its share of the portal's time (§4.2)."""
    return Phrase(
        "Bitrix24 blocks the method {method} for a while: it has used up its operating time.",
        "Битрикс24 на время заблокировал метод {method}: исчерпано время его выполнения.",
    ).given(method=method)


def about(host: str, why: Phrase) -> Phrase:
    """The same reason with the portal's name before it."""
    return Phrase("{host}: {why}", "{host}: {why}").given(host=host, why=why)


def _refused(method: str, code: str, text: str) -> Phrase:
    return Phrase("Bitrix24 refuses {method}: {words}", "Битрикс24 отклонил {method}: {words}").given(
        method=method,
        words=server_words(" ".join(part for part in (text, f"({code})" if code else "") if part)),
    )


def _failed(method: str, status: int, code: str, text: str) -> Phrase:
    words = server_words(" ".join(part for part in (code, text) if part))
    return Phrase(
        "Bitrix24 failed inside {method} ({status}): {words}",
        "В Битрикс24 произошла ошибка при вызове {method} ({status}): {words}",
    ).given(method=method, status=status, words=words)


def _denial(text: str, *, application: bool) -> Phrase:
    if "commercial" in text.lower() or "subscription" in text.lower():
        return SUBSCRIPTION
    if application:
        return Phrase(
            "Give these rights in Bitrix24 to the administrator who installed the application.",
            "Дайте права на это в Битрикс24 администратору, который установил приложение.",
        )
    return Phrase(
        "Give the webhook's owner the rights for this in Bitrix24.",
        "Дайте владельцу вебхука права на это в Битрикс24.",
    )
