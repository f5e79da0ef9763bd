import pytest

from devtune.errors import RecipeError
from devtune.record.address import is_loopback, parse_address


@pytest.mark.parametrize(
    ("text", "authority", "port", "printed"),
    [
        ("http://127.0.0.1:8000/v1/", "127.0.0.1:8000", 8000, "http://127.0.0.1:8000/v1"),
        ("https://models.test", "models.test", 443, "https://models.test"),
        ("https://models.test:443/a/v1", "models.test", 443, "https://models.test/a/v1"),
        ("http://[::1]:8000/v1", "[::1]:8000", 8000, "http://[::1]:8000/v1"),
    ],
)
def test_a_base_url_is_taken_apart(text, authority, port, printed):
    address = parse_address(text)
    assert (address.authority, address.port, str(address)) == (authority, port, printed)
    assert address.is_encrypted is text.startswith("https")


@pytest.mark.parametrize(
    "text", ["", "127.0.0.1:8000", "ftp://x/v1", "http://", "http://x:y/", "http://a b/", "http://[x"]
)  # fmt: skip
def test_what_is_no_url_is_refused(text):
    with pytest.raises(RecipeError) as refused:
        parse_address(text)
    assert str(refused.value) == "--to: no URL; give one like http://127.0.0.1:8000/v1"


@pytest.mark.parametrize("text", ["http://u:sk-1@x/v1", "http://x/v1?key=sk-1", "http://x/#sk-1"])
def test_a_key_in_it_is_refused_and_not_repeated(text):
    with pytest.raises(RecipeError) as refused:
        parse_address(text)
    assert str(refused.value) == (
        "--to: give scheme, host, port and path alone; the agent sends its key itself"
    )


def test_loopback_is_told_from_other_places():
    assert all(map(is_loopback, ("127.0.0.1", "127.9.9.9", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.0.1", "box", "")))
