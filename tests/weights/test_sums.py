import hashlib

import pytest

from devtune.errors import DevtuneError
from devtune.progress import Progress
from devtune.weights.sums import verify_sums

QUIET = Progress("quiet")


@pytest.fixture
def directory(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "tekken.json").write_bytes(b"{}")
    lines = [
        f"{hashlib.sha256(b'weights').hexdigest()}  model.safetensors",
        "",
        f"{hashlib.sha256(b'{}').hexdigest().upper()} *./tekken.json",
    ]
    (tmp_path / "SHA256SUMS").write_text("\n".join(lines) + "\n")
    return tmp_path


def refusal(directory, *not_read):
    with pytest.raises(DevtuneError) as raised:
        verify_sums(directory, QUIET, not_read)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_files_that_are_what_was_published_are_counted(directory):
    assert verify_sums(directory, QUIET) == 2


def test_without_sums_there_is_nothing_to_verify(tmp_path):
    assert verify_sums(tmp_path, QUIET) == 0


def test_a_file_of_another_content_is_named(directory):
    (directory / "model.safetensors").write_bytes(b"weight5")
    expected = hashlib.sha256(b"weights").hexdigest()[:16]
    message = refusal(directory)
    assert f"{directory / 'model.safetensors'}: sha256 is " in message
    assert f"…, SHA256SUMS says {expected}…; copy it again" in message


def test_a_file_that_is_named_but_missing_is_an_error(directory):
    (directory / "model.safetensors").unlink()
    expected = f"{directory / 'model.safetensors'}: missing, but SHA256SUMS names it; copy it again"
    assert refusal(directory) == expected


def test_files_of_the_layout_that_is_not_read_may_be_missing(directory):
    with (directory / "SHA256SUMS").open("a") as file:
        file.write(
            f"{'0' * 64}  consolidated-00001-of-00002.safetensors\n{'0' * 64}  params.json\n"
        )
    assert verify_sums(directory, QUIET, ("consolidated", "params.json")) == 2


@pytest.mark.parametrize("line", ["abc  tekken.json", f"{'0' * 64}", f"\\{'0' * 64}  a\\nb"])
def test_a_line_that_is_not_of_sha256sum_is_named(directory, line):
    (directory / "SHA256SUMS").write_text(f"\n{line}\n")
    assert "SHA256SUMS:2: not a sha256 and a file name; make it with" in refusal(directory)


@pytest.mark.parametrize("name", ["/etc/passwd", "../secret", "a/../../secret"])
def test_nothing_outside_the_directory_is_read(directory, name):
    (directory / "SHA256SUMS").write_text(f"{'0' * 64}  {name}\n")
    assert f"SHA256SUMS:1: {name} is outside the directory; remove" in refusal(directory)


def test_sums_that_are_not_text_are_named(directory):
    (directory / "SHA256SUMS").write_bytes(b"\xff\xfe")
    assert "SHA256SUMS: not text; make it with `sha256sum`" in refusal(directory)
