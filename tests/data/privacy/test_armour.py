import ast
import json
from base64 import b64encode

import pytest

from devtune.data.privacy.marking import Marker
from devtune.data.privacy.secrets import find_secrets

BEGIN, END = "-----BEGIN {}PRIVATE " + "KEY-----", "-----END {}PRIVATE " + "KEY-----"
PUTTY = "PuTTY-User-Key-" + "File-2: ssh-rsa"


@pytest.fixture(scope="module")
def pem(request) -> str:
    body = b64encode(bytes(range(3, 195))).decode()
    lines = [body[start : start + 64] for start in range(0, len(body), 64)]
    return "\n".join((BEGIN.format("RSA "), *lines, END.format("RSA ")))


def found(text: str) -> list[str]:
    assert all(each.kind == "PRIVATE_KEY" for each in find_secrets(text))
    return [text[each.start : each.end] for each in find_secrets(text)]


def test_a_block_is_one_stretch_from_its_first_dash_to_its_last(pem):
    assert found(f"# key\n{pem}\nafter\n") == [pem]
    for label in ("", "EC ", "ENCRYPTED ", "OPENSSH "):
        other = pem.replace("RSA ", label)
        assert found(other) == [other]


def test_a_block_is_found_in_every_quoting(pem):
    lines = pem.split("\n")
    texts = [
        json.dumps({"key": pem}), json.dumps(json.dumps(pem)),
        "\n".join(f"    {each}" for each in lines),
        "\n".join(f'"{each}\\n"' for each in lines), " +\n".join(f"'{each}\\n'" for each in lines),
        "\n".join(f"+{each}" for each in lines), pem.replace("\n", "\r\n"), f"<key>{pem}</key>",
        "\n".join(f"// {each}" for each in lines), ",\n".join(f"`{each}`" for each in lines),
    ]  # fmt: skip
    for text in texts:
        assert len(found(text)) == 1
        marked = Marker(b"k" * 32).mark(text)
        assert not any(each in marked for each in lines), text


def test_a_block_that_was_cut_is_found_up_to_its_last_line(pem):
    cut = "\n".join(pem.split("\n")[:4])
    assert found(f"{cut}\n... more\n") == [cut]


def test_code_with_a_key_in_it_still_parses(pem):
    lines = "\n".join(f'    "{each}\\n"' for each in pem.split("\n"))
    ast.parse(Marker(b"k" * 32).mark(f"KEY = (\n{lines}\n)\n"))


def test_a_mere_mention_and_what_is_public_stay(pem):
    public = pem.replace("RSA PRIVATE", "PUBLIC")
    for text in (
        f'HEADER = "{BEGIN.format("")}"\n',
        f'if "{BEGIN.format("RSA ")}" in text: return parse(text)\n',
        f"{BEGIN.format('')}\n...\n{END.format('')}\n", public,
        pem.replace("RSA PRIVATE KEY", "CERTIFICATE"),
    ):  # fmt: skip
        assert not find_secrets(text)


def test_two_blocks_are_two_keys(pem):
    assert found(f"{pem}\n{pem}\n") == [pem, pem]
    assert found(f"{BEGIN.format('')} is how it begins\n{pem}\n") == [pem]


def test_a_key_without_its_armour_is_found(pem):
    der = "MIIEpAIBAA" + "KCAQEA" + b64encode(bytes(range(3, 99))).decode()
    assert found(f'key: "{der}"\n') == [der]
    wrapped = b64encode(pem.encode()).decode()
    assert found(f"client-data: {wrapped}\n") == [wrapped]
    assert not find_secrets("MIIEpAIBAA" + "KCAQEA is how one begins")


def test_a_key_of_putty_is_found_with_its_private_lines():
    lines = b64encode(bytes(range(90))).decode()
    public = f"{PUTTY}\nPublic-Lines: 1\n{lines[:40]}\n"
    text = f"{public}Private-Lines: 1\n{lines}\nPrivate-MAC: {'0a' * 20}\n"
    (key,) = found(text)
    assert lines in key
    assert key.endswith("0a")
    assert not find_secrets(f"{PUTTY} is the first line\n")
