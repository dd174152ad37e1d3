"""Numbers of cards that were said do not stay in the lines; other numbers do."""

from __future__ import annotations

import pytest

from callme.crm.redaction import redacted
from callme.crm.transcript import Line, Side

VISA, AMEX, MAESTRO = "4111111111111111", "378282246310005", "6759649826438453"


def said(*texts: str, side: Side = Side.CUSTOMER) -> list[Line]:
    return [Line(side, float(at), at + 1.0, text) for at, text in enumerate(texts)]


def left(lines: list[Line]) -> list[str]:
    return [line.text for line in redacted(lines)]


@pytest.mark.parametrize(
    ("text", "stays"),
    [
        (f"Карта {VISA}, записали?", "Карта ••••, записали?"),
        ("4111 1111 1111 1111", "••••"),
        ("4111-1111-1111-1111.", "••••."),
        ("4111, 1111. 1111… 1111 до 12/27", "•••• до 12/27"),
        ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "••••"),
        (f"Amex {AMEX} and {MAESTRO}", "Amex •••• and ••••"),
        ("٤١١١١١١١١١١١١١١١", "••••"),  # Arabic digits
    ],
)
def test_a_cards_number_goes_however_it_is_grouped(text: str, stays: str) -> None:
    assert left(said(text)) == [stays]


@pytest.mark.parametrize(
    "text",
    [
        "Перезвоните на +7 916 123-45-67",
        "4111 1111 1111 1112",  # its last digit does not prove it
        "заказ 123456789012",  # 12 digits
        "счёт 40702810900000012345",  # 20 digits
        "0000 0000 0000 0000",
        "",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert left(said(text)) == [text]


def test_digits_spread_over_lines_of_one_side_are_found() -> None:
    lines = [
        Line(Side.CUSTOMER, 0, 1, "Пишите: 4111 11"),
        Line(Side.EMPLOYEE, 1, 2, "ага, 12"),
        Line(Side.CUSTOMER, 2, 3, "11, 1111"),
        Line(Side.CUSTOMER, 3, 4, "так"),
        Line(Side.CUSTOMER, 4, 5, "1111 и всё"),
    ]
    assert left(lines) == ["Пишите: ••••", "ага, 12", "••••", "так", "•••• и всё"]


def test_words_between_two_numbers_part_them() -> None:
    texts = ["4111 1111 рублей", "1111 1111"]
    assert left(said(*texts)) == texts
    texts = ["4111 1111", "это был мой прошлый договор, а новый вот какой", "1111 1111"]
    assert left(said(*texts)) == texts


def test_a_number_beside_the_card_does_not_hide_it() -> None:
    (line,) = left(said("8 916 123 45 67 4111 1111 1111 1111"))
    assert "1111" not in line
    assert "4111" not in line


def test_times_and_sides_are_untouched() -> None:
    (line,) = redacted([Line(Side.UNKNOWN, 3.5, 4.25, VISA)])
    assert (line.side, line.start, line.end) == (Side.UNKNOWN, 3.5, 4.25)
