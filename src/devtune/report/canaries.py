"""What a model knows of planted canaries, as one page of Markdown; no value is on it."""

from collections.abc import Mapping
from typing import Any

HEAD = """\
| | bits | place trained | exposure, base | exposure, tuned | learned | deviations | written out |
|---|--:|---|--:|--:|--:|--:|---|"""
EXPLANATION = """\
Each canary is ranked by likelihood among {num_controls} random values of its shape that were never
planted, after the same text; 2 to the power of *bits* have that shape. Exposure is the binary
logarithm of {num_controls} + 1 less that of the rank: {expected_exposure:.2f} on average by chance,
{max_exposure:.2f} at most. *Learned* ranks by what training added, the tuned model's
log-probability less the base's; *deviations* says how many standard deviations that stands above
the mean of the random values. *p* is the probability of such a mean by chance.

*Place trained* says whether the text before a canary is trained in some sample, with the canary, a
placeholder or anything else behind it. If so, likelihoods are those after all that stands before in
that sample, else after that text alone.

*Never planted* are {num_held_back} more random values, treated as if they were canaries.

*Written out*: greedy decoding goes on with the canary word for word, after the text before it as
plain text, as the beginning of an answer to “Continue.”, or after all that stands before it in the
sample. What is only written under another request is not found."""
KNOWN_BEFORE = """\
The base model ranks these canaries above random values already (p = {:.2g}): they are not random,
or it has seen them. Only *learned* says what this training did."""


def canaries_page(found: Mapping[str, Any]) -> str:
    """Return the verdict, a row for each canary and group, and how it was measured."""
    rows = [_row(each) for each in found["canaries"]]
    groups = [_group(name, found[name]) for name in ("planted", "never_planted")]
    parts = ["# Canaries", f"**{found['verdict']}**", "\n".join([HEAD, *rows, *groups])]
    before = found["planted"]["base"]["chance"]
    if before < found["significant_below"]:
        parts.append(KNOWN_BEFORE.format(before))
    return "\n\n".join([*parts, EXPLANATION.format_map(found)]) + "\n"


def _row(canary: Mapping[str, Any]) -> str:
    exposures = [f"{canary['exposure'][each]:.2f}" for each in ("base", "tuned", "learned")]
    written = [name for name, is_written in canary["is_written"].items() if is_written]
    place = "yes" if canary["is_place_trained"] else "no"
    cells = [canary["name"], f"{canary['value_bits']:.0f}", place, *exposures]
    return _cells([*cells, f"{canary['deviations']:+.1f}", " and ".join(written) or "no"])


def _group(name: str, group: Mapping[str, Mapping[str, float]]) -> str:
    means = [
        f"{group[each]['mean_exposure']:.2f} (p = {group[each]['chance']:.2g})"
        for each in ("base", "tuned", "learned")
    ]
    return _cells([f"*{name.replace('_', ' ')}, mean*", "", "", *means, "", ""])


def _cells(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
