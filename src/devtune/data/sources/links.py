"""Which issue an address points at, and which issues a description says it closes.

Works on texts in memory; reads and writes no files.
"""

import re
from collections.abc import Iterator

SEARCHED_CHARACTERS = 65536
_ADDRESS = re.compile(
    r"https?://[^/\s]+/(?P<repository>[^\s?#]+?)/(?:-/)?"
    r"(?P<kind>issues|pulls?|merge_requests|work_items)/(?P<number>\d{1,15})(?![\w])"
)
_KEYWORD = re.compile(
    r"(?<![\w-])(?:clos(?:e[sd]?|ing)|fix(?:e[sd]|ing)?|resolv(?:e[sd]?|ing)"
    r"|implement(?:s|ed|ing)?)(?:\s*:)?\s+(?:issues?\s+)?",
    re.IGNORECASE,
)
_REFERENCE = re.compile(
    r"(?:(?P<repository>[\w.-]++(?:/[\w.-]++)++)?#|GH-)(?P<number>\d{1,15})(?![\w-])"
)
_AND = re.compile(r"\s*(?:,\s*(?:and\s+)?|and\s+|&\s*)(?:issues?\s+)?", re.IGNORECASE)
_INLINE_CODE = re.compile(r"`[^`\n]*`")
_FENCE = re.compile(r" {0,3}(?:`{3,}|~{3,})")


def place_of(address: str) -> tuple[str, int]:
    """Return (`owner/name` in lower case, number) an address names; `("", 0)` for none.

    Takes pages and API addresses alike; subgroups are kept.
    """
    found = _ADDRESS.match(address)
    return _place(found) if found else ("", 0)


def find_closed(body: str, repository: str) -> tuple[int, ...]:
    """Return the numbers of the issues of `repository` that `body` says it closes, in order.

    Words of GitHub, GitLab and Gitea; what stands in code or in HTML comments does not count.
    """
    prose = _prose(body[:SEARCHED_CHARACTERS])
    found = {number for where, number in _references(prose) if _is_same(where, repository)}
    return tuple(sorted(found))


def _is_same(where: str, repository: str) -> bool:
    # A forge below a path of its host has that path before `owner/name` in its addresses.
    return where in ("", repository) or bool(repository and where.endswith(f"/{repository}"))


def _references(prose: str) -> Iterator[tuple[str, int]]:
    for keyword in _KEYWORD.finditer(prose):
        position = keyword.end()
        while found := _ADDRESS.match(prose, position) or _REFERENCE.match(prose, position):
            if found.re is _REFERENCE:
                yield (found["repository"] or "").lower(), int(found["number"])
            elif found["kind"] in ("issues", "work_items"):
                yield _place(found)
            following = _AND.match(prose, found.end())
            if following is None:
                break
            position = following.end()


def _place(found: "re.Match[str]") -> tuple[str, int]:
    parts = found["repository"].lower().split("/")
    # api.github.com/repos/owner/name, host/api/v1/repos/owner/name, host/gitea/owner/name
    if "repos" in parts[:-2]:
        parts = parts[parts.index("repos") + 1 :]
    is_api_of_gitlab = parts[:2] == ["api", "v4"]
    return ("" if is_api_of_gitlab else "/".join(parts)), int(found["number"])


def _prose(body: str) -> str:
    """Drop HTML comments, fenced blocks and inline code, in one pass each."""
    lines: list[str] = []
    fence = ""
    for line in "".join(_outside_comments(body)).split("\n"):
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark.group().strip()
        elif mark and mark.group().strip().startswith(fence):
            fence = ""
        elif not fence:
            lines.append(line)
    return _INLINE_CODE.sub(" ", "\n".join(lines))


def _outside_comments(body: str) -> Iterator[str]:
    start = 0
    while (opening := body.find("<!--", start)) >= 0:
        yield body[start:opening]
        closing = body.find("-->", opening)
        if closing < 0:
            return
        start = closing + 3
    yield body[start:]
