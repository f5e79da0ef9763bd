"""What `devtune trace` prints: plain aligned text, in which nothing is invisible.

Reads what `devtune.trace` found; writes nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from devtune.report.excerpt import spelt

Pairs = Iterable[tuple[str, Any]]
WIDTH = 16
"""Columns of a name, before its value."""
HEAD = f"  {'commit or version':<40}  {'date':<25}  {'samples':>7}  {'trained tokens':>14}  author"
NO_COMMIT = "(no history)"


def sample_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines on one sample, as `trace_sample` gives it."""
    yield from _section("", _summary(found))
    for row in found["rows"]:
        for number, place in enumerate(row["places"], 1):
            title = f"place {number} of {len(row['places'])}, {row['file']} line {row['line']}"
            yield from _section(title, _place(place))
    for each in found["rejected"]:
        yield from _section(f"left out by {each['stage']}", _without(each, "stage"))
    for each in found["contamination"]:
        yield from _section("shares words with a reference", _without(each, "sample_id"))
    for each in found["sources"]:
        yield from _section(f"source {each['name']}", _without(each, "name"))
    for each in found["steps"]:
        yield from _section(f"step {each['number']} of build.steps", _flat(each["options"], ""))
    for each in found["stages"]:
        yield from _section(f"stage {each['stage']}, {each['directory']}/", _made_with(each))
    if found["missing"]:
        yield from _section("not known", (("because", each) for each in found["missing"]))


def _summary(found: Mapping[str, Any]) -> Pairs:
    yield "sample", found["sample_id"]
    yield "family", found["family"] or "not kept with what was left out"
    for row in found["rows"]:
        yield "split", row["split"]
        if "chosen_id" in row:
            yield "chosen", f"sample {row['chosen_id']}, place 1"
            yield "rejected", f"place 2, for {row['reason']}"
        yield "template", row["template"]
        yield "transformations", ", ".join(row["transformations"])
    for row in found["rendered"]:
        yield (
            "rendered",
            f"{row['num_tokens']:,} tokens, of which {row['num_trained_tokens']:,} are trained"
            f" ({row['file']} row {row['row']})",
        )
    if not found["rendered"]:
        yield "rendered", "not known" if _hides_dataset(found) else "no"


def _hides_dataset(found: Mapping[str, Any]) -> bool:
    return all(each["stage"] != "render" for each in found["stages"])


def _place(place: Mapping[str, Any]) -> Pairs:
    yield from _without(place, "first_line", "last_line", "authors")
    if place["first_line"]:
        yield "lines", f"{place['first_line']}-{place['last_line']}"
    shares = (f"{each['author'] or 'not known'} {each['share']:.1%}" for each in place["authors"])
    yield "written by", ", ".join(shares)


def _made_with(stage: Mapping[str, Any]) -> Pairs:
    yield "fingerprint", stage["fingerprint"]
    yield "finished", stage["finished"]
    yield "devtune commit", stage["git_commit"] or "not known"
    versions: Mapping[str, str] = stage["versions"] or {}
    yield "versions", ", ".join(f"{name} {version}" for name, version in versions.items())


def model_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines on what a model was taught, as `trace_model` gives it."""
    yield from _section("", (("model", found["model"]), *_training(found["training"])))
    yield from _section("made of", (_link(each) for each in found["lineage"]))
    for source in found["sources"]:
        yield ""
        yield spelt(_title(source))
        yield HEAD
        for each in source["commits"]:
            yield spelt(
                f"  {each['commit'] or NO_COMMIT:<40}  {each['date']:<25}"
                f"  {each['num_samples']:>7,}  {each['num_trained_tokens']:>14,}"
                f"  {', '.join(each['authors'])}"
            ).rstrip()
    yield ""
    yield from _section("", _totals(found["totals"]))


def _training(training: Mapping[str, Any]) -> Pairs:
    if (steps := training["max_steps"] or -1) > 0:
        yield "trained", f"at most {steps} steps; samples they did not reach are listed too"
    elif (epochs := training["num_train_epochs"] or 1) < 1:
        yield "trained", f"{epochs} of an epoch; samples it did not reach are listed too"


def _link(part: Mapping[str, Any]) -> tuple[str, str]:
    name = f"{part['directory']}/"
    if part["missing"]:
        return name, f"{part['missing']}; it holds published weights"
    commit = (part["git_commit"] or "not known")[:12]
    return name, f"{part['fingerprint'][:16]}  {part['finished']}  devtune commit {commit}"


def _title(source: Mapping[str, Any]) -> str:
    known = [
        f"{name} {source[name]}" for name in ("owner", "license", "tip", "cut") if source.get(name)
    ]
    return ", ".join((f"{source['name']} ({source.get('kind', 'not known')})", *known))


def _totals(totals: Mapping[str, int]) -> Pairs:
    yield (
        "in all",
        f"{totals['num_samples']:,} samples, {totals['num_trained_tokens']:,} trained tokens,"
        f" {totals['num_commits']:,} commits of {totals['num_sources']:,} sources",
    )
    if totals["num_shared"]:
        yield "of these", f"{totals['num_shared']:,} samples stand with each of several commits"


def _without(row: Mapping[str, Any], *names: str) -> Pairs:
    return ((name, value) for name, value in row.items() if name not in names)


def _flat(value: Any, prefix: str) -> Pairs:
    if not isinstance(value, Mapping):
        yield prefix, value
        return
    for key, each in cast(Mapping[str, Any], value).items():
        yield from _flat(each, f"{prefix}.{key}" if prefix else key)


def _section(title: str, pairs: Pairs) -> Iterator[str]:
    """A title and what stands below it; what is empty is not shown."""
    shown = [(name, str(value)) for name, value in pairs if value not in ("", None, [], ())]
    width = max((WIDTH, *(len(name) for name, _ in shown)))
    indent = "  " if title else ""
    if title:
        yield ""
        yield spelt(title)
    for name, value in shown:
        yield spelt(f"{indent}{name:<{width}}  {value}")
