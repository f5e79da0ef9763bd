"""Personal data in texts, as far as the policy of a data owner has it replaced.

Reads `personal_data.yaml` of `data_prep/policy/` and texts; writes nothing.
"""

import re
from collections.abc import Iterator
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, StringConstraints

from devtune.data.filters.policy import Patterns, PolicySection, read_policy
from devtune.data.privacy.detection import Detection
from devtune.data.privacy.personal_addresses import find_addresses
from devtune.data.privacy.personal_emails import SPOKEN_HINTS, find_emails, find_spoken
from devtune.data.privacy.personal_hints import IBAN, Keywords, find_shapes, one_byte_each
from devtune.data.privacy.personal_hosts import Hosts, any_of
from devtune.data.privacy.personal_names import (
    HINTS,
    OWNER_HINTS,
    find_beside,
    find_names,
    find_owners,
    names_owner,
)
from devtune.data.privacy.personal_numbers import (
    PHONE_HINTS,
    find_card,
    find_iban,
    find_international,
    find_local,
)

Choice = Literal["replace", "keep"]
Span: TypeAlias = tuple[int, int]
Glob = Annotated[str, StringConstraints(min_length=1, pattern=r"^\S+( \S+)*$")]
_PLACEHOLDER = re.compile(r"REDACTED_[A-Z]")
_FICTIONAL = re.compile(r"[@.](?:example|test|invalid|localhost|example\.(?:com|org|net))$")


class Kinds(PolicySection):
    """What becomes of each kind of personal data."""

    email: Choice
    """Addresses of people."""
    name: Choice
    """In lines that say who wrote something, and beside an address."""
    phone: Choice
    """With country code, or after a word such as `phone`."""
    iban: Choice
    """Bank accounts, checked by their check digits."""
    card: Choice
    """Payment cards, checked by issuer and check digit."""
    ip_address: Choice
    """Of both versions."""
    host: Choice
    """Those `internal_hosts` matches."""
    employee_id: Choice
    """What `employee_ids` matches."""


def _network(value: str) -> str:
    try:
        IPv6Network(value) if ":" in value else IPv4Network(value)
    except ValueError as error:
        raise ValueError(f"{value!r} is no address or network: {error}") from None
    return value


class Kept(PolicySection):
    """What is public although it looks like personal data."""

    emails: tuple[Glob, ...]
    names: tuple[Glob, ...]
    phones: tuple[Glob, ...]
    cards: tuple[Glob, ...]
    networks: tuple[Annotated[str, AfterValidator(_network)], ...]


def _is_findable(value: str) -> str:
    if max(map(len, re.split(r"[*?]+", value))) < 3:
        raise ValueError(f"{value!r} matches almost everything; write three letters in a row")
    return value


def _is_narrow(value: re.Pattern[str]) -> re.Pattern[str]:
    if value.search(""):
        raise ValueError(f"{value.pattern!r} matches the empty text; write what an id looks like")
    return value


class PersonalPolicy(PolicySection):
    """The policy file."""

    kinds: Kinds
    authors: Literal["pseudonym", "keep"]
    """What stands in the `author` fields of rows."""
    licenses: Choice
    """Lines of a licence or its header that name who holds the rights."""
    internal_hosts: tuple[Annotated[Glob, AfterValidator(_is_findable)], ...]
    employee_ids: Annotated[Patterns, AfterValidator(lambda each: tuple(map(_is_narrow, each)))]
    keep: Kept

    @cached_property
    def search(self) -> "_Search":
        """The policy made ready; once for each process, as policies are read."""
        return _Search(self)


def load_personal_policy(file: Path) -> PersonalPolicy:
    """Read the policy file. Raises `RecipeError` as `read_policy`."""
    return read_policy(file, PersonalPolicy, "what the comment above it in the default policy says")


def find_personal(text: str, policy: PersonalPolicy) -> list[Detection]:
    """Return what of a text the policy has replaced, in order; none lies within another."""
    return policy.search.find(text)


