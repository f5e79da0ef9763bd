"""`privacy.json`: what was searched for secrets and personal data, and what was found, in numbers.

Writes the file into the corpus. It never holds a value.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from devtune.data.privacy.marking import Learned
from devtune.records import Redaction

SUMMARY = "privacy.json"
LEAVING_OUT = ("many_secrets",)
"""Reasons for which a text is left out because of the secrets in it."""


def summarise(
    searched: Mapping[str, int],
    rejects: Mapping[str, int],
    learned: Iterable[Learned],
    places: Iterable[Redaction],
) -> dict[str, Any]:
    """Return the numbers: distinct values and their places by layer and kind, values by rule.

    `searched` holds `texts_searched`, the versions of files in the corpus, and `lines_searched`;
    `rejects` what was left out by reason.
    """
    values = {"secret": Counter[str](), "personal": Counter[str]()}
    stand = {"secret": Counter[str](), "personal": Counter[str]()}
    rules: Counter[str] = Counter()
    texts: Counter[str] = Counter()
    for each in learned:
        values["personal" if each.is_personal else "secret"][each.kind.lower()] += 1
        rules[each.rule] += 1
    for row in places:
        stand[row.layer][row.kind] += 1
        texts[row.layer] += row.num_texts
    num_lines = searched["lines_searched"]
    return {
        "num_texts": searched["texts_searched"],
        "num_lines": num_lines,
        "values": values,
        "places": stand,
        "rules": rules,
        "per_1000_lines": {
            layer: round(1000 * number / max(num_lines, 1), 3) for layer, number in texts.items()
        },
        "dropped": {reason: rejects[reason] for reason in LEAVING_OUT if rejects.get(reason)},
    }


def write_summary(corpus: Path, summary: Mapping[str, Any]) -> None:
    """Write it beside the rows it counts."""
    text = json.dumps(summary, indent=2, sort_keys=True) + "\n"
    (corpus / SUMMARY).write_text(text, encoding="utf-8")
