"""Documentation → question and answer: a heading asks, its section answers.

Reads and writes nothing but what it is handed.
"""

import re
from pathlib import PurePosixPath

import enry

from devtune.data.code.module import Span
from devtune.data.corpus import Made, Yield, make_sample, reject
from devtune.data.documents.outline import PLAIN_SUFFIXES, SUFFIXES, Section, sections_of
from devtune.data.families.context import Context
from devtune.data.families.stretches import parsed_part
from devtune.records import Change, Replay, SourceFile
from devtune.steps.families import RepositoryQa

_USELESS_FILE = re.compile(
    r"(?i)^(licen[cs]e|copying|notice|changes|changelog|history|news|release[-_ ]?notes|authors"
    r"|contributors|maintainers|code[-_]of[-_]conduct|conduct|third[-_ ]?party.*|credits|thanks"
    r"|issue_template|pull_request_template|requirements.*|robots|cmakelists)([-_.]|$)"
)
_USELESS_FOLDER = re.compile(
    r"(?i)(^|/)(issue_template|pull_request_template|licenses|changelogs?|changes|newsfragments"
    r"|release[-_]?notes|blog|testdata|fixtures|__snapshots__|locales?|i18n)/"
    r"|(^|/)(tests?|spec)/(?!(.*/)?readme[^/]*$)"
)
_USELESS_HEADING = re.compile(
    r"(?i)^\W*(the )?((copyright|licen[cs]e|licensing|copying|legal|trademarks?|disclaimer)\b.*"
    r"|change ?logs?|(what.s new|history|news|release (notes|history)|releases)\b.*|authors?"
    r"|(contributors|maintainers|sponsors?|backers?|donat\w+|acknowledge?ments?|credits|thanks)\b.*"
    r"|(table of )?contents?|toc|index(es)?|(indices|index) and tables|badges|status|stargazers"
    r"|code of conduct|links?|resources|references|see also|further reading|related.*|contact\b.*"
    r"|support us|funding|translations?|star history)\W*$"
)
_VERSION_HEADING = re.compile(r"(?i)^\W*(version |release |v)?\d+\.[\dx]+(\.[\w.-]+)?\b")
_UNFINISHED = re.compile(
    r"\b(TODO|TBD|FIXME|(?i:coming soon|work in progress|lorem ipsum|to be written))\b"
)


def repository_qa(step: RepositoryQa, row: SourceFile | Change | Replay, context: Context) -> Yield:
    """Yield a sample for each section of a documentation file that says something."""
    if not isinstance(row, SourceFile) or not is_documentation(row.provenance.path):
        return
    where = row.provenance
    if _USELESS_FILE.search(PurePosixPath(where.path).name) or _USELESS_FOLDER.search(where.path):
        yield reject("documents_no_use", where)
        return
    for section in sections_of(row.text, where.path):
        if not section.text:
            continue
        reason = _unsuitable(section, step)
        if reason:
            yield reject(reason, where, " › ".join(section.headings))
            continue
        *above, heading = section.headings
        key = f"{step.type} {where.source} {where.path} {section.line} {heading}"
        values = {
            "source": where.source,
            "path": where.path,
            "heading": heading,
            "above": [each for each in above if each],
        }
        request = context.prompt.render(values, key)
        end = section.line + section.source.rstrip().count("\n") + 1
        part = parsed_part(row, Span(section.line, end))
        sample = make_sample(step.type, request, section.text, part, ("excerpt", "markdown"))
        yield Made(row.split, sample, (section.source,))


def is_documentation(path: str) -> bool:
    """Whether a file is prose for readers: in a markup for it, or called or filed as such."""
    file = PurePosixPath(path)
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES:
        return False
    if suffix not in PLAIN_SUFFIXES:
        return True
    if suffix == "" and not file.name.isupper():
        return False
    return file.name.upper().startswith("README") or enry.is_documentation(path)


def _unsuitable(section: Section, step: RepositoryQa) -> str:
    heading = section.headings[-1] if section.headings else ""
    is_useless = any(_USELESS_HEADING.search(each) for each in section.headings)
    min_free_words = max(step.min_words, section.num_words // 2)
    reasons = (
        ("no_heading", not heading),
        ("section_of_no_use", is_useless or _VERSION_HEADING.search(heading) is not None),
        ("section_unfinished", _UNFINISHED.search(section.text) is not None),
        ("section_too_short", section.num_words < step.min_words),
        ("section_too_long", section.num_words > step.max_words),
        ("section_of_links", section.num_free_words < min_free_words),
    )
    return next((reason for reason, holds in reasons if holds), "")
