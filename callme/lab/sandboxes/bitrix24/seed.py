"""The office that the sandbox portal starts with: an administrator, six people with extensions, one known
client."""

from __future__ import annotations

from callme.lab.sandboxes.bitrix24.state import Office, User

CLIENT_PHONE = "+79261234567"
"""The known client's phone."""


def default_office() -> Office:
    """User 1 is the administrator without an extension; users 2…7 have 101…106; one contact belongs to user
    2."""
    office = Office()
    office.add_user(User(1, "Мария", "Орлова", email="orlova@example.com", admin=True))
    people = (
        ("Анна", "Смирнова"),
        ("Борис", "Кузнецов"),
        ("Вера", "Попова"),
        ("Григорий", "Соколов"),
        ("Дарья", "Лебедева"),
        ("Егор", "Новиков"),
    )
    for index, (name, last_name) in enumerate(people):
        extension = str(101 + index)
        office.add_user(User(2 + index, name, last_name, extension, f"user{extension}@example.com"))
    office.add_customer("CONTACT", "Иван Петров", assigned_by=2, phones=(CLIENT_PHONE,))
    return office
