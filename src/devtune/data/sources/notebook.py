"""Jupyter notebooks as one text in percent format: their cells without outputs and attachments.

Works on the JSON of nbformat 3 and 4; reads and writes no files, and runs nothing.
"""

import json
import re
from typing import Any

from devtune.data.sources.fields import Object, as_object, as_objects, as_text

DEFAULT_LANGUAGE = "python"
"""What a notebook holds that names no language, as Jupyter has it."""
_FENCES = {
    "bash": "bash", "c": "c", "c#": "csharp", "c++": "cpp", "clojure": "clojure", "cpp": "cpp",
    "csharp": "csharp", "elixir": "elixir", "go": "go", "haskell": "haskell", "ir": "r",
    "java": "java", "javascript": "javascript", "julia": "julia", "kotlin": "kotlin",
    "lua": "lua", "node": "javascript", "perl": "perl", "php": "php", "r": "r", "ruby": "ruby",
    "rust": "rust", "sagemath": "python", "scala": "scala", "sh": "bash", "sql": "sql",
    "swift": "swift", "tcl": "tcl", "typescript": "typescript",
}  # fmt: skip
_MARKERS = {
    **dict.fromkeys(("c", "cpp", "csharp", "go", "java", "javascript", "kotlin"), "//"),
    **dict.fromkeys(("php", "rust", "scala", "swift", "typescript"), "//"),
    **dict.fromkeys(("haskell", "lua", "sql"), "--"),
    "clojure": ";;",
}
_PYTHON = re.compile(r"i?python[\d.]*|pyodide|xeus-python|xpython|pyspark\w*|pysparkkernel")
_MAGIC = re.compile(
    r"%{1,2}[A-Za-z_]|!(?!=)"  # %matplotlib, %%time, !ls
    r"|[\w.,\[\]'\" ]{1,200}=\s*(?:%[A-Za-z_]|!(?!=))"  # files = !ls
    r"|\?{1,2}[\w.]+\s*$|[\w.]{1,200}\?{1,2}\s*$"  # ?name, name??
)
_TRANSPARENT = ("%%time", "%%timeit", "%%capture", "%%prun", "%%memit", "%%mprun")
"""Cell magics around code that is still Python; any other hands the whole cell to something."""
_TRIPLE_QUOTE = re.compile(r"\"{3}|'{3}")
_INLINE_DATA = re.compile(r"data:[\w/+.-]{1,100};base64,[A-Za-z0-9+/=]++")
_LANGUAGE_SUFFIX = re.compile(r"(?<=[a-z#+])[\d.]+(?=$|\W)")


def read_notebook(text: str) -> tuple[str, str] | None:
    """Return (text in percent format, fence name of its language); None for what is no notebook.

    Markdown and raw cells are comments, and so are magics. A language without a known fence
    gives `""` and is commented with `#`.
    """
    try:
        notebook = as_object(json.loads(text))
    except (ValueError, RecursionError):
        return None
    cells = _cells(notebook)
    if cells is None:
        return None
    language = _language(notebook, cells)
    marker = _MARKERS.get(language, "#")
    blocks = [block for cell in cells if (block := _block(cell, language, marker))]
    return ("\n\n".join(blocks) + "\n" if blocks else "", language)


def _cells(notebook: Object) -> list[Object] | None:
    if isinstance(notebook.get("cells"), list):
        has_format = isinstance(notebook.get("nbformat"), int) or "metadata" in notebook
        return as_objects(notebook["cells"]) if has_format else None
    if isinstance(notebook.get("worksheets"), list) and "nbformat" in notebook:
        sheets = as_objects(notebook["worksheets"])
        return [cell for sheet in sheets for cell in as_objects(sheet.get("cells"))]
    return None


def _language(notebook: Object, cells: list[Object]) -> str:
    metadata = as_object(notebook.get("metadata"))
    kernel = as_object(metadata.get("kernelspec"))
    names = (
        as_object(metadata.get("language_info")).get("name"),
        kernel.get("language"),
        kernel.get("name"),
        *(cell.get("language") for cell in cells if cell.get("cell_type") == "code"),
    )
    given = [name.strip().lower() for each in names if (name := as_text(each))]
    for name in given:
        if found := _fence(name):
            return found
    return "" if given else DEFAULT_LANGUAGE


def _fence(name: str) -> str:
    if _PYTHON.fullmatch(name):
        return "python"
    # `julia-1.9`, `C++17`, `.net-csharp`
    bare = _LANGUAGE_SUFFIX.sub("", name.removeprefix(".net-")).rstrip("- ")
    return _FENCES.get(name) or _FENCES.get(bare, "")


def _block(cell: Object, language: str, marker: str) -> str:
    kind = cell.get("cell_type")
    source = _source(cell).strip("\n")
    if not source.strip():
        return ""
    if kind == "code":
        code = _comment_magics(source) if language == "python" else source
        return f"{marker} %%\n{code}"
    if kind == "heading":
        level = cell.get("level")
        depth = level if isinstance(level, int) and 1 <= level <= 6 else 1
        kind, source = "markdown", f"{'#' * depth} {source}"
    if kind not in ("markdown", "raw"):
        return ""
    source = _INLINE_DATA.sub("data:", source)
    return f"{marker} %% [{kind}]\n" + "\n".join(_comment(source.split("\n"), marker))


def _source(cell: Object) -> str:
    source: Any = cell.get("source", cell.get("input"))
    if isinstance(source, list):
        source = "".join(each for each in source if isinstance(each, str))
    return as_text(source)


def _comment(lines: list[str], marker: str) -> list[str]:
    return [f"{marker} {line}".rstrip() for line in lines]


def _comment_magics(code: str) -> str:
    lines = code.split("\n")
    head = lines[0].split(maxsplit=1)
    if head and head[0].startswith("%%") and head[0] not in _TRANSPARENT:
        return "\n".join(_comment(lines, "#"))
    commented: list[str] = []
    goes_on = is_quoted = False
    for line in lines:
        is_magic = goes_on or (not is_quoted and _is_magic(line))
        is_quoted ^= not is_magic and bool(len(_TRIPLE_QUOTE.findall(line)) % 2)
        goes_on = is_magic and line.endswith("\\")
        indent = line[: len(line) - len(line.lstrip())]
        commented.append(f"{indent}# {line.lstrip()}".rstrip() if is_magic else line)
    return "\n".join(commented)


def _is_magic(line: str) -> bool:
    bare = line.strip()
    if not _MAGIC.match(bare):
        return False
    # `      %name)` inside brackets is an operator that goes on, not a magic.
    is_operand = line[0].isspace() and bare.startswith("%") and bare.count(")") > bare.count("(")
    return not is_operand
