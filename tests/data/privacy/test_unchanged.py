import pytest
from hypothesis import given
from hypothesis import strategies as st

from devtune.data.privacy.marking import Marker
from devtune.data.privacy.unchanged import changed_part

KEY = b"k" * 32
FILLER = [f"    value_{number} = compute(row, {number})  # as before\n" for number in range(300)]
TEXT = "".join(FILLER)


def edited(start, length, new):
    return "".join((*FILLER[:start], *new, *FILLER[start + length :]))


def test_the_lines_around_each_change_are_all_that_is_left():
    new = "    changed()\n"
    text = edited(250, 1, [new]).replace(FILLER[100], new + FILLER[100])
    part = changed_part(text, TEXT).splitlines(keepends=True)
    around = [*FILLER[80:100], new, *FILLER[100:120], *FILLER[230:250], new, *FILLER[251:271]]
    assert part == [*around[:-1], around[-1].rstrip("\n")]


def test_changes_close_to_each_other_are_one_stretch_and_ends_have_no_margin():
    text = edited(0, 0, ["first()\n"]).replace(FILLER[30], "near()\n")
    part = changed_part(text, TEXT)
    assert part == text[: text.index(FILLER[51])].rstrip("\n")


def test_a_text_that_changed_from_end_to_end_is_left_whole():
    text = edited(3, 294, ["another\n"] * 294)
    assert changed_part(text, TEXT) is text
    assert changed_part("short\n", TEXT) == "short\n"


def test_what_was_only_taken_away_leaves_its_neighbours():
    part = changed_part(edited(150, 20, []), TEXT)
    assert FILLER[149] in part
    assert FILLER[170].rstrip("\n") in part


@given(st.text("ab\n", max_size=40), st.text("ab\n", max_size=40),
       st.text("cd\n", max_size=4000), st.text("cd\n", max_size=4000))  # fmt: skip
def test_every_new_line_is_in_the_part(old, new, before, after):
    text, known = before + new + after, before + old + after
    part = changed_part(text, known).split("\n")
    assert set(text.split("\n")) - set(known.split("\n")) <= set(part)
    assert set(part) <= set(text.split("\n"))


def test_a_secret_in_a_new_version_is_found_beside_a_version_without(canaries):
    marker = Marker(KEY)
    line = f"    token = '{canaries['github']}'\n"
    for place in (0, 1, 150, 299, 300):
        text = edited(place, 0, [line])
        assert marker.look(text, TEXT) == marker.look(text)
        assert canaries["github"] not in marker.look(text, TEXT).text


def test_a_secret_that_a_change_completes_is_found(canaries):
    value = canaries["github"]
    half = edited(150, 1, [f"    token = '{value[:4]}'\n"])
    whole = edited(150, 1, [f"    token = '{value}'\n"])
    marker = Marker(KEY)
    assert marker.look(half).is_clean
    assert value not in marker.look(whole, half).text


def test_a_version_without_secrets_is_clean_beside_another():
    marker = Marker(KEY)
    found = marker.look(edited(150, 1, ["    other(thing)\n"]), TEXT)
    assert found.is_clean
    assert found.num_generic == 0


@pytest.mark.parametrize("is_kind_new", [True, False])
def test_the_kind_of_a_manifest_is_seen_from_afar(is_kind_new):
    head = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: app\nstringData:\n"
    filler = "".join(f"  note{number}: this is line {number}\n" for number in range(60))
    value = "  zzz: hGf63kd9Qm27LpXs\n"
    text = head + filler + value
    known = text.replace("Secret", "ConfigMap") if is_kind_new else head + filler
    marker = Marker(KEY)
    assert marker.look(known).is_clean
    assert "hGf63kd9Qm27LpXs" not in marker.look(text, known).text
