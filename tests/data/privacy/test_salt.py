import pytest

from devtune.data.privacy.salt import read_salt
from devtune.errors import RecipeError


@pytest.mark.parametrize(
    ("mode", "content", "expected"),
    [
        (0o640, b"s" * 64, "others than its owner can read it; chmod 600 salt.key"),
        (0o600, b"s" * 31, "a salt of less than 32 bytes can be guessed; write one with"),
        (None, b"", "no such file or directory"),
    ],
)
def test_a_salt_others_know_or_could_guess_is_refused(mode, content, expected, tmp_path):
    file = tmp_path / "salt.key"
    if mode is not None:
        file.write_bytes(content)
        file.chmod(mode)
    with pytest.raises(RecipeError) as caught:
        read_salt(file)
    assert str(caught.value).startswith(f"{file}: {expected}")


def test_no_salt_is_none():
    assert read_salt(None) == b""
