"""Repositories nothing is read from, whatever the recipe says: those public benchmarks test on.

Reads `repositories.yaml` of `data_prep/policy/`; writes nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import StringConstraints

from devtune.data.filters.policy import PolicySection, read_policy

_JOINTS = re.compile(r"__|[+/_-]")
_SEPARATORS = re.compile(r"[/:\\]+")
_FullName = Annotated[str, StringConstraints(pattern=r"^[\w.-]+/[\w.-]+$")]


class RepositoryPolicy(PolicySection):
    """The policy file."""

    benchmarks: dict[str, tuple[_FullName, ...]]
    """For each benchmark its repositories, as `owner/name`."""
    plain_names: tuple[str, ...]
    """Names that leave a source out without an owner, as a directory or a package has them."""


@dataclass(frozen=True, slots=True)
class ExcludedRepositories:
    """The repositories of a policy, asked by name and by where a clone came from."""

    benchmarks: dict[str, str]
    """`owner/name` in lower case -> benchmarks, joined by commas."""
    plain_names: frozenset[str]

    @staticmethod
    def load(file: Path | None) -> "ExcludedRepositories":
        """Read a policy file; None excludes nothing. Raises `RecipeError` as `read_policy`."""
        if file is None:
            return ExcludedRepositories({}, frozenset())
        policy = read_policy(file, RepositoryPolicy, "names, a benchmark a list of owner/name")
        found: dict[str, list[str]] = {}
        for benchmark, names in policy.benchmarks.items():
            for name in names:
                found.setdefault(name.lower(), []).append(benchmark)
        joined = {name: ", ".join(dict.fromkeys(each)) for name, each in found.items()}
        return ExcludedRepositories(joined, frozenset(map(str.lower, policy.plain_names)))

    def match(self, name: str, remotes: Sequence[str]) -> str | None:
        """Return why a source is left out, e.g. `django/django (swe_bench)`, or None.

        `name` is the source's own, `remotes` are URLs or paths it was cloned from.
        """
        for remote in remotes:
            full = _owner_and_name(remote)
            if full in self.benchmarks:
                return f"{full} ({self.benchmarks[full]})"
        own = name.lower().removesuffix(".git")
        for joint in _JOINTS.finditer(own):
            # `group/owner__name`: what stands before the owner is only where the clone lies.
            full = f"{own[: joint.start()].rpartition('/')[2]}/{own[joint.end() :]}"
            if full in self.benchmarks:
                return f"{full} ({self.benchmarks[full]})"
        last = own.rpartition("/")[2]
        return f"{last} (plain name)" if last in self.plain_names else None


def _owner_and_name(remote: str) -> str:
    """`owner/name` of a URL, of `git@host:owner/name.git` or of a path, in lower case."""
    plain = remote.strip().lower().rstrip("/").removesuffix(".git")
    return "/".join(_SEPARATORS.split(plain)[-2:])
