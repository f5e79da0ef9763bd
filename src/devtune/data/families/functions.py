"""Docstring → function and function → docstring, for Python.

Reads the Python files of a corpus; writes nothing, and imports nothing it reads.
"""

import ast
import inspect
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

from devtune.data.corpus import (
    Corpus,
    Made,
    Yield,
    make_sample,
    passage_of,
    reject,
    split_lines,
)
from devtune.data.languages import fenced, language_of
from devtune.data.prompts import Prompt
from devtune.pipeline import DocstringToFunction, FunctionToDocstring
from devtune.records import SourceFile

FunctionStep = DocstringToFunction | FunctionToDocstring
AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Function:
    """One documented function, dedented."""

    qualified_name: str
    signature: str
    """Decorators and the `def` line(s), ending with the colon."""
    docstring: str
    """Cleaned as `inspect.cleandoc` does."""
    body: str
    """Everything after the docstring."""
    text: str
    """The whole function as written, docstring included."""

    @property
    def num_lines(self) -> int:
        return self.signature.count("\n") + self.body.count("\n") + 2


def docstring_to_function(step: DocstringToFunction, corpus: Corpus) -> Yield:
    """Yield samples that ask for the body and show signature and docstring."""

    def phrase(function: Function) -> tuple[dict[str, str], str]:
        shown = {"signature": function.signature, "docstring": function.docstring}
        return shown, fenced(function.text, "python")

    return _samples(step, corpus, phrase)


def function_to_docstring(step: FunctionToDocstring, corpus: Corpus) -> Yield:
    """Yield samples that ask for the docstring and show the function without it."""

    def phrase(function: Function) -> tuple[dict[str, str], str]:
        return {"code": f"{function.signature}\n{function.body}"}, function.docstring

    return _samples(step, corpus, phrase)


def _samples(
    step: FunctionStep, corpus: Corpus, phrase: Callable[[Function], tuple[dict[str, str], str]]
) -> Yield:
    """Ask for each function as `phrase` says: what the request shows, and the answer."""
    prompt = Prompt(step.prompt)
    for file, function in _documented(step, corpus):
        where = file.provenance
        if not isinstance(function, Function):
            yield reject(function[0], where, function[1])
            continue
        shown, answer = phrase(function)
        request = prompt.render({"path": where.path, "name": function.qualified_name, **shown})
        yield Made(file.split, make_sample(step.type, request, answer, where))


def _documented(
    step: FunctionStep, corpus: Corpus
) -> Iterator[tuple[SourceFile, Function | tuple[str, str]]]:
    """Every documented function, or (reason, name) where it is left out.

    A function whose body stands in a text that is trained on is never held out, wherever it was
    moved since.
    """
    trained = corpus.find_trained(
        passage_of(function.body)
        for file in corpus.files("held_out")
        if language_of(file.provenance.path) == "python"
        for function in functions_of(file.text) or ()
    )
    for file in chain(corpus.files("train"), corpus.files("held_out")):
        if language_of(file.provenance.path) != "python":
            continue
        functions = functions_of(file.text)
        if functions is None:
            yield file, ("not_parseable", "")
            continue
        for function in functions:
            reason = _unsuitable(function, step)
            if file.split == "held_out" and passage_of(function.body) in trained:
                reason = "already_at_the_cut"
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
    """Return the documented functions of a module in file order; None when it does not parse.

    Line ends become `\\n`, as Python itself reads them.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    tree = _parsed(text)
    if tree is None:
        return None
    lines = split_lines(text)
    return [
        function
        for node, name in _walk(tree)
        if (function := _function(node, name, lines)) is not None
    ]


def _parsed(text: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in the code under study
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _walk(tree: ast.Module) -> Iterator[tuple[AnyFunction, str]]:
    """Yield functions and methods, also those behind an `if` or `try`; not what they enclose."""
    # A stack, because an `elif` is one level deeper than the `if` before it.
    stack: list[tuple[ast.AST, str]] = [(tree, "")]
    while stack:
        node, prefix = stack.pop()
        if isinstance(node, AnyFunction):
            yield node, prefix + node.name
            continue
        if isinstance(node, ast.ClassDef):
            prefix = f"{prefix}{node.name}."
        inner = [
            child
            for child in ast.iter_child_nodes(node)
            if isinstance(child, ast.stmt | ast.excepthandler | ast.match_case)
        ]
        stack.extend((child, prefix) for child in reversed(inner))


def _function(node: AnyFunction, name: str, lines: list[str]) -> Function | None:
    first = node.body[0]
    docstring = _string(first)
    if docstring is None or len(node.body) < 2:
        return None
    doc_start, doc_end = first.lineno - 1, first.end_lineno or first.lineno
    # A docstring that shares its lines with code has no lines of its own to take.
    before = lines[doc_start].encode()[: first.col_offset]
    if before.strip() or node.body[1].lineno <= doc_end:
        return None
    start = min([node.lineno, *(each.lineno for each in node.decorator_list)]) - 1
    end = node.end_lineno or node.lineno
    own = [lines[start].lstrip("\f"), *lines[start + 1 : end]]
    indent = re.match(r"[ \t]*", own[0])
    for kept in (set[int](), _inside_strings(node, start)):
        whole = _dedented(own, indent.group() if indent else "", kept)
        function = Function(
            qualified_name=name,
            signature="".join(whole[: doc_start - start]).rstrip("\n"),
            docstring=inspect.cleandoc(docstring),
            body="".join(whole[doc_end - start :]).strip("\n"),
            text="".join(whole).rstrip("\n"),
        )
        if _says_the_same(function, node):
            return function
    return None


def _dedented(lines: list[str], indent: str, kept: set[int]) -> list[str]:
    return [
        line if number in kept else line.removeprefix(indent) if line.strip() else "\n"
        for number, line in enumerate(lines)
    ]


def _inside_strings(node: AnyFunction, start: int) -> set[int]:
    """Return the lines, counted from `start`, whose indentation may belong to a string."""
    inside: set[int] = set()
    for each in ast.walk(node):
        text = isinstance(each, ast.JoinedStr) or (
            isinstance(each, ast.Constant) and isinstance(each.value, str | bytes)
        )
        if text and isinstance(each, ast.expr):
            inside.update(range(each.lineno - start, (each.end_lineno or each.lineno) - start))
    return inside


def _says_the_same(function: Function, node: AnyFunction) -> bool:
    """Whether the parts, taken out of their file, still parse to the same function."""
    whole = _parsed(function.text)
    bare = _parsed(f"{function.signature}\n{function.body}")
    if whole is None or bare is None or len(whole.body) != 1 or len(bare.body) != 1:
        return False
    alone, undocumented = whole.body[0], bare.body[0]
    if not isinstance(alone, AnyFunction) or not isinstance(undocumented, AnyFunction):
        return False
    if inspect.cleandoc(_string(alone.body[0]) or "") != function.docstring:
        return False
    try:
        expected = _shape(node, node.body[1:])
        return expected == _shape(alone, alone.body[1:]) == _shape(undocumented, undocumented.body)
    except RecursionError:
        return False


def _shape(node: AnyFunction, body: list[ast.stmt]) -> list[str]:
    parts = (node.args, node.returns, *node.decorator_list, *body)
    return [type(node).__name__, node.name, *(ast.dump(each) if each else "" for each in parts)]


def _string(statement: ast.stmt) -> str | None:
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Constant):
        return None
    value = statement.value.value
    return value if isinstance(value, str) else None
