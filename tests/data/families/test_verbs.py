import pytest

from devtune.data.families.verbs import past_of


@pytest.mark.parametrize(
    ("word", "past"),
    [
        ("add", "Added"), ("Use", "Used"), ("simplify", "Simplified"), ("make", "Made"),
        ("Drop", "Dropped"), ("prefer", "Preferred"), ("display", "Displayed"), ("emit", "Emitted"),
        ("set", "Set"), ("Fixed", "Fixed"), ("made", "Made"), ("parser", ""), ("adds", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_verbs_are_put_into_the_past(word, past):
    assert past_of(word) == past
