"""Function without annotations → its annotated signature.

Reads and writes nothing but what it is handed.
"""

import re
import textwrap
from collections.abc import Iterator, Sequence

from devtune.data.code.annotations import LANGUAGES, Annotated, strip_annotations
from devtune.data.code.module import Function, Module
from devtune.data.code.syntax import parse
from devtune.data.corpus import Made, Yield, make_sample, reject
from devtune.data.families.code_file import CodeFile, read_code
from devtune.data.families.context import Context
from devtune.data.families.stretches import excerpted
from devtune.data.languages import fenced
from devtune.records import Change, Replay, SourceFile
from devtune.steps.families import TypeAnnotation

MAX_IMPORT_LINES = 30
"""Imports are shown so that names can be told; of more lines, those that are used."""
_SAYS_NOTHING = re.compile(
    r"(\w+\.)?(Any|any|object|None|void|unknown|mixed|inferred|Promise<(any|void|unknown)>|)"
)
_TYPE_VARIABLE = re.compile(r"(?m)^(\w+)\s*(?::[^=\n]*)?=\s*[\w.]*(?:TypeVar|ParamSpec)\(")
_NEEDS_NO_RESULT = frozenset(("__init__", "constructor", "__construct", "__destruct"))


def type_annotation(
    step: TypeAnnotation, row: SourceFile | Change | Replay, context: Context
) -> Yield:
    """Yield a sample for each fully annotated function; the stripped file has to parse again."""
    if not isinstance(row, SourceFile) or row.language not in LANGUAGES:
        return
    file = read_code(row)
    if file is None:
        return
    module, where = file.module, file.provenance
    variables = set(_TYPE_VARIABLE.findall(file.text))
    if not any(each.has_types for each in module.functions):
        return
    stripped, annotated = strip_annotations(file.text, file.language)
    plain = parse(stripped, file.language)
    if plain is None or plain.has_errors > module.has_errors or not _match(module, plain):
        yield reject("not_parseable_without_annotations", where)
        return
    for function, bare in zip(module.functions, plain.functions, strict=True):
        found = _annotations_of(function, annotated)
        if not function.has_types or found is None:
            continue
        reason = _unsuitable(function, bare, found, step)
        if not reason and not variables.isdisjoint(re.findall(r"\w+", function.signature)):
            reason = "names_a_type_variable"  # declared elsewhere in the file: who could guess it?
        if reason:
            yield reject(reason, where, function.qualified_name)
            continue
        values = {
            "path": where.path,
            "name": function.qualified_name,
            "language": file.language,
            "code": bare.text,
            "imports": "\n".join(_imports(file, function)),
        }
        key = file.key(step.type, function.qualified_name, function.span.start)
        answer = fenced(function.signature, file.language)
        request, part = context.prompt.render(values, key), file.part(function.span)
        done = ("annotations_removed", *excerpted((file.row, function.span)))
        sample = make_sample(step.type, request, answer, part, done)
        yield Made(file.split, sample, (function.signature,))


def _match(module: Module, plain: Module) -> bool:
    names = [[each.qualified_name for each in one.functions] for one in (module, plain)]
    return names[0] == names[1]


def _annotations_of(function: Function, annotated: Sequence[Annotated]) -> Annotated | None:
    for each in annotated:
        if each.name == function.name and function.span.start <= each.line < function.span.end:
            return each
    return None


def _unsuitable(function: Function, bare: Function, found: Annotated, step: TypeAnnotation) -> str:
    """Return why a function is left out, `""` when it is not."""
    may_lack_result = function.name in _NEEDS_NO_RESULT or found.result
    says = [each for each in (*found.types, found.result) if not _SAYS_NOTHING.fullmatch(each)]
    words = set(re.findall(r"\w+", bare.body))
    names = {each.strip("$*&.") for each in bare.parameters}
    reasons = (
        ("function_too_long", bare.text.count("\n") + 1 > step.max_lines),
        ("partly_annotated", not all(found.types)),
        ("result_not_annotated", not may_lack_result),
        ("annotations_say_nothing", not says),
        ("parameters_not_used", bool(names) and words.isdisjoint(names)),
        ("no_annotation_in_signature", bare.signature == function.signature),
    )
    return next((reason for reason, holds in reasons if holds), "")


def _imports(file: CodeFile, function: Function) -> Iterator[str]:
    """Yield the imports outside of functions, in order; where they are many, those of use."""
    lines = file.lines
    spans = [one.span for one in file.module.functions]
    inside = {line for span in spans for line in range(span.start, span.end)}
    found = [each for each in file.module.imports if each.span.start not in inside]
    used = set(re.findall(r"\w+", function.signature))
    num_lines = sum(each.span.end - each.span.start for each in found)
    at = 0
    for each in found:
        names = each.names or (re.split(r"\W", each.module)[-1],)
        is_used = num_lines <= MAX_IMPORT_LINES or not used.isdisjoint(names)
        if is_used and each.span.start >= at:
            yield textwrap.dedent("\n".join(lines[each.span.start : each.span.end]))
            at = each.span.end
