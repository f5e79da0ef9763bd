import errno
import os

import pytest

from devtune.errors import DevtuneError, RecipeError, one_line


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, "no space left on the device; free space there or set another run_dir"),
        (errno.EDQUOT, "disk quota exceeded; free space there or set another run_dir"),
        (errno.EROFS, "the file system is read-only; set another run_dir"),
        (errno.EACCES, "permission denied; change its permissions or set another path"),
        (errno.EPERM, "operation not permitted; change its permissions or set another path"),
        (errno.ENOTDIR, "a part of the path is a file; set another path"),
        (errno.ENOENT, "no such file or directory; correct the path"),
    ],
)
def test_what_the_system_refuses_comes_with_a_remedy(number, expected):
    error = OSError(number, os.strerror(number))
    assert one_line(error, "/runs/out") == f"/runs/out: {expected}"


def test_a_remedy_names_the_setting_that_writes_elsewhere():
    error = OSError(errno.EROFS, os.strerror(errno.EROFS))
    said = one_line(error, "/runs/out", "--journal")
    assert said == "/runs/out: the file system is read-only; set another --journal"


def test_the_file_of_the_error_is_named_before_ours():
    error = FileNotFoundError(errno.ENOENT, "No such file", "/data/x")
    assert one_line(error, "/runs/out").startswith("/data/x: ")


def test_an_error_without_a_number_keeps_its_text():
    assert one_line(OSError("odd"), "/x") == "/x: odd; see the path"


def test_exit_codes_tell_a_wrong_recipe_from_a_failed_run():
    assert (DevtuneError.exit_code, RecipeError.exit_code) == (1, 2)
    assert issubclass(RecipeError, DevtuneError)
