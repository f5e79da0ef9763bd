"""Formats that carry a checksum or a structure: tokens, macaroons, JWT, bech32, armour, DER.

Reads and writes nothing.
"""

import base64
import hashlib
import hmac
import json
import random
import zlib

from planted.kinds import ALPHABETS, draw

BASE62 = ALPHABETS["an"]
BASE36 = BASE62[:10] + BASE62[36:]
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def number(value: int, digits: str, width: int) -> str:
    """Write a number in a base, padded with its zero."""
    text = ""
    while value:
        value, rest = divmod(value, len(digits))
        text = digits[rest] + text
    return text.rjust(width, digits[0])


def checked(rng: random.Random, prefix: str) -> str:
    """A prefix, 30 characters, and the CRC32 of these as six base-62 digits."""
    body = draw(rng, "<an:30>")
    return prefix + body + number(zlib.crc32(body.encode()), BASE62, 6)


def routable(rng: random.Random) -> str:
    """A GitLab token that says where it belongs, with its length and CRC32 in base 36."""
    payload = url_base64(f"c:1\no:{rng.randrange(9)}\n".encode() + rng.randbytes(18))
    head = f"glpat-{payload}.01.{number(len(payload), BASE36, 2)}"
    return head + number(zlib.crc32(head.encode()), BASE36, 7)


def grafana(rng: random.Random) -> str:
    """A Grafana service account token, which ends in the CRC32 of the rest."""
    head = draw(rng, "glsa_<an:32>")
    return f"{head}_{zlib.crc32(head.encode()):08x}"


def atlassian(rng: random.Random) -> str:
    """An Atlassian API token, which ends in a CRC32 too."""
    head = draw(rng, "ATATT3xFfGF0<w:170>")
    return f"{head}={zlib.crc32(head.encode()):08X}"


def macaroon(rng: random.Random) -> str:
    """An upload token: a macaroon of version 2 with one caveat and its chain of HMACs."""
    identifier = draw(rng, "<uuid>").encode()
    caveat = json.dumps([1, draw(rng, "<uuid>")]).encode()
    signature = hmac.digest(hmac.digest(rng.randbytes(32), identifier, "sha256"), caveat, "sha256")
    fields = (b"\x02", identifier, b"", None, b"\x02", caveat, b"", None)
    body = base64.b64decode("AgEIcHlwaS5vcmc=")  # version and location: how all of them begin
    for tag, content in zip(fields[::2], fields[1::2], strict=True):
        body += b"\x00" if content is None else (tag or b"") + bytes([len(content)]) + content
    return "pypi-" + url_base64(body + b"\x00\x06\x20" + signature)


def jwt(rng: random.Random) -> str:
    """A JSON web token, signed with a key nobody has."""
    head = url_base64(b'{"alg":"HS256","typ":"JWT"}')
    times = {"iat": 1_700_000_000 + rng.randrange(10**7), "sub": draw(rng, "<uuid>")}
    signed = f"{head}.{url_base64(json.dumps({**times, 'role': 'admin'}).encode())}"
    return f"{signed}.{url_base64(hmac.digest(rng.randbytes(32), signed.encode(), hashlib.sha256))}"


def age_key(rng: random.Random) -> str:
    """An age identity: bech32 with its checksum."""
    prefix = "age-secret-key-"
    bits = int.from_bytes(rng.randbytes(32), "big") << 4
    data = [bits >> 5 * place & 31 for place in reversed(range(52))]
    high, low = [ord(each) >> 5 for each in prefix], [ord(each) & 31 for each in prefix]
    check = _polymod([*high, 0, *low, *data, *([0] * 6)]) ^ 1
    data += [check >> 5 * (5 - place) & 31 for place in range(6)]
    return (prefix + "1" + "".join(BECH32[each] for each in data)).upper()


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for place, part in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= part if top >> place & 1 else 0
    return check


def url_base64(data: bytes) -> str:
    """Base64 for addresses, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def plain_base64(data: "bytes | str") -> str:
    """Base64 with padding."""
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()


def der(tag: int, *parts: bytes) -> bytes:
    """One element of DER."""
    body = b"".join(parts)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    size = (len(body).bit_length() + 7) // 8
    return bytes([tag, 128 + size]) + len(body).to_bytes(size, "big") + body


def rsa_der(rng: random.Random, num_bytes: int = 256) -> bytes:
    """The shape of an RSA private key whose numbers are no primes."""

    def integer(size: int) -> bytes:
        return der(2, b"\0" + bytes([rng.randrange(128, 256)]) + rng.randbytes(size - 1))

    large, half = num_bytes, num_bytes // 2
    public = der(2, b"\x01\x00\x01")
    rest = (integer(large), *(integer(half) for _ in range(5)))
    return der(0x30, der(2, b"\0"), integer(large), public, *rest)


def pkcs8_der(rng: random.Random) -> bytes:
    """An RSA key's shape in PKCS 8."""
    algorithm = der(0x30, der(6, bytes.fromhex("2a864886f70d010101")), der(5))
    return der(0x30, der(2, b"\0"), algorithm, der(4, rsa_der(rng)))


def ec_der(rng: random.Random) -> bytes:
    """The shape of a P-256 private key whose point is on no curve."""
    curve = der(0xA0, der(6, bytes.fromhex("2a8648ce3d030107")))
    point = der(0xA1, der(3, b"\0\x04" + rng.randbytes(64)))
    return der(0x30, der(2, b"\x01"), der(4, rng.randbytes(32)), curve, point)


def openssh(rng: random.Random) -> bytes:
    """The shape of an ed25519 key as ssh-keygen writes it."""

    def field(data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + data

    public, name = rng.randbytes(32), field(b"ssh-ed25519")
    twice = rng.randbytes(4) * 2
    private = twice + name + field(public) + field(rng.randbytes(32) + public) + field(b"ci@build")
    private += bytes(range(1, 1 + -len(private) % 8))
    head = b"openssh-key-v1\0" + field(b"none") + field(b"none") + field(b"") + b"\0\0\0\x01"
    return head + field(name + field(public)) + field(private)


def armour(label: str, data: bytes, width: int = 64, tail: str = "") -> tuple[str, tuple[str, ...]]:
    """Wrap bytes between BEGIN and END; return the text and the lines that are secret."""
    body = plain_base64(data)
    lines = tuple(body[start : start + width] for start in range(0, len(body), width))
    dashes = "-" * 5
    inner = "\n".join((*lines, *([tail] if tail else [])))
    return f"{dashes}BEGIN {label}{dashes}\n{inner}\n{dashes}END {label}{dashes}", lines


def crc24(data: bytes) -> str:
    """The checksum line of OpenPGP armour."""
    check = 0xB704CE
    for byte in data:
        check ^= byte << 16
        for _ in range(8):
            check <<= 1
            check ^= 0x1864CFB if check & 0x1000000 else 0
    return "=" + plain_base64(check.to_bytes(3, "big"))
