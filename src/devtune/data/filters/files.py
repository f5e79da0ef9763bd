"""Why a file is left out of the corpus: its path, its size, its bytes, its text or its licence.

Reads the policy files its rules name; writes nothing.
"""

import codecs
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial

from devtune.data.filters.attributes import Attributes
from devtune.data.filters.exclusions import load_policy
from devtune.data.filters.expressions import load_license_policy
from devtune.data.filters.licenses import Licenses
from devtune.data.filters.linguist import fence_of, is_generated, is_generated_path, is_vendored
from devtune.data.filters.shape import TextCheck, shape_check
from devtune.data.languages import language_of
from devtune.records import Split
from devtune.steps.rules import ExcludedPaths, FileRule, Language, License, Linguist, Size

SNIFFED_BYTES = 8192
MAX_BYTES = 1_000_000
"""Where no rule says how much; a file is never read without an end."""
NOTEBOOK = ".ipynb"
PathCheck = Callable[[str], str | None]
_CACHED_PATHS = 65_536


class FileRules:
    """The rules of a recipe for the files of one tree; the first that objects names the reason.

    `attributes` and `licenses` map paths of `.gitattributes` files, and of those
    `is_license_file` names, to their texts; `license_` is the source's declared licence.
    What a path tells is asked before what a text tells.
    """

    def __init__(
        self,
        rules: Sequence[FileRule],
        attributes: Mapping[str, str] | None = None,
        licenses: Mapping[str, str] | None = None,
        license_: str = "",
    ) -> None:
        self._rules = rules
        self.max_bytes = max_bytes_of(rules)
        """Bytes of the largest file that is kept."""
        self._attributes = Attributes(attributes or {})
        self._licenses = Licenses(licenses or {}, license_)
        excluding = [rule for rule in rules if isinstance(rule, ExcludedPaths)]
        self._policies = [load_policy(rule.policy) for rule in excluding]
        # Which check a rule asks for is decided here, once, and not for every file.
        self._path_checks = [check for rule in rules for check in self._checks_of_path(rule)]
        self._text_checks = [check for rule in rules for check in self._checks_of_text(rule)]
        self._judge_path = lru_cache(_CACHED_PATHS)(self._look_at_path)

    def reject_path(self, path: str, size: int | None) -> str | None:
        """Return why a file is left out before it is read, or None.

        `path` has forward slashes, from the top of the tree; `size` is in bytes, None if unknown.
        """
        if reason := self._judge_path(path):
            return reason
        return "oversized" if size is not None and size > self.max_bytes else None

    def read(self, path: str, content: bytes) -> tuple[str, str | None]:
        """Return the text of a file, or `""` and why it is left out.

        Of a notebook only the bytes are judged: its cells are a text of their own.
        """
        if len(content) > self.max_bytes:
            return "", "oversized"
        text, reason = _decode(content)
        if reason is None and not path.lower().endswith(NOTEBOOK):
            reason = self._look_at_text(path, text, content.removeprefix(codecs.BOM_UTF8))
        return ("", reason) if reason else (text, None)

    def reject_text(self, path: str, text: str) -> str | None:
        """Return why a decoded text is left out, or None."""
        return self._look_at_text(path, text, text.encode("utf-8", "surrogatepass"))

    def reject_language(self, language: str) -> str | None:
        """Return why a file is left out whose language only its text tells, or None."""
        for rule in self._rules:
            if isinstance(rule, Language) and (reason := _judge_language(rule, language)):
                return reason
        return None

    def license_of(self, path: str, text: str) -> str:
        """Return the SPDX expression a file stands under, `""` where nothing says one."""
        return self._licenses.of(path, text)

    def language_of(self, path: str) -> str:
        """Return the fence name of a file's language, `linguist-language` before its ending."""
        stated = self._attributes.of(path).get("language")
        return fence_of(stated) if isinstance(stated, str) else language_of(path)

    def _look_at_text(self, path: str, text: str, data: bytes) -> str | None:
        for check in self._text_checks:
            if reason := check(path, text, data):
                return reason
        return None

    def _look_at_path(self, path: str) -> str | None:
        for check in self._path_checks:
            if reason := check(path):
                return reason
        return None

    def _checks_of_path(self, rule: FileRule) -> Iterator[PathCheck]:
        match rule:
            case ExcludedPaths():
                yield load_policy(rule.policy).reject_path
            case Linguist():
                yield partial(self._linguist, rule)
            case Language():
                yield partial(self._language, rule)
            case _:
                return

    def _checks_of_text(self, rule: FileRule) -> Iterator[TextCheck]:
        match rule:
            case ExcludedPaths():
                policy = load_policy(rule.policy)
                yield lambda path, text, data: policy.reject_text(text)
            case Linguist(generated=True):
                yield self._generated
            case License():
                terms = load_license_policy(rule.policy)
                yield lambda path, text, data: terms.reject(self.license_of(path, text))
            case Linguist() | Language():
                return
            case _:
                yield shape_check(rule)

    def _linguist(self, rule: Linguist, path: str) -> str | None:
        stated = self._attributes.of(path)
        is_kept = any(policy.keeps(path) for policy in self._policies)
        if rule.vendored and stated.get("vendored", not is_kept and is_vendored(path)):
            return "linguist_vendored"
        if rule.generated and stated.get("generated", not is_kept and is_generated_path(path)):
            return "linguist_generated"
        return None

    def _generated(self, path: str, text: str, data: bytes) -> str | None:
        is_own = "generated" in self._attributes.of(path)
        return "linguist_generated" if not is_own and is_generated(path, data) else None

    def _language(self, rule: Language, path: str) -> str | None:
        if path.lower().endswith(NOTEBOOK):
            # Its language is that of its cells, which are not read yet.
            return None
        return _judge_language(rule, self.language_of(path))


def _judge_language(rule: Language, language: str) -> str | None:
    language = language or "text"
    is_allowed = not rule.allow or language in rule.allow
    return None if is_allowed and language not in rule.deny else "language"


@lru_cache(_CACHED_PATHS)
def split_by_file(source: str, path: str, held_out: float) -> Split:
    """Put a file on one side by the hash of its name: the same in every run and machine.

    `held_out` is a share from 0 to 1.
    """
    digest = hashlib.sha256(f"{source}/{path}".encode("utf-8", "surrogatepass")).digest()
    share = int.from_bytes(digest[:8], "big") / 2**64
    return "held_out" if share < held_out else "train"


def max_bytes_of(rules: Sequence[FileRule]) -> int:
    """Return the bytes of the largest file that any of the rules lets through."""
    return min((rule.max_bytes for rule in rules if isinstance(rule, Size)), default=MAX_BYTES)


def decode_path(path: bytes) -> str | None:
    """Return a path as text, or None where it is not UTF-8."""
    try:
        return path.decode("utf-8")
    except UnicodeDecodeError:
        return None


def spell_path(path: bytes) -> str:
    r"""Return a path that can be written down: bytes that are no UTF-8 become `\xff`."""
    return path.decode("utf-8", "backslashreplace")


def _decode(content: bytes) -> tuple[str, str | None]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        # UTF-16 and UTF-32, which are half NULs, are not binary but not UTF-8 either.
        return "", "not_utf8"
    if b"\0" in content[:SNIFFED_BYTES]:
        return "", "binary"
    try:
        text = content.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError:
        return "", "not_utf8"
    return ("", "empty") if not text or text.isspace() else (text, None)
