import pytest

from devtune.data.privacy.addresses import is_example
from devtune.data.privacy.secrets import find_secrets

PASSWORD, TOKEN = "tiger-" + "Lamp71", "c0a56a26f7af8d3bc1d6" + "3d2352495629299aa042"


@pytest.mark.parametrize(
    "address",
    [
        "postgres://app:{}@db1/shop", "mongodb+srv://app:{}@cluster0.test/", "redis://:{}@cache:1/0",
        "postgresql+asyncpg://app:{}@db1:5432/x", "\"postgres://app:{}@\" + host",
        "smtp://app%40mail.test:{}@smtp:587",
        "https://app:{}@git.test/a.git", "jdbc:oracle:thin:app/{}@db1:1521:x", "amqps://a:{}@[::1]/v",
        "ftp://app:{}@${HOST}/x", "https:\\/\\/app:{}@git.test",
    ],
)  # fmt: skip
def test_the_password_of_an_address_is_found_in_any_scheme(address):
    text = f"url = '{address.replace('{}', PASSWORD)}'"
    assert [text[each.start : each.end] for each in find_secrets(text)] == [PASSWORD]


def test_a_token_instead_of_a_user_is_found():
    for address in (f"https://{TOKEN}@git.test/a", f"https://{TOKEN}:x@git.test/a"):
        assert [address[each.start : each.end] for each in find_secrets(address)] == [TOKEN]


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:8080/a@b", "ssh://git@host.test:22/b.git", "https://user@git.test/a.git",
        "http://user:password@localhost/", "postgres://${USER}:${PASSWORD}@${HOST}/app",
        "http://{user}:{password}@{host}", "https://x.test/@scope/package", "redis://cache:6379/0",
        "http://user:pass%20pass@host/", "http://u:<password>@host",
    ],
)  # fmt: skip
def test_addresses_without_a_password_stay(address):
    assert not find_secrets(f"url = '{address}'")


def test_what_manuals_write_for_want_of_a_password_is_an_example():
    assert is_example("password")
    assert is_example("user%20pass")
    assert is_example("${DB_PASSWORD}")
    assert not is_example("guest")
    assert not is_example(PASSWORD)
