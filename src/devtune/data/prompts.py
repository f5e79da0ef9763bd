"""The Jinja templates of `data_prep/prompts`: how code is phrased as a request."""

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, StrictUndefined, TemplateError

from devtune.errors import DevtuneError, one_line


class Prompt:
    """One template file. A name the family does not give is an error, never an empty string."""

    def __init__(self, file: Path) -> None:
        self.file = file
        environment = Environment(
            undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
        )
        try:
            self._template = environment.from_string(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise DevtuneError(one_line(error, file)) from None
        except TemplateError as error:
            raise DevtuneError(f"{file}: not a valid template: {error}; correct it") from None

    def render(self, values: Mapping[str, object]) -> str:
        """Fill the template; surrounding blank space is dropped."""
        try:
            return self._template.render(values).strip()
        except TemplateError as error:
            known = ", ".join(sorted(values))
            raise DevtuneError(f"{self.file}: {error}; it may use: {known}") from None
