"""What `callme setup` asks about a Bitrix24 portal: a webhook, or a local application."""

from __future__ import annotations

from callme.crm.asking import Question, Way
from callme.wording import Phrase

_DEFAULT_USER = Question(
    "default_user",
    Phrase(
        "Number of the employee who owns calls that nobody else owns (it stands in his profile's address)",
        "Номер сотрудника, которому достаются ничьи звонки (он есть в адресе его профиля)",
    ),
    "1",
    number=True,
)

WAYS = (
    Way(
        "webhook",
        Phrase("an inbound webhook: the shortest way", "входящий вебхук: самый короткий путь"),
        Phrase(
            "In Bitrix24: Developer resources → Other → Inbound webhook. Give it the rights “Telephony”, "
            "“Users” and “CRM”, save it, and copy the whole address.",
            "В Битрикс24: Разработчикам → Другое → Входящий вебхук. Дайте ему права «Телефония», "
            "«Пользователи» и «CRM», сохраните и скопируйте адрес целиком.",
        ),
        (
            Question("webhook", Phrase("Address of the webhook", "Адрес вебхука"), secret=True),
            _DEFAULT_USER,
        ),
        Phrase(
            "For calls by a click on a number: Developer resources → Other → Outgoing webhook, event "
            "ONEXTERNALCALLSTART, address {hook}; put its token into application_token of [[portal]].",
            "Чтобы звонить по клику на номер: Разработчикам → Другое → Исходящий вебхук, событие "
            "ONEXTERNALCALLSTART, адрес {hook}; его токен впишите в application_token в [[portal]].",
        ),
    ),
    Way(
        "application",
        Phrase(
            "a local application: needs an address that Bitrix24 can reach; keeps lines and clicks by itself",
            "локальное приложение: нужен адрес, доступный из Битрикс24; линии и клики ведёт само",
        ),
        Phrase(
            "In Bitrix24: Developer resources → Other → Local application, with an interface. Give it the "
            "rights “Telephony”, “Users” and “CRM”; both addresses are {install}. Save it, copy its codes.",
            "В Битрикс24: Разработчикам → Другое → Локальное приложение, с интерфейсом. Дайте ему права "
            "«Телефония», «Пользователи» и «CRM»; оба адреса — {install}. Сохраните и скопируйте его коды.",
        ),
        (
            Question("domain", Phrase("The portal's host name", "Имя хоста портала")),
            Question("client_id", Phrase("Application code (client_id)", "Код приложения (client_id)")),
            Question(
                "client_secret", Phrase("Application key (client_secret)", "Ключ приложения (client_secret)"),
                secret=True,
            ),
            _DEFAULT_USER,
        ),
        Phrase(
            "Start the service, then open the application in Bitrix24 once as an administrator.",
            "Запустите сервис, затем один раз откройте приложение в Битрикс24 как администратор.",
        ),
    ),
)  # fmt: skip
