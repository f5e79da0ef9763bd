import pytest

from devtune.data.documents.asciidoc import read_asciidoc

DOCUMENT = """\
= The Title
Ada Example <ada@corp.test>
v1.0
:url-org: https://corp.test
:url-app: {url-org}/app
// a comment

See {url-app}[the app], link:other.adoc[Other] and <<id,below>>. +
Not *bold* enough, `+a+`.

////
gone
////

== Run it ==

.Steps
[source,bash]
----
# not a heading
== nor this
make
----

. First
.. Inner
* Point

NOTE: It is slow.

[WARNING]
====
Do not run it twice.
====

To stop:

 $ make stop

ifdef::env[]
image::x.png[]
include::y.adoc[]
endif::[]
|===
|a |b
|===
"""


def test_headings_blocks_and_inline_marks_are_read():
    assert [(each.kind, each.text) for each in read_asciidoc(DOCUMENT)] == [
        ("heading", "The Title"),
        ("prose", "See [the app](https://corp.test/app), Other and below.\nNot **bold** enough,"
         " `a`."),
        ("heading", "Run it"),
        ("prose", "Steps:"),
        ("code", "# not a heading\n== nor this\nmake"),
        ("prose", "1. First\n  1. Inner\n- Point\n\n**Note:** It is slow.\n\n**Warning:** Do not"
         " run it twice.\n\nTo stop:"),
        ("code", "$ make stop"),
        ("code", "|a |b"),
    ]  # fmt: skip
    assert [each.language for each in read_asciidoc(DOCUMENT) if each.kind == "code"][0] == "bash"
    assert [each.level for each in read_asciidoc(DOCUMENT) if each.kind == "heading"] == [1, 2]


def test_a_block_that_is_never_closed_ends_with_the_file():
    (block,) = read_asciidoc("----\na\n\n= b\n")
    assert (block.kind, block.text) == ("code", "a\n\n= b")


@pytest.mark.parametrize(
    "text",
    ["----\n" * 10_001, "[[" * 100_000, "http://" * 50_000, "image:" * 50_000, "*" * 100_000,
     ":a: {b}{b}\n:b: {a}{a}\n" * 500 + "{a}", "= " + " " * 100_000 + "x", "<<" * 100_000],
)  # fmt: skip
def test_hostile_text_is_read_to_its_end(text):
    assert isinstance(read_asciidoc(text), list)
