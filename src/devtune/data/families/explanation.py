"""Commented code → explanation: the code without its comment asks, the comment answers.

Reads and writes nothing but what it is handed.
"""

import re
import textwrap
from collections.abc import Iterator, Sequence

from devtune.data.code.module import Function, Module, Remark, Span
from devtune.data.corpus import Made, Yield, make_sample, reject
from devtune.data.families.code_file import read_code
from devtune.data.families.context import Context
from devtune.data.families.remarks import find_fault, is_code, num_words, reflow, unmarked
from devtune.records import Change, Replay, SourceFile
from devtune.steps.families import Explanation

_DANGLING = re.compile(r"(:|\.\.\.|…|,|\b(and|or|the|a|of|to|that|which|if|because))\s*$")
_POINTS_AWAY = re.compile(
    r"(?i)^\W*(see (also )?|refer to |cf\.? |ditto|same as |(as|like) above|copied from|taken from"
    r"|adapted from|source:|ref(erence)?s?:|https?://)"
)
_CLOSING = re.compile(
    r"\s*([\])}]|(else|elif|elsif|except|catch|finally|rescue|ensure|end)\b|#\s*(else|elif|endif)\b)"
)
_SECTION = re.compile(r"[-=*#~_+/<>.]{4,}")


def explanation(step: Explanation, row: SourceFile | Change | Replay, context: Context) -> Yield:
    """Yield a sample for each comment that says something of the code right below it."""
    file = read_code(row)
    if file is None:
        return
    lines, where = file.lines, file.provenance
    for remark, code in _explained(file.module, lines, step.min_words):
        around = _function_around(file.module, remark.span)
        reason = _unsuitable(remark, code, step.max_lines)
        if reason:
            yield reject(reason, where, f"line {remark.span.start + 1}")
            continue
        passage = _dedented(lines[code.start : code.end])
        scene = _scene(lines, remark.span, code, around, step.context_lines)
        values = {
            "path": where.path,
            "language": file.language,
            "name": around.qualified_name if around else "",
            "code": passage,
            "scene": "" if scene == passage else scene,
            "num_lines": code.end - code.start,
        }
        request = context.prompt.render(values, file.key(step.type, passage, remark.span.start))
        sample = make_sample(step.type, request, reflow(unmarked(remark.text)), where)
        written = "\n".join(lines[remark.span.start : remark.span.end])
        yield Made(file.split, sample, (written,))


def _explained(
    module: Module, lines: Sequence[str], min_words: int
) -> Iterator[tuple[Remark, Span]]:
    """Yield remarks of enough words with the code below; a function's documentation is none."""
    documented = {
        line
        for function in module.functions
        if function.documentation
        for line in range(function.span.start, function.span.end - function.body.count("\n") - 1)
    }
    starts = {remark.span.start for remark in module.remarks}
    for remark in module.remarks:
        if num_words(remark.text) < min_words or remark.span.start in documented:
            continue
        code = _code_below(lines, remark.span.end, starts)
        if code:
            yield remark, code


def _code_below(lines: Sequence[str], start: int, remark_starts: set[int]) -> Span | None:
    """Return the code that stands at `start`: a paragraph with all that is deeper in it."""
    if start >= len(lines) or not lines[start].strip() or start in remark_starts:
        return None
    depth = _depth(lines[start])
    end = start + 1
    for number in range(start + 1, len(lines)):
        line = lines[number]
        if not line.strip():
            continue
        is_inside = _depth(line) > depth
        is_next = number > end or number in remark_starts
        if _depth(line) < depth or (is_next and not is_inside and not _closes(line)):
            break
        end = number + 1
    return Span(start, end)


def _depth(line: str) -> int:
    expanded = line.expandtabs(8)
    return len(expanded) - len(expanded.lstrip())


def _closes(line: str) -> bool:
    """Whether a line ends what an earlier line began, as `}`, `else` and `end` do."""
    return _CLOSING.match(line) is not None


def _function_around(module: Module, span: Span) -> Function | None:
    for function in module.functions:
        if function.span.start <= span.start and span.end <= function.span.end:
            return function
    return None


def _scene(
    lines: Sequence[str], remark: Span, code: Span, around: Function | None, num_context: int
) -> str:
    """Return the code with what stands near it, inside its function, without the remark."""
    least, most = (around.span.start, around.span.end) if around else (0, len(lines))
    first, last = max(remark.start - num_context, least), min(code.end + num_context, most)
    return _dedented([*lines[first : remark.start], *lines[code.start : last]])


def _dedented(lines: Sequence[str]) -> str:
    return textwrap.dedent("\n".join(lines)).strip("\n")


def _unsuitable(remark: Remark, code: Span, max_lines: int) -> str:
    """Return why the comment explains nothing to train on, `""` when it does."""
    text = remark.text.strip()
    is_dangling = _DANGLING.search(text) is not None
    reasons = (
        (find_fault(text), True),
        ("comment_is_code", is_code(text)),
        ("comment_is_banner", _SECTION.search(text) is not None),
        ("comment_goes_on_elsewhere", is_dangling or _POINTS_AWAY.match(text) is not None),
        ("code_too_long", code.end - code.start > max_lines),
    )
    return next((reason for reason, holds in reasons if reason and holds), "")
