import pytest

from devtune.data.privacy.personal_emails import find_emails, find_spoken


def found(text: str) -> list[str]:
    return [text[start:end] for start, end in find_emails(text)]


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("ask ada@corp-x.com, please", ["ada@corp-x.com"]),
        ("Ask ada@corp-x.com.", ["ada@corp-x.com"]),
        ("<ada.l+x@sub.corp-x.co.uk>", ["ada.l+x@sub.corp-x.co.uk"]),
        ("'a@x.de' \"b@y.fr\"", ["a@x.de", "b@y.fr"]),
        ("ada@build.corp", ["ada@build.corp"]),
        ("ADA@CORP-X.COM", ["ADA@CORP-X.COM"]),
        ("é ada@corp-x.com 🚀", ["ada@corp-x.com"]),
        ("https://corp-x.com/?to=ada@corp-x.com", ["ada@corp-x.com"]),
        ("mailto:ada@corp-x.unheard", ["ada@corp-x.unheard"]),
        ("ada@corp-x.com: hello", ["ada@corp-x.com"]),
        ("a@x.com;b@x.com", ["a@x.com", "b@x.com"]),
        ("ada@x.in and eve@x.ch", ["ada@x.in", "eve@x.ch"]),
    ],
)
def test_addresses_are_found_and_nothing_around_them(text, addresses):
    assert found(text) == addresses


@pytest.mark.parametrize(
    "text",
    [
        "@app.route('/x')",
        "@x.setter",
        "import {a} from '@scope/pkg.com'",
        "git clone git@forge.com:owner/repo.git",
        "scp ada@build.com:/srv/x .",
        "a@b",
        "y = a@b.T + x@w.mean(0)",
        "w@self.weights",
        "pkg@1.2.3 pkg@4.17.21-rc.1",
        "logo@2x.png icon@3x.jpeg",
        "this@Main.finish",
        "return@each.name",
        "Hello@Model.Name",
        "getty@tty1.service",
        "postgres://svc:hunter@db.com/x",
        "ssh://ada@build.com/x",
        "https://site.com/@ada.com",
        "a..b@x.com",
        "a@-x.com a@x-.com",
        "$@x.com @@x.com",
        "a@@x.com",
        "",
    ],
)
def test_what_only_looks_like_an_address_is_none(text):
    assert found(text) == []


def test_a_spoken_address_is_found_around_its_dot():
    text = "Write to ada at corp-x dot co dot uk if it fails"
    span = find_spoken(text, text.index(" dot "))
    assert span
    assert text[slice(*span)] == "ada at corp-x dot co dot uk"
    framed = "(ada[at]corp-x[dot]com)"
    span = find_spoken(framed, framed.index("[dot]"))
    assert span
    assert framed[slice(*span)] == "ada[at]corp-x[dot]com"
    for text in ("Look at the dot dot dot", "one dot two", "a matrix dot product"):
        assert find_spoken(text, text.index(" dot ")) is None, text
