import pytest

from devtune.data.privacy.personal_numbers import (
    PHONE_HINTS,
    find_card,
    find_iban,
    find_international,
    find_local,
)


@pytest.mark.parametrize(
    ("text", "iban"),
    [
        ("IBAN DE89 3704 0044 0532 0130 00 EUR", "DE89 3704 0044 0532 0130 00"),
        ("'GB82WEST12345698765432'", "GB82WEST12345698765432"),
        ("NO93 8601 1117 947.", "NO93 8601 1117 947"),
        ("MT84MALT011000012345MTLCAST001S", "MT84MALT011000012345MTLCAST001S"),
    ],
)
def test_an_account_has_the_length_of_its_country_and_right_check_digits(text, iban):
    start = text.index(iban)
    assert find_iban(text, start) == (start, start + len(iban))
    for spoilt in (
        text.replace(iban, iban[:-1] + ("1" if iban[-1] != "1" else "2")),
        text.replace(iban, "XY" + iban[2:]),
        text.replace(iban, iban[:-2]),
        text.replace(iban, iban + "7"),
        text.replace(iban, f"x{iban}"),
    ):
        assert find_iban(spoilt, spoilt.index(iban[2:6]) - 2) is None, spoilt


CARD = "4539578763621486"


@pytest.mark.parametrize(
    ("text", "card"),
    [
        (f"'{CARD}'", CARD),
        (f"<pan>{CARD}</pan>", CARD),
        (f"paid by card {CARD} today", CARD),
        ("4539 5787 6362 1486", "4539 5787 6362 1486"),
        ("5425-2334-3010-9903;", "5425-2334-3010-9903"),
        ("'2223 0000 4841 0010'", "2223 0000 4841 0010"),
        ("amex 3787 344936 71000", "3787 344936 71000"),
    ],
)
def test_a_card_has_an_issuer_and_a_right_check_digit(text, card):
    start = text.index(card)
    assert find_card(text, start) == (start, start + len(card))
    last = str((int(card[-1]) + 1) % 10)
    assert find_card(text.replace(card, card[:-1] + last), start) is None
    assert find_card(text.replace(card, "9" + card[1:]), start) is None


@pytest.mark.parametrize(
    "text",
    [
        f"x = {CARD};",
        f"pan = {CARD}",
        f"pay(card, {CARD})",
        f"sha {CARD}abcdef",
        f"'{CARD}7'",
        f"1.{CARD}",
        f"0x{CARD}",
        f"-{CARD}",
        "'4444444444444448'",
        "4539 5787-6362 1486",
        "4539-5787-6362-1486-1111",
    ],
)
def test_digits_of_something_else_are_no_card(text):
    assert find_card(text, text.index("4")) is None


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("+49 30 901820", ["+49 30 901820"]),
        ("call +1 (650) 253-0198.", ["+1 (650) 253-0198"]),
        ("+44 20 7946 0958 or +33 1 42 68 53 00", ["+44 20 7946 0958", "+33 1 42 68 53 00"]),
        ("'+4930901820'", ["+4930901820"]),
        ("tel:+4930901820", ["+4930901820"]),
    ],
)
def test_numbers_with_a_country_are_found(text, numbers):
    assert [text[start:end] for start, end in find_international(text)] == numbers


@pytest.mark.parametrize(
    "text",
    [
        "x = +1234567890",
        "1e+1234567890",
        "2024-01-02 03:04:05 +0000",
        "a+49 30 901820",
        "+999 30 901820",
        "+1 2 3 4 5 6 7 8 9 10",
        "+12 34",
        "'+1 555 555 555'",
        "'+1 123 253 0198'",
        "'+391234567890'",
        "'+4930000000'",
        "+1 2024-01-02 10",
        "+1650253000012345 1",
        "no sign",
    ],
)
def test_sums_dates_and_exponents_are_no_numbers(text):
    assert list(find_international(text)) == []


def local(text: str) -> str | None:
    lower = text.lower()
    hint = max((each for each in PHONE_HINTS if each in lower), key=len)
    span = find_local(text, lower.index(hint), lower.index(hint) + len(hint))
    return text[slice(*span)] if span else None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ('phone: "030/901820-17"', "030/901820-17"),
        ("Tel. 030 901820", "030 901820"),
        ("Fax: (212) 736-5019", "(212) 736-5019"),
        ("homePhone: '650-253-0198'", "650-253-0198"),
        ("phone_number = '0309018201'", "0309018201"),
        ("Mobile 0170 1230987", "0170 1230987"),
        ("phone = 5551234567", None),
        ("telephone 12", None),
        ("intel 8086-1234", None),
        ("excellent 8086-1234", None),
        ("phone: 2024-01-02 10:00", None),
        ("phone: 1 2 3 4 5 6 7 8 9", None),
        ("phone in 030 901820", None),
    ],
)
def test_numbers_without_a_country_stand_after_a_word_for_them(text, number):
    assert local(text) == number
