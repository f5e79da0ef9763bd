"""What went wrong, in one line for the user: what, where, what to do."""

import errno
from pathlib import Path


class DevtuneError(Exception):
    """A fault the user can mend; its text is the one line that is printed.

    `exit_code` is 1 for a run that failed and 2 for a recipe or command that is wrong.
    """

    exit_code = 1

    def _render_traceback_(self) -> list[str]:
        """What IPython shows of it: the line, as on the command line, and no frames of ours."""
        return [f"devtune: error: {' '.join(str(self).split())}"]


class RecipeError(DevtuneError):
    """The recipe or the command line is wrong; nothing was started."""

    exit_code = 2


def one_line(error: OSError, where: Path | str, setting: str = "run_dir") -> str:
    """Say what the operating system refused at `where`, and what to do about it.

    `setting` is what the user can set to write elsewhere.
    """
    remedies = {
        errno.ENOSPC: ("no space left on the device", f"free space there or set another {setting}"),
        errno.EDQUOT: ("disk quota exceeded", f"free space there or set another {setting}"),
        errno.EROFS: ("the file system is read-only", f"set another {setting}"),
        errno.EACCES: ("permission denied", "change its permissions or set another path"),
        errno.EPERM: ("operation not permitted", "change its permissions or set another path"),
        errno.ENOTDIR: ("a part of the path is a file", "set another path"),
        errno.ENOENT: ("no such file or directory", "correct the path"),
    }
    what, remedy = remedies.get(error.errno or 0, (error.strerror or str(error), "see the path"))
    place = error.filename if isinstance(error.filename, str) else where
    return f"{place}: {what}; {remedy}"
