"""`README.md`: the card of a dataset, with the front matter `datasets.load_dataset` goes by.

Reads the template beside it; writes nothing itself.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

from huggingface_hub import DatasetCardData
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from devtune.data.cards import statements
from devtune.data.cards.description import Description
from devtune.records import PREFERENCES, SPLITS
from devtune.versions import installed

ROOM = Path(__file__).parent
TEMPLATE = "readme.md.jinja"
TOOLS = (
    "devtune", "ahocorasick-rs", "datatrove", "enry-python", "kingfisher-secret-scanner",
    "license-expression", "licenseclassifier", "mistral-common", "pyarrow", "rensa", "tree-sitter",
)  # fmt: skip
"""What shapes a row."""
SIZES = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M"}
LARGEST = "1M<n<10M"
LICENSES = {
    "Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MPL-2.0", "Unlicense", "Zlib",
}  # fmt: skip
"""Those the front matter may name, in lower case; all else is `other`."""
_NAME = re.compile(r"[\w./:+-]+", re.ASCII)
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&!$])")


def card(about: Description) -> str:
    """Return the text of the card."""
    values = {
        "about": about,
        "front_matter": front_matter(about).to_yaml(),
        "say": statements,
        "SPLITS": SPLITS,
        "families": _families(about),
        "tools": installed(TOOLS),
    }
    return _environment().get_template(TEMPLATE).render(values)


def front_matter(about: Description) -> DatasetCardData:
    """Return what machines read of the card."""
    total = sum(about.num_samples.values())
    tables = [{"split": split, "path": f"{split}.parquet"} for split in SPLITS]
    table = [{"split": "train", "path": f"{PREFERENCES}.parquet"}]
    pairs = (
        [{"config_name": PREFERENCES, "data_files": table}] if about.num_pairs is not None else []
    )
    license, name = _license(about)
    return DatasetCardData(
        pretty_name=plain(about.name),
        language=["code"],
        license=license,
        license_name=name,
        size_categories=next((name for most, name in SIZES.items() if total < most), LARGEST),
        task_categories=["text-generation"],
        tags=["devtune", "tokenized", *sorted(about.makeup.languages)],
        configs=[{"config_name": "default", "data_files": tables}, *pairs],
    )


def _license(about: Description) -> tuple[str, str | None]:
    """The licence as the front matter has it, and a name for one it has no word for."""
    found = about.licenses
    if len(found) == 1 and found[0] in LICENSES and not about.num_unlicensed:
        return found[0].lower(), None
    return "other", "several" if len(found) > 1 else plain("".join(found)) or "not stated"


def _families(about: Description) -> list[tuple[str, list[int]]]:
    """Samples of each family by split, most first."""
    counts = about.render.counts
    names = sorted({name.split(".", 1)[1] for name in counts if "." in name})
    rows = [(name, [counts.get(f"{split}.{name}", 0) for split in SPLITS]) for name in names]
    return sorted(rows, key=lambda row: (-sum(row[1]), row[0]))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(ROOM),
        autoescape=False,  # this is Markdown; `finalize` sees to what is not
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "text": text,
        "code": code,
        "count": lambda number: f"{number:,}",
    }
    return environment


def text(value: Any) -> str:
    """A text of the data in one line, none of it taken for Markdown or HTML."""
    return _SPECIAL.sub(r"\\\1", plain(str(value)))


def code(value: str) -> str:
    """A name as code; one that could end the code early stays text."""
    return f"`{value}`" if _NAME.fullmatch(value) else text(value)


def plain(value: str) -> str:
    """One line of printable characters."""
    return " ".join("".join(each if each.isprintable() else " " for each in value).split())