class _Search:
    """What looks for each kind, and what is kept of it."""

    def __init__(self, policy: PersonalPolicy) -> None:
        self._is_sought = {
            kind: getattr(policy.kinds, kind) == "replace" for kind in Kinds.model_fields
        }
        self._keeps_owners = policy.licenses == "keep"
        self._kept = {
            "email": any_of(policy.keep.emails),
            "name": any_of(policy.keep.names),
            "phone": any_of(policy.keep.phones),
            "card": any_of(policy.keep.cards),
        }
        self._networks = [
            IPv6Network(each) if ":" in each else IPv4Network(each) for each in policy.keep.networks
        ]
        self._hosts = Hosts(policy.internal_hosts)
        self._ids = policy.employee_ids
        self._keywords = Keywords(self._hints())

    def _hints(self) -> dict[str, tuple[str, ...]]:
        hints = {
            "email": SPOKEN_HINTS,
            "name": HINTS,
            "phone": PHONE_HINTS,
            "host": self._hosts.literals,
        }
        hints = {kind: words for kind, words in hints.items() if self._is_sought[kind]}
        names_owners = self._is_sought["name"] and not self._keeps_owners
        return {**hints, "owner": OWNER_HINTS} if names_owners else hints

    def find(self, text: str) -> list[Detection]:
        found = {
            (start, end, kind)
            for kind, (start, end) in self._spans(text)
            if not _PLACEHOLDER.search(text, start, end)
            and not self._is_kept(kind, text[start:end])
        }
        detections: list[Detection] = []
        done = 0
        for start, end, kind in sorted(found, key=lambda each: (each[0], -each[1], each[2])):
            if end > done:  # the host of an address is replaced with it
                done = end
                rule = f"personal.{kind}"
                detections.append(Detection(start, end, kind.upper(), rule, is_personal=True))
        return detections

    def _spans(self, text: str) -> Iterator[tuple[str, Span]]:
        raw = one_byte_each(text)
        yield from self._people(text)
        yield from self._keyed(text, raw)
        for shape, start in find_shapes(raw):
            span = find_iban(text, start) if shape == IBAN else find_card(text, start)
            if span and self._is_sought[shape]:
                yield shape, span
        if self._is_sought["phone"]:
            yield from (("phone", span) for span in find_international(text))
        if self._is_sought["ip_address"]:
            yield from (("ip_address", span) for span in find_addresses(text))
        if self._is_sought["employee_id"]:
            for pattern in self._ids:
                yield from (("employee_id", each.span()) for each in pattern.finditer(text))

    def _people(self, text: str) -> Iterator[tuple[str, Span]]:
        """Yield addresses and the names in front of them, but for owners of rights."""
        for start, end in find_emails(text):
            if self._keeps_owners and names_owner(text, start):
                continue
            if self._is_sought["email"]:
                yield "email", (start, end)
            if self._is_sought["name"] and not _FICTIONAL.search(text[start:end].lower()):
                yield from (("name", span) for span in find_beside(text, start, end))

    def _keyed(self, text: str, raw: bytes) -> Iterator[tuple[str, Span]]:
        """Yield what stands near a word."""
        for group, start, end in self._keywords.find(raw):
            if group == "name":
                yield from (("name", span) for span in find_names(text, start, end))
            elif group == "owner":
                yield from (("name", span) for span in find_owners(text, start))
            elif span := self._near(text, group, start, end):
                yield group, span

    def _near(self, text: str, group: str, start: int, end: int) -> Span | None:
        if group == "phone":
            return find_local(text, start, end)
        if group == "host":
            return self._hosts.span(text, start, end)
        if self._keeps_owners and names_owner(text, start):
            return None
        return find_spoken(text, start)

    def _is_kept(self, kind: str, value: str) -> bool:
        if kind == "ip_address":
            address = ip_address(value)
            return any(address in each for each in self._networks)
        if kind in ("phone", "card"):
            value = "".join(each for each in value if each.isdigit() or each == "+")
        matches = self._kept.get(kind)
        return bool(matches and matches(value.lower()))
