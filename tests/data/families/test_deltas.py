import pytest

from devtune.data.families.deltas import find_deltas, is_plain, leave_out_unknowable
from devtune.records import Rejected
from tests.changes import change_of

ONE = ("x.py", "a\n", "b\n")


def found(*edits, max_files=3, max_changed_lines=8, **values):
    return find_deltas(change_of("Change it well", *edits, **values), max_files, max_changed_lines)


@pytest.mark.parametrize(
    ("edits", "values", "reason"),
    [
        ([("x.py", "a\n", "a\n")], {}, "nothing_changed"),
        ([(f"{n}.py", "a\n", "b\n") for n in range(4)], {}, "commit_touches_many_files"),
        ([ONE], {"num_files": 3}, "most_of_the_commit_left_out"),
        ([("x.py", "a\n" * 9, "b\n" * 9)], {}, "too_many_changed_lines"),
        ([("x.py", None, "b\n" * 9)], {}, "too_many_changed_lines"),
        ([("x.py", "a\n" * 5, "b\n" * 5), ("y.py", "a\n" * 4, None)], {}, "too_many_changed_lines"),
        ([("x.py", "a", "a\n"), ("y.py", "b\n", "b")], {}, "nothing_but_the_last_line_end"),
        ([("../x.py", "a\n", "b\n")], {}, "path_not_plain"),
        ([("x.py", "a\nb\r\n", "b\n")], {}, "mixed_line_ends"),
        ([("x.py", "a\n", "a\rb\n")], {}, "mixed_line_ends"),
        ([("x.py", "a\r\n", "a\n")], {}, "nothing_but_line_ends"),
    ],
)
def test_what_is_no_change_to_learn_from_has_a_reason(edits, values, reason):
    rejected = found(*edits, **values)
    assert isinstance(rejected, Rejected)
    assert (rejected.reason, rejected.source, rejected.commit) == (reason, "app", "c0ffee")


def test_lines_of_other_systems_are_told_as_tools_show_them():
    (delta,) = found(("x.cs", "a\r\nb\r\n", "a\r\nc"))
    assert (delta.old, delta.new) == ("a\nb\n", "a\nc")
    assert list(delta.added()) == ["c"]


def test_new_deleted_emptied_and_changed_files_are_told_apart():
    deltas = found(
        ONE, ("new.py", None, "a\n"), ("gone.py", "a\n", None), ("emptied.py", "a\n", ""),
        ("filled.py", "", "a\n"), max_files=5,
    )  # fmt: skip
    assert [each.state for each in deltas] == ["changed", "new", "deleted", "changed", "changed"]
    assert [list(each.added()) for each in deltas] == [["b\n"], ["a\n"], [], [], ["a\n"]]


def test_a_file_that_stays_equal_is_no_part_of_the_change():
    (delta,) = found(ONE, ("y.py", "a\n", "a\n"))
    assert (delta.path, delta.language) == ("x.py", "python")


@pytest.mark.parametrize("path", ["a/b c.py", "é.py", "..a/b", ".github/x.yml", "a..b"])
def test_plain_paths(path):
    assert is_plain(path)


@pytest.mark.parametrize(
    "path",
    [
        "a\nb", "a\tb", 'a"b', "a\\b", "a`b", " a", "a ", "/a", "a//b", "./a", "a/../b", ".git/x",
        "a/.GIT/hooks/x", "", "a/", "a\0", "a\x7f", "a" * 4000, "a\u202eb",
    ],
)  # fmt: skip
def test_paths_that_cannot_stand_in_an_answer(path):
    assert not is_plain(path)


def test_a_changelog_that_cites_tickets_is_left_out_alone():
    change = change_of("Add it")
    for path, line, is_left_out in (
        ("CHANGES.rst", "Add it. :issue:`12`\n", True),
        ("docs/changelog.md", "Add it (#12)\n", True),
        ("HISTORY.md", "Add it. {pr}`12`\n", True),
        ("CHANGES.rst", "Add it. Version 8.1\n", False),
        ("x.py", "# see #12\n", False),
    ):
        deltas = found(ONE, (path, "a\n", f"a\n{line}"))
        kept, rejected = leave_out_unknowable(change, deltas)
        assert [each.path for each in kept] == ["x.py", *([] if is_left_out else [path])]
        assert [each.reason for each in rejected] == ["cites_tickets"] * is_left_out


def test_a_file_that_cites_a_new_digest_is_left_out():
    one, other = "0123456789abcdef" * 2, "fedcba9876543210" * 2
    integrity = "sha512-" + "A" * 86 + "=="
    for new, body, is_left_out in (
        (f"use: {other}\n", "", True),
        (f"hash: {integrity}\n", "", True),
        (f"use: {other}\n", f"Now at {other}.", False),
        (f"uses: {one}\n", "", False),
    ):
        change = change_of("Change it well", ("ci.yaml", f"use: {one}\n", new), body=body)
        kept, rejected = leave_out_unknowable(change, find_deltas(change, 3, 8))
        assert len(kept) == 1 - is_left_out
        assert [each.reason for each in rejected] == ["cites_digests"] * is_left_out
