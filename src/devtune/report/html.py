"""What the HTML pages share: every text escaped and made visible, one style, no script, no network.

Reads the templates and the style beside it; writes the page it is given.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from devtune.errors import RecipeError, one_line
from devtune.report.excerpt import visible

ROOM = Path(__file__).parent
STYLE = "page.css"
MAX_INLINE = 300


def write_html(target: Path, pieces: Iterable[str], directory: Path) -> Path:
    """Write a page that is as open to others as `directory`, whose texts it quotes.

    Nobody else reads it while it is written. Raises `RecipeError` where it cannot be.
    """
    partial = target.with_name(target.name + ".partial")
    try:
        partial.unlink(missing_ok=True)
        partial.touch(mode=0o600)
        with partial.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(pieces)
        partial.chmod(0o600 | directory.stat().st_mode & 0o044)
        partial.replace(target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise RecipeError(one_line(error, target)) from None
    return target


def fill(template: str, values: Mapping[str, Any], style_sheet: str = STYLE) -> Iterator[str]:
    """Yield a page in pieces; whatever text of the data it prints is escaped and made visible."""
    style = (ROOM / style_sheet).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    shared = {"style": Markup(style), "style_hash": digest}
    return _environment().get_template(template).generate({**shared, **values})


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(ROOM),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.filters |= {
        "count": lambda number: f"{number:,}",
        "percent": lambda share: f"{share:.1%}",
        "short": _short,
        "bytes": _bytes,
        "inline": inline,
        "lines": _lines,
        "words": _words,
    }
    return environment


def _finalize(value: Any) -> Any:
    """Whatever text a template prints has passed here, whether it asked for it or not."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _lines(text: str) -> Markup:
    return visible(text, has_lines=True)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _short(number: int) -> str:
    """Three digits and a unit: 950, 12.3k, 4.56M."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= size:
            value = number / size
            return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}{unit}"
    return str(number)


def _bytes(number: int) -> str:
    return f"{_short(number)}B"


def inline(text: str) -> str:
    """A path or a detail of any length, cut to a few lines."""
    if len(text) <= MAX_INLINE:
        return text
    return f"{text[:MAX_INLINE]}… ({len(text) - MAX_INLINE:,} more characters)"
