"""Documentation → function and function → documentation, in every language that is parsed.

Reads and writes nothing but what it is handed.
"""

import re
from collections.abc import Mapping

from devtune.data.code.module import Function
from devtune.data.corpus import Made, Yield, make_sample, reject
from devtune.data.families.code_file import CodeFile, read_code
from devtune.data.families.context import Context
from devtune.data.families.remarks import find_fault, num_words
from devtune.data.families.stretches import excerpted
from devtune.data.languages import fenced
from devtune.records import Change, Replay, SourceFile
from devtune.steps.families import DocstringToFunction, FunctionToDocstring

FunctionStep = DocstringToFunction | FunctionToDocstring
_KINDS = {
    "csharp": "XML documentation", "go": "doc comment", "java": "Javadoc", "javascript": "JSDoc",
    "jsx": "JSDoc", "php": "PHPDoc", "python": "docstring", "rust": "doc comment",
    "tsx": "JSDoc", "typescript": "JSDoc",
}  # fmt: skip
"""What developers call the documentation of a function."""
_IN_BLOCKS = frozenset(("JSDoc", "Javadoc", "PHPDoc"))
_FIELD = re.compile(r"\s*([@\\]\w|:[a-z]+\b[^:\n]*:|(Args|Arguments|Parameters|Params)\s*:?\s*$)")
_EMPTY_FIELD = re.compile(
    r"(?m)^\s*[@\\](param|arg)\s+[\w$.\[\]]+\s*$(?!\n\s+[^\s@\\])|^\s*@returns?\s*$"
)
_STUB = re.compile(
    r"(?im)NotImplemented|not (yet )?implemented|todo!|unimplemented|method stub"
    r"|^\s*(pass|\.\.\.)\s*$"
)
STUB_LINES = 3
"""Longer bodies may speak of what is not implemented without being stubs."""


def docstring_to_function(
    step: DocstringToFunction, row: SourceFile | Change | Replay, context: Context
) -> Yield:
    """Yield samples that show signature and documentation and are answered by the function."""
    return _samples(step, row, context)


def function_to_docstring(
    step: FunctionToDocstring, row: SourceFile | Change | Replay, context: Context
) -> Yield:
    """Yield samples that show a function without its documentation and are answered by that."""
    return _samples(step, row, context)


def _samples(step: FunctionStep, row: SourceFile | Change | Replay, context: Context) -> Yield:
    file = read_code(row)
    if file is None:
        return
    for function in file.module.functions:
        # A test case is called by a sentence; what stands above it is a remark.
        if not function.documentation or any(map(str.isspace, function.name)):
            continue
        reason = _unsuitable(function, step)
        if reason:
            yield reject(reason, file.provenance, function.qualified_name)
            continue
        values = {
            "path": file.provenance.path,
            "name": function.qualified_name,
            "language": file.language,
            "kind": _kind(function, file.language),
            **_shown(step, function),
        }
        key = file.key(step.type, function.qualified_name, function.span.start)
        answer = _answer(step, function, file.language)
        request, where = context.prompt.render(values, key), file.part(function.span)
        done = _transformations(step, function, file)
        sample = make_sample(step.type, request, answer, where, done)
        yield Made(file.split, sample, (function.body,))


def _transformations(step: FunctionStep, function: Function, file: CodeFile) -> tuple[str, ...]:
    """Name what is done to a function, in order."""
    removed = ("docstring_removed",) if isinstance(step, FunctionToDocstring) else ()
    return (*excerpted((file.row, function.span)), *removed, "comment_marks_removed")


def _kind(function: Function, language: str) -> str:
    kind = _KINDS.get(language, "documentation comment")
    # What opens with a single asterisk is none of these to any tool.
    return "comment" if kind in _IN_BLOCKS and "/**" not in function.text else kind


def _shown(step: FunctionStep, function: Function) -> Mapping[str, str]:
    if isinstance(step, FunctionToDocstring):
        return {"code": function.bare}
    return {"signature": function.signature, "documentation": function.documentation.rstrip()}


def _answer(step: FunctionStep, function: Function, language: str) -> str:
    if isinstance(step, FunctionToDocstring):
        return function.documentation.rstrip()
    return fenced(function.text, language)


def _unsuitable(function: Function, step: FunctionStep) -> str:
    """Return why a documented function is left out, `""` when it is not."""
    documentation, num_lines = function.documentation, _num_lines(function.body)
    has_empty_field = isinstance(step, FunctionToDocstring) and _EMPTY_FIELD.search(documentation)
    is_stub = num_lines <= STUB_LINES and _STUB.search(function.body) is not None
    reasons = (
        ("docstring_too_short", num_words(documentation) < step.min_docstring_words),
        ("docstring_without_summary", _FIELD.match(documentation) is not None),
        ("docstring_with_empty_fields", bool(has_empty_field)),
        (find_fault(documentation), True),
        ("function_too_short", num_lines < step.min_lines),
        ("function_too_long", function.bare.count("\n") + 1 > step.max_lines),
        ("function_is_stub", is_stub),
    )
    return next((reason for reason, holds in reasons if reason and holds), "")


def _num_lines(body: str) -> int:
    """Count the lines that hold more than brackets."""
    return sum(any(map(str.isalnum, line)) for line in body.split("\n"))
