from devtune.data.sources.fields import (
    as_commit,
    as_commits,
    as_moment,
    as_number,
    as_object,
    as_objects,
    as_text,
)


def test_values_of_another_type_are_empty():
    for odd in (None, 1.5, "x", [1], object()):
        assert as_object(odd) == {}
        assert as_number(odd) == 0
        assert as_commit(odd) == ""
        assert as_moment(odd) == ""
    assert as_text(["x"]) == ""
    assert as_objects({"a": 1}) == []
    assert as_objects([1, {"a": 1}, None]) == [{"a": 1}]


def test_texts_have_one_kind_of_line_end_and_can_be_written():
    assert as_text("a\r\nb\rc\0\udc80") == "a\nb\nc\ufffd\ufffd"


def test_numbers_are_positive_and_no_larger_than_json_can_hold():
    assert [as_number(each) for each in (7, 0, -1, True, 2**53, 2**53 - 1)] == [
        *(7, 0, 0, 0, 0),
        2**53 - 1,
    ]


def test_commits_are_whole_and_in_lower_case():
    assert as_commit("A" * 40) == "a" * 40
    assert as_commit("a" * 64) == "a" * 64
    for odd in ("a" * 39, "g" * 40, "a" * 40 + "\n", "--upload-pack"):
        assert as_commit(odd) == ""
    assert as_commits("a" * 40, None, "b" * 40, "a" * 40) == ("a" * 40, "b" * 40)


def test_moments_are_in_utc_to_the_second():
    assert as_moment("2024-01-01T00:30:00.999+02:00") == "2023-12-31T22:30:00+00:00"
    assert as_moment("2024-01-01T00:30:00Z") == "2024-01-01T00:30:00+00:00"
    assert as_moment("2024-01-01T00:30:00") == "2024-01-01T00:30:00+00:00"
    for odd in ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
        assert as_moment(odd) == ""
