"""The Jinja templates of `data_prep/prompts`: how code is phrased as a request.

Reads one template file; writes nothing. A template is sandboxed: it phrases, it cannot act.
"""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from devtune.data.languages import fence_for
from devtune.errors import DevtuneError, one_line


class Prompt:
    """One template file. A name the family does not give is an error, never an empty string."""

    def __init__(self, file: Path) -> None:
        self.file = file
        environment = ImmutableSandboxedEnvironment(
            undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
        )
        try:
            content = file.read_bytes()
            self._template = environment.from_string(content.decode("utf-8"))
        except OSError as error:
            raise DevtuneError(one_line(error, file)) from None
        except UnicodeDecodeError:
            raise DevtuneError(f"{file}: not UTF-8 text; a prompt is a Jinja template") from None
        except TemplateSyntaxError as error:
            raise DevtuneError(
                f"{file}:{error.lineno}: not a valid template: {error.message}; correct it"
            ) from None

        self.label = f"{file.name}@{hashlib.sha256(content).hexdigest()[:12]}"
        """Which template this is, to the byte."""

    def render(self, values: Mapping[str, object], key: str = "") -> str:
        """Fill the template; surrounding blank space is dropped.

        Besides `values` it may use `fence`, a Markdown fence longer than any in them, and
        `pick(a, b, …)`, one of several phrasings: equal `key`, equal choice.
        """
        texts = "\n".join(each for each in values.values() if isinstance(each, str))
        values = {**values, "fence": fence_for(texts), "pick": _picker(key)}
        try:
            request = self._template.render(values).strip()
        except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
            known = ", ".join(sorted(values))
            raise DevtuneError(f"{self.file}: {error}; it may use: {known}") from None
        if not request:
            raise DevtuneError(f"{self.file}: the request it gives is empty; write one")
        return request


def _picker(key: str) -> Callable[..., object]:
    """Return a function that chooses one of its arguments, each time anew, by hash of `key`."""
    num_picked = 0

    def pick(*phrasings: object) -> object:
        nonlocal num_picked
        num_picked += 1
        digest = hashlib.sha256(f"{num_picked} {key}".encode("utf-8", "replace")).digest()
        return phrasings[int.from_bytes(digest[:8], "big") % len(phrasings)]

    return pick
