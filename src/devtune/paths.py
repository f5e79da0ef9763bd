"""Text that remembers which file of a recipe it was written in, so that paths follow their file."""

from pathlib import Path


class Located(str):
    """A string read from a recipe; `folder` is the directory of the file that says it."""

    folder: Path

    def __new__(cls, value: str, folder: Path) -> "Located":
        text = super().__new__(cls, value)
        text.folder = folder
        return text


def located(value: object) -> object:
    """Make a relative path absolute: from its own file if it has one, else from here."""
    if isinstance(value, Path):
        return value.absolute()
    if not isinstance(value, str):
        return value
    folder = value.folder if isinstance(value, Located) else Path.cwd()
    return Path(folder, Path(value).expanduser()).resolve()
