from dataclasses import replace

from devtune.data.filters.tombstones import Tombstone, Tombstones, hash_of
from devtune.data.sources.pieces import Head, Remark
from devtune.data.sources.pile import Filed, Gathered
from devtune.data.sources.silence import NOBODY, Silence
from devtune.records import Discussion, Rejected

SALT = b"0123456789abcdef" * 4
ROW = Tombstone("author", hash_of("author", b"eve", SALT), "", hash_of("site", b"", SALT), "")
HEAD = Head("shared", 1, "", 0, False, "It fails", "Eve knows.", "bob", False, "", "", "")
REMARK = Remark("comment", "shared", 1, "", 0, 1, "", "bob", "", "", "So it is.")


def silence(*commits, paths=(), names=()):
    return Silence(Tombstones((ROW,), SALT), frozenset(commits), frozenset(paths), names)


def gathered(*remarks, **head):
    filed = tuple(Filed("f", replace(REMARK, **each)) for each in remarks)
    return Gathered("f", (replace(HEAD, **head),), filed)


def bodies(found):
    return [each.remark.body for each in found.gathered.remarks]


def test_what_an_erased_author_began_goes_with_all_that_was_said():
    found = silence().of(gathered({}, {}, author="Eve"))
    assert (found.gathered, found.num_erased) == (None, 3)


def test_what_they_said_goes_and_what_others_quote_of_it():
    hers = {"author": "eve", "body": "It is the cable.\n> So it is.\nTry it."}
    found = silence().of(
        gathered(hers, {"body": "> It is the cable.\n>> Try it.\n> Not said.\n\nNo, it is not."})
    )
    assert bodies(found) == ["> Not said.\n\nNo, it is not."]
    assert found.num_erased == 1


def test_who_is_mentioned_is_no_longer_known():
    others = {"body": "@Eve, @eve-mary and eve: see mail to @eve."}
    found = silence().of(gathered({"author": "bob", "body": ""}, others, body="Ask @eve"))
    assert bodies(found) == ["", "@ghost, @eve-mary and eve: see mail to @ghost."]
    assert found.gathered.heads[0].body == "Ask @ghost"


def test_remarks_on_erased_paths_and_commits_go_and_lines_with_names():
    remarks = ({"path": "a.py"}, {"commit": "c1"}, {"path": "b.py", "body": "Eve Evening\nSo."})
    found = silence("c1", paths=("a.py",), names=("eve evening",)).of(gathered(*remarks))
    assert (bodies(found), found.num_erased) == (["So."], 2)


def test_erased_commits_are_taken_from_a_discussion():
    row = Discussion("app", "issue", 1, "", "", "", "", "train", ("c1", "c2"), (), (), ())
    assert silence("c1").cleaned(row).commits == ("c2",)
    assert NOBODY.cleaned(row) is row
    rejected = Rejected("bot", "app", "")
    assert silence("c1").cleaned(rejected) is rejected


def test_where_nothing_was_erased_everybody_is_heard():
    whole = gathered({"author": "eve", "body": "> It is so."}, body="Ask @eve")
    assert (NOBODY.of(whole).gathered, NOBODY.of(whole).num_erased) == (whole, 0)
