"""The first layer: Kingfisher's catalogue of provider formats, in process and offline.

Reads texts; writes compiled rules where devtune says and nowhere else. A candidate is never sent to
its vendor; the SDK's `Validator` and `Revoker` are not used.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from devtune.data.privacy.addresses import is_example
from devtune.data.privacy.detection import MAX_KIND_CHARACTERS, Detection

if TYPE_CHECKING:  # loaded by who scans; `devtune check` does not
    from kingfisher_sdk import Finding, Rules, Scanner

# The catalogue hides parts of a credential that do not prove anything alone. Of these, what is
# secret by its name is replaced; account names, hosts and client ids are not.
_SECRET_PART = re.compile(r"(secret|passphrase|security-token|(?<!public-)key)(\.\d+)?$")

# What it calls a password in an address; documents and tests are full of `user:password@`.
_ADDRESS = "generic-credential-uri"


@cache
def _rules(rules_dir: Path | None) -> "Rules":
    """Compile the rules once a process (seconds), or read them from where one has compiled them.

    Only where devtune says: the scanner's own place for them in the user's home stays empty.
    """
    from kingfisher_sdk import Rules

    return Rules(confidence="low", cache=rules_dir is not None, cache_dir=rules_dir)


@cache
def _scanner(rules_dir: Path | None) -> "Scanner":
    from kingfisher_sdk import DetectionPolicy, Scanner

    # Comments such as `gitleaks:allow` are the text's own wish; markup context would skip HTML.
    policy = DetectionPolicy(
        inline_ignores=False, markup_context=False, cli_match_semantics=False, base64_max_depth=2
    )
    return Scanner(_rules(rules_dir), policy=policy)


def compile_rules(rules_dir: Path) -> bool:
    """Leave compiled rules in `rules_dir`; return whether they lie there for other processes.

    The scanner believes no folder others can write to, and no rules of another version or CPU.
    """
    return _rules(rules_dir).cache_status != "bypassed"


def scan(text: str, rules_dir: Path | None) -> Iterator[Detection]:
    """Yield what the catalogue finds; `rules_dir` is where compiled rules are, if anywhere."""
    found = [each for each in _scanner(rules_dir).scan(text.encode("utf-8")) if _is_secret(each)]
    if not found:
        return
    offsets = _byte_offsets(text)
    for finding in found:
        start = bisect_left(offsets, finding.location["start_offset"])
        end = bisect_left(offsets, finding.location["end_offset"])
        hidden = (finding.secret,) if finding.is_base64_encoded else ()
        yield Detection(start, end, _kind(finding.rule_id), finding.rule_id, hidden=hidden)


def _is_secret(finding: "Finding") -> bool:
    if _ADDRESS in finding.rule_id and is_example(finding.secret):
        return False
    return finding.visible or _SECRET_PART.search(finding.rule_id) is not None


def _kind(rule_id: str) -> str:
    """`betterleaks.github-pat` -> `GITHUB_PAT`."""
    name = re.sub(r"\.\d+$", "", re.split(r"[./]", rule_id, maxsplit=1)[-1])
    name = name.removeprefix("secrets/")
    return re.sub(r"[^A-Z0-9]+", "_", name.upper())[:MAX_KIND_CHARACTERS].strip("_")


def _byte_offsets(text: str) -> "list[int] | range":
    """Byte offset of each character and of the end; the scanner counts bytes of UTF-8."""
    if text.isascii():
        return range(len(text) + 1)
    return list(accumulate(map(_width, text), initial=0))


def _width(character: str) -> int:
    point = ord(character)
    return 1 + (point > 0x7F) + (point > 0x7FF) + (point > 0xFFFF)
