"""`README.md` of exported samples, with the front matter `datasets.load_dataset` goes by.

Works on counts in memory; reads and writes no files.
"""

from collections.abc import Mapping

from huggingface_hub import DatasetCardData

from devtune.data.cards.description import UNSTATED, Makeup
from devtune.data.cards.readme import LARGEST, LICENSES, SIZES, plain, text
from devtune.records import PREFERENCES, SPLITS

_FORMATS = {
    "jsonl": """\
`{split}.jsonl` holds one conversation a line, as fine-tuning files of the OpenAI API have it:
`messages`, and `tools` where there are any. `{split}.origins.jsonl` says in the same line where it
is from.

```python
datasets.load_dataset("json", data_files={{"train": "train.jsonl"}})
```
""",
    "parquet": """\
`{split}.parquet` holds one conversation a row. `tools` is JSON text, null where there are none:
TRL's trainers take it so; `json.loads` it for `apply_chat_template`.

```python
datasets.load_dataset("path/of/this/directory", split="train")
```
""",
}
_COLUMNS = """\
| Key | What it holds |
|---|---|
| `messages` | `role`, `content`, `tool_calls` (`arguments` is JSON text), `tool_call_id`; of the \
assistant `weight`: 1 where it is trained, 0 where it is context |
| `tools` | definitions of the tools that may be called |
| `sample_id`, `family` | its name, and the step of the pipeline that made it |
| `task`, `outcome` | of trajectories: which task, and whether it was resolved |
| `mask_reasons` | for each message why it is not trained, empty where it is |
| `provenance` | every place the text came from: source, commit, path, author, licence, lines |
"""


_PAIRS = """
`preferences.{format}` holds {number} of sessions of one task, one a {row}, in TRL's preference
format: `prompt`, `chosen`, `rejected`, and `tools`. `weight` of an assistant's message is 1 where
it counts: failed steps of the chosen side do not, those of the rejected side do.{origins}

```python
datasets.load_dataset({load})
```
"""


def exported_card(format: str, counts: Mapping[str, int], makeup: Makeup) -> str:
    """Return the text of the card."""
    sources = "\n".join(
        f"| {text(name)} | {number:,} |" for name, number in makeup.sources.most_common()
    )
    licenses = "\n".join(
        f"| {text(name or 'none stated')} | {number:,} |"
        for name, number in makeup.licenses.most_common()
    )
    sizes = "\n".join(f"| `{split}` | {counts[split]:,} |" for split in SPLITS)
    shape = _FORMATS[format].format(split="{train,held_out}") + _pairs(format, counts)
    return f"""\
---
{_front_matter(format, counts, makeup).to_yaml()}
---

# Conversations made of private code

Who may read the sources may read this. Secrets were replaced; `rejected.jsonl` names the samples
that were left out for one that was not. `devtune erase` finds this directory in the folder of its
runs, and no copy elsewhere.

{shape}
{_COLUMNS}
A trainer that does not know `weight` trains on every answer, also on those that were masked.

| Split | Samples |
|---|--:|
{sizes}

| Source | Samples |
|---|--:|
{sources}

| Licence of the file | Samples |
|---|--:|
{licenses}
"""


def _pairs(format: str, counts: Mapping[str, int]) -> str:
    if PREFERENCES not in counts:
        return ""
    number = f"{counts[PREFERENCES]:,} pair{'' if counts[PREFERENCES] == 1 else 's'}"
    if format == "parquet":
        load = f'"path/of/this/directory", "{PREFERENCES}", split="train"'
        return _PAIRS.format(format=format, number=number, row="row", origins="", load=load)
    load = f'"json", data_files={{"train": "{PREFERENCES}.jsonl"}}'
    origins = f"\n`{PREFERENCES}.origins.jsonl` says in the same line where both are from."
    return _PAIRS.format(format=format, number=number, row="line", origins=origins, load=load)


def _front_matter(format: str, counts: Mapping[str, int], makeup: Makeup) -> DatasetCardData:
    total = sum(counts[split] for split in SPLITS)
    found = sorted(filter(None, makeup.licenses))
    is_known = len(found) == 1 and found[0] in LICENSES and not makeup.licenses[UNSTATED]
    name = "several" if len(found) > 1 else plain("".join(found)) or "not stated"
    files = [{"split": each, "path": f"{each}.{format}"} for each in SPLITS if counts[each]]
    table = [{"split": "train", "path": f"{PREFERENCES}.{format}"}]
    pairs = [{"config_name": PREFERENCES, "data_files": table}] if counts.get(PREFERENCES) else []
    return DatasetCardData(
        pretty_name="Conversations made of private code",
        language=["code"],
        license=found[0].lower() if is_known else "other",
        license_name=None if is_known else name,
        size_categories=next((name for most, name in SIZES.items() if total < most), LARGEST),
        task_categories=["text-generation"],
        tags=["devtune", "conversational", *sorted(makeup.languages)],
        configs=[{"config_name": "default", "data_files": files}, *pairs],
    )
