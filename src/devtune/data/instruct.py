"""corpus/ → samples/: the steps of a pipeline, from top to bottom.

Reads `files.jsonl` and `changes.jsonl`; writes `train.jsonl`, `held_out.jsonl`, `rejected.jsonl`.
"""

from collections import Counter
from pathlib import Path

from devtune.data.corpus import Corpus, Made, Yield
from devtune.data.families.edits import commit_edit
from devtune.data.families.functions import docstring_to_function, function_to_docstring
from devtune.data.families.middle import fill_in_the_middle
from devtune.data.selection.filter import Filtered, exact_dedup, max_per_family
from devtune.errors import DevtuneError
from devtune.pipeline import (
    BuildSection,
    CommitEdit,
    DocstringToFunction,
    ExactDedup,
    FillInTheMiddle,
    FunctionToDocstring,
    MaxPerFamily,
    Step,
)
from devtune.progress import Progress
from devtune.records import SPLITS, Rejected, write_jsonl
from devtune.stage import Outcome


def build(section: BuildSection, corpus_dir: Path, out: Path, progress: Progress) -> Outcome:
    """Run the pipeline and write its samples; raises when nothing is left to train on."""
    corpus = Corpus(corpus_dir)
    made: list[Made] = []
    rejected: list[Rejected] = []
    for step in section.steps:
        if isinstance(step, ExactDedup | MaxPerFamily):
            made, dropped = _filter(step, made)
            rejected.extend(dropped)
            continue
        for each in progress.track(step.type, _family(step, corpus), unit="samples"):
            if isinstance(each, Made):
                made.append(each)
            else:
                rejected.append(each)
    counts = Counter(f"{each.split}.{each.sample.family}" for each in made)
    reasons = Counter(each.reason for each in rejected)
    if not any(each.split == "train" for each in made):
        worst = ", ".join(f"{reason} {count}" for reason, count in reasons.most_common(3))
        raise DevtuneError(
            f"{corpus_dir}: no training sample came out of it ({worst or 'no code files'});"
            " add sources or loosen the pipeline"
        )
    for split in SPLITS:
        rows = [each.sample for each in made if each.split == split]
        counts[split] = write_jsonl(out / f"{split}.jsonl", rows)
    write_jsonl(out / "rejected.jsonl", rejected)
    return Outcome(
        summary=f"{counts['train']} samples to train on, {counts['held_out']} held out, "
        f"{len(rejected)} rejected",
        counts=dict(sorted(counts.items())),
        rejects=dict(sorted(reasons.items())),
    )


def _family(step: Step, corpus: Corpus) -> Yield:
    match step:
        case CommitEdit():
            return commit_edit(step, corpus)
        case DocstringToFunction():
            return docstring_to_function(step, corpus)
        case FunctionToDocstring():
            return function_to_docstring(step, corpus)
        case FillInTheMiddle():
            return fill_in_the_middle(step, corpus)
        case _:
            raise AssertionError(step)


def _filter(step: ExactDedup | MaxPerFamily, made: list[Made]) -> Filtered:
    return exact_dedup(made) if isinstance(step, ExactDedup) else max_per_family(step, made)
