"""Commented code → explanation: the code without its comment asks, the comment answers.

Reads and writes nothing but what it is handed.
"""

import re
import textwrap
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from devtune.data.code.module import Function, Module, Span
from devtune.data.corpus import Made, Yield, make_sample, reject
from devtune.data.families.code_file import read_code
from devtune.data.families.context import Context
from devtune.data.families.remarks import find_fault, is_code, num_words, plain, reflow
from devtune.data.families.stretches import excerpted
from devtune.records import Change, Replay, SourceFile
from devtune.steps.families import Explanation

TRANSFORMATIONS = ("comment_removed", "comment_marks_removed", "reflowed")
_DANGLING = re.compile(r"(:|\.\.\.|…|,|\b(and|or|the|a|of|to|that|which|if|because))\s*$")
_POINTS_AWAY = re.compile(
    r"(?i)^\W*(see (also )?|refer to |cf\.? |ditto|same as |(as|like) above|copied from|taken from"
    r"|adapted from|source:|ref(erence)?s?:|https?://)"
)
_CLOSING = re.compile(r"\s*([\])}]|(else|elif|elsif|except|catch|finally|rescue|ensure|end)\b)")
_PREPROCESSED = ("c", "cpp", "csharp")
_OPENED = {"if": 1, "el": 0, "en": -1}
_NEVER = re.compile(r"(?!)")
_CONDITION = re.compile(r"\s*#\s*(if|ifdef|ifndef|else|elif|endif)\b")
_SECTION = re.compile(r"[-=*#~_+/<>.]{4,}")


@dataclass(frozen=True, slots=True)
class _Passage:
    """Code that a comment stands above."""

    remark: Span
    text: str
    """What the comment says, as prose."""
    code: Span
    around: Function | None
    """The function it stands in."""


def explanation(step: Explanation, row: SourceFile | Change | Replay, context: Context) -> Yield:
    """Yield a sample for each comment that says something of the code right below it."""
    file = read_code(row)
    if file is None:
        return
    lines, where = file.lines, file.provenance
    for passage in _passages(file.module, lines, step):
        start = passage.remark.start
        code = _dedented(lines[passage.code.start : passage.code.end])
        scene = _scene(lines, passage, step.context_lines)
        reason = _unsuitable(passage, step.max_lines)
        reason = reason or _repeated(lines[start : passage.remark.end], scene)
        if reason:
            yield reject(reason, where, f"line {start + 1}")
            continue
        values = {
            "path": where.path,
            "language": file.language,
            "name": passage.around.qualified_name if passage.around else "",
            "code": code,
            "scene": "" if scene == code else scene,
            "num_lines": passage.code.end - passage.code.start,
        }
        request = context.prompt.render(values, file.key(step.type, code, start))
        part = file.part(Span(start, passage.code.end))
        done = (*excerpted((file.row, passage.code)), *TRANSFORMATIONS)
        sample = make_sample(step.type, request, reflow(passage.text), part, done)
        written = "\n".join(lines[start : passage.remark.end])
        yield Made(file.split, sample, (written,))


def _passages(module: Module, lines: Sequence[str], step: Explanation) -> Iterator[_Passage]:
    """Yield remarks of enough words with the code below; a function's documentation is none."""
    starts = {remark.span.start for remark in module.remarks}
    condition = _CONDITION if module.language in _PREPROCESSED else _NEVER
    function_starts = [function.span.start for function in module.functions]
    for remark in module.remarks:
        text, span = plain(remark.text), remark.span
        code = _code_below(lines, span.end, starts, step.max_lines, condition)
        if code is None or num_words(text) < step.min_words:
            continue
        nearest = bisect_right(function_starts, span.start) - 1
        function = module.functions[nearest] if nearest >= 0 else None
        is_inside = function is not None and span.end <= function.span.end
        around = function if is_inside else None
        if around is None or not _is_documentation(span, around):
            yield _Passage(span, text, code, around)


def _is_documentation(remark: Span, function: Function) -> bool:
    """Whether a remark stands before the body of a documented function."""
    body_start = function.span.end - function.body.count("\n") - 1
    return bool(function.documentation) and remark.start < body_start


def _code_below(
    lines: Sequence[str],
    start: int,
    remark_starts: set[int],
    max_lines: int,
    condition: re.Pattern[str],
) -> Span | None:
    """Return the code that stands at `start`: a paragraph with all that is deeper in it.

    Of more than `max_lines` it returns only so many that they are too many.
    """
    if start >= len(lines) or not lines[start].strip() or start in remark_starts:
        return None
    depth = _depth(lines[start])
    end, num_open = start, 0
    for number in range(start, min(start + max_lines + 1, len(lines))):
        line = lines[number]
        if not line.strip():
            continue
        is_next = number > end or number in remark_starts
        too_little = depth if is_next and not _CLOSING.match(line) else depth - 1
        if found := condition.match(line):
            num_open += _OPENED[found[1][:2]]
            if num_open < (found[1][:2] == "el"):
                break
        elif number > start and _depth(line) <= too_little:
            break
        end = number + 1
    return Span(start, end) if end > start and num_open == 0 else None


def _depth(line: str) -> int:
    expanded = line.expandtabs(8)
    return len(expanded) - len(expanded.lstrip())


def _scene(lines: Sequence[str], passage: _Passage, num_context: int) -> str:
    """Return the code with what stands near it, inside its function, without the remark."""
    remark, code, around = passage.remark, passage.code, passage.around
    least, most = (around.span.start, around.span.end) if around else (0, len(lines))
    first, last = max(remark.start - num_context, least), min(code.end + num_context, most)
    above = _from_whole(lines[first : remark.start])
    below = _up_to_whole(lines[code.end : last])
    return _dedented([*above, *lines[code.start : code.end], *below])


def _from_whole(lines: Sequence[str]) -> Sequence[str]:
    """Drop the end of a comment or string that starts above the lines."""
    text = "\n".join(lines)
    head, closing, _ = text.partition("*/")
    if closing and "/*" not in head:
        return lines[head.count("\n") + 1 :]
    if text.count('"""') % 2:
        return lines[text.partition('"""')[0].count("\n") + 1 :]
    return lines


def _up_to_whole(lines: Sequence[str]) -> Sequence[str]:
    """Drop the beginning of a comment or string that ends below the lines."""
    text = "\n".join(lines)
    head, opening, tail = text.rpartition("/*")
    if opening and "*/" not in tail:
        return lines[: head.count("\n")]
    if text.count('"""') % 2:
        return lines[: text.rpartition('"""')[0].count("\n")]
    return lines


def _repeated(remark: Sequence[str], scene: str) -> str:
    """Return a reason where the answer stands in the question: a twin of the comment nearby."""
    is_there = any(num_words(line) >= 4 and line.strip() in scene for line in remark)
    return "comment_is_repeated" if is_there else ""


def _dedented(lines: Sequence[str]) -> str:
    return textwrap.dedent("\n".join(lines)).strip("\n")


def _unsuitable(passage: _Passage, max_lines: int) -> str:
    """Return why the comment explains nothing to train on, `""` when it does."""
    text = passage.text.strip()
    is_dangling = _DANGLING.search(text) is not None
    reasons = (
        (find_fault(text), True),
        ("comment_is_code", is_code(text)),
        ("comment_is_banner", _SECTION.search(text) is not None),
        ("comment_goes_on_elsewhere", is_dangling or _POINTS_AWAY.match(text) is not None),
        ("code_too_long", passage.code.end - passage.code.start > max_lines),
    )
    return next((reason for reason, holds in reasons if reason and holds), "")
