"""Chat templates as Transformers compiles them, in Jinja's sandbox."""

import json
from pathlib import Path
from typing import Any, NoReturn

from jinja2 import Template, TemplateError, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from devtune.errors import DevtuneError


class Generation(Extension):
    """`{% generation %}` marks answers for those who mask by text; here it only shows them."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> nodes.Node:
        """Return the marked part by itself."""
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body, lineno=line)


def compile_template(text: str, directory: Path) -> Template:
    """Return a template that behaves as in `apply_chat_template`.

    Source: `transformers.utils.chat_template_utils._compile_jinja_template`.
    """
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
    )
    environment.filters["tojson"] = _to_json
    try:
        return environment.from_string(
            text, globals={"raise_exception": _refuse, "strftime_now": _no_date}
        )
    except TemplateError as error:
        raise DevtuneError(
            f"{directory}: its chat template is not Jinja ({error}); correct it"
        ) from None


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )


def _refuse(message: str) -> NoReturn:
    raise TemplateError(message)


def _no_date(_: str) -> NoReturn:
    raise TemplateError("the template asks for today's date; say one in it")
