from devtune.data.privacy.personal_hints import (
    CARD,
    IBAN,
    Keywords,
    find_shapes,
    one_byte_each,
)


def test_places_are_those_of_characters():
    text = "é日🚀 DE89 then 4539-5787"
    assert len(one_byte_each(text)) == len(text)
    assert list(find_shapes(one_byte_each(text))) == [(IBAN, 4), (CARD, 14)]


def test_long_and_grouped_numbers_are_shapes_of_cards():
    for text in ("1" * 13, "1234 5678", "1234-567890", "1234 567890"):
        assert list(find_shapes(one_byte_each(text))) == [(CARD, 0)], text
    assert list(find_shapes(b"123456789012 12 AB1 1.2")) == []


def test_words_are_found_whatever_their_case_and_the_longest_of_those_at_one_place():
    words = Keywords({"phone": ["tel", "telephone"], "host": [".corp"]})
    text = "É Telephone x.CORP tel"
    assert [(kind, text[a:b]) for kind, a, b in words.find(one_byte_each(text))] == [
        ("phone", "Telephone"),
        ("host", ".CORP"),
        ("phone", "tel"),
    ]
    assert list(Keywords({}).find(b"anything")) == []
