"""Docstring → function and function → docstring, for Python."""

import ast
import hashlib
import inspect
import textwrap
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from devtune.data.corpus import Corpus, Made, Yield, make_sample, reject
from devtune.data.languages import language_of
from devtune.data.prompts import Prompt
from devtune.recipe import DocstringToFunction, FunctionToDocstring
from devtune.records import SourceFile

FunctionStep = DocstringToFunction | FunctionToDocstring


@dataclass(frozen=True, slots=True)
class Function:
    """One documented function, dedented."""

    qualified_name: str
    signature: str
    """Decorators and the `def` line(s), ending with the colon."""
    docstring: str
    """Cleaned as `inspect.cleandoc` does."""
    docstring_source: str
    """As written, quotes included."""
    body: str
    """Everything after the docstring."""
    digest: str
    """Hash of the whole text: one version of one function."""

    @property
    def num_lines(self) -> int:
        return self.signature.count("\n") + self.body.count("\n") + 2


def docstring_to_function(step: DocstringToFunction, corpus: Corpus) -> Yield:
    """Yield samples that ask for the body and show signature and docstring."""
    prompt = Prompt(step.prompt)
    for file, function in _documented(step, corpus):
        if not isinstance(function, Function):
            yield reject(function[0], file.provenance, function[1])
            continue
        request = prompt.render(
            {
                "path": file.provenance.path,
                "name": function.qualified_name,
                "signature": function.signature,
                "docstring": function.docstring,
            }
        )
        documented = textwrap.indent(function.docstring_source, "    ")
        answer = _fenced(f"{function.signature}\n{documented}\n{function.body}")
        yield Made(file.split, make_sample(step.type, request, answer, file.provenance))


def function_to_docstring(step: FunctionToDocstring, corpus: Corpus) -> Yield:
    """Yield samples that ask for the docstring and show the function without it."""
    prompt = Prompt(step.prompt)
    for file, function in _documented(step, corpus):
        if not isinstance(function, Function):
            yield reject(function[0], file.provenance, function[1])
            continue
        request = prompt.render(
            {
                "path": file.provenance.path,
                "name": function.qualified_name,
                "code": f"{function.signature}\n{function.body}",
            }
        )
        sample = make_sample(step.type, request, function.docstring, file.provenance)
        yield Made(file.split, sample)


def _documented(
    step: FunctionStep, corpus: Corpus
) -> Iterator[tuple[SourceFile, Function | tuple[str, str]]]:
    """Every documented function, or (reason, name) where it is left out.

    A function that stands in the tree at the cut is never held out, wherever it was moved since.
    """
    at_cut: set[str] = set()
    for file in (*corpus.files("train"), *corpus.files("held_out")):
        if language_of(file.provenance.path) != "python":
            continue
        functions = functions_of(file.text)
        if functions is None:
            yield file, ("not_parseable", "")
            continue
        for function in functions:
            if file.split == "held_out" and function.digest in at_cut:
                yield file, ("already_at_the_cut", function.qualified_name)
                continue
            if file.split == "train":
                at_cut.add(function.digest)
            reason = _unsuitable(function, step)
            yield file, (reason, function.qualified_name) if reason else function


def _unsuitable(function: Function, step: FunctionStep) -> str:
    if len(function.docstring.split()) < step.min_docstring_words:
        return "docstring_too_short"
    if function.body.count("\n") + 1 < step.min_lines:
        return "function_too_short"
    if function.num_lines > step.max_lines:
        return "function_too_long"
    return ""


def functions_of(text: str) -> list[Function] | None:
    """Return the documented functions of a module in file order; None when it does not parse."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in the code under study
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    lines = text.splitlines(keepends=True)
    return [
        function
        for node, name in _walk(tree, "")
        if (function := _function(node, name, lines)) is not None
    ]


def _walk(
    node: ast.AST, prefix: str
) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, str]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child, prefix + child.name
        elif isinstance(child, ast.ClassDef):
            yield from _walk(child, f"{prefix}{child.name}.")


def _function(
    node: ast.FunctionDef | ast.AsyncFunctionDef, name: str, lines: list[str]
) -> Function | None:
    first = node.body[0]
    text = _string(first)
    # A one-liner, or a docstring sharing its line with code, has no lines of its own to take.
    if text is None or len(node.body) < 2 or first.lineno <= node.lineno:
        return None
    if node.body[1].lineno <= (first.end_lineno or first.lineno):
        return None
    start = min([node.lineno, *(each.lineno for each in node.decorator_list)]) - 1
    end = node.end_lineno or node.lineno
    doc_start, doc_end = first.lineno - 1, first.end_lineno or first.lineno
    whole = "".join(lines[start:end])
    signature = textwrap.dedent("".join(lines[start:doc_start])).rstrip("\n")
    indent = len(lines[start]) - len(lines[start].lstrip())
    body = "".join(line[indent:] if line.strip() else "\n" for line in lines[doc_end:end])
    return Function(
        qualified_name=name,
        signature=signature,
        docstring=inspect.cleandoc(text),
        docstring_source=textwrap.dedent("".join(lines[doc_start:doc_end])).strip("\n"),
        body=body.strip("\n"),
        digest=hashlib.sha256(textwrap.dedent(whole).encode()).hexdigest(),
    )


def _string(statement: ast.stmt) -> str | None:
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Constant):
        return None
    value = statement.value.value
    return value if isinstance(value, str) else None


def _fenced(code: str) -> str:
    return f"```python\n{code}\n```"
