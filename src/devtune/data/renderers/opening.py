"""Which renderer a directory of weights, or a dataset, asks for."""

from pathlib import Path

from devtune.data.renderers.rows import Renderer
from devtune.errors import DevtuneError

TEKKEN, TOKENIZER = "tekken.json", "tokenizer.json"
MISTRAL_FILES = (TEKKEN,)
TEMPLATE_FILES = (
    TOKENIZER, "tokenizer_config.json", "chat_template.jinja", "generation_config.json",
)  # fmt: skip
"""What a chat template needs; those that are there."""


def files_of(directory: Path) -> list[Path]:
    """Return what the tokens of a directory depend on, mistral-common's own file before others.

    Raises:
        DevtuneError: it has no tokenizer.
    """
    names = MISTRAL_FILES if (directory / TEKKEN).is_file() else TEMPLATE_FILES
    found = [directory / name for name in names if (directory / name).is_file()]
    if found and found[0].name in (TEKKEN, TOKENIZER):
        return found
    raise DevtuneError(
        f"{directory}: no tokenizer; import weights that ship a {TEKKEN}, or a {TOKENIZER} with a"
        " chat template"
    )


def open_renderer(directory: Path) -> Renderer:
    """Return mistral-common where there is a `tekken.json`, the chat template elsewhere."""
    first, *_ = files_of(directory)
    if first.name == TEKKEN:
        from devtune.data.renderers.mistral import MistralRenderer

        return MistralRenderer(first)
    from devtune.data.renderers.chat_template import ChatTemplateRenderer

    return ChatTemplateRenderer(directory)
