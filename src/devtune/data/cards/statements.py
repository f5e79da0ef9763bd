"""What is said of a dataset in sentences, each from what a stage counted.

Reads a `Description`; writes nothing.
"""

from collections.abc import Iterator

from devtune.data.cards.description import Description, Work


def summary(about: Description) -> str:
    """Say in a sentence what the dataset is."""
    numbers = about.num_samples
    return (
        f"{counted(numbers['train'], 'conversation')} to train on and {numbers['held_out']:,} held"
        f" out, made from {counted(len(about.sources), 'source')}, as token ids with a loss mask."
    )


def collection(about: Description) -> Iterator[str]:
    """Say which sources were read, in which state, and up to where they are trained on."""
    for each in about.sources:
        owner = f" of {each.owner}" if each.owner else ""
        tip = f" at {each.tip}" if each.tip else ""
        cut = f", to train on up to {each.cut} of {each.cut_date}" if each.cut else ""
        yield f"{each.name} ({each.kind}{owner}){tip}{cut}."


def protocol(about: Description) -> Iterator[str]:
    """Say of each stage its steps and what they left out."""
    works = {"collect": about.collect, "build": about.build, "render": about.render}
    for name, work in works.items():
        steps = "; ".join(f"{kind}: {', '.join(each)}" for kind, each in work.steps.items() if each)
        yield f"{name}: {f'{steps}; ' if steps else ''}{_left_out(work)}."


def _left_out(work: Work) -> str:
    found = ", ".join(f"{reason} {number}" for reason, number in sorted(work.rejects.items()))
    return f"left out {sum(work.rejects.values())}" + (f" ({found})" if found else "")


def biases(about: Description) -> Iterator[str]:
    """Say what the dataset has most of, in samples."""
    total = sum(about.num_samples.values())
    groups = {"the source": about.makeup.sources, "the language": about.makeup.languages}
    for name, counts in groups.items():
        if counts:
            most, number = min(counts.items(), key=lambda each: (-each[1], each[0]))
            yield f"{number / total:.0%} of the samples have texts of {name} {most}."
    families = {
        name.removeprefix("train."): number
        for name, number in about.render.counts.items()
        if name.startswith("train.")
    }
    most, number = min(families.items(), key=lambda each: (-each[1], each[0]))
    share = number / about.num_samples["train"]
    yield f"{share:.0%} of the samples to train on are of the family {most}."


def limitations(about: Description) -> Iterator[str]:
    """Say what the dataset cannot be relied on for."""
    yield "Answers are what the sources hold; nobody has checked that they are correct or good."
    yield "It knows its sources up to their cut; what they say later is held out or not read."
    yield "The token ids mean nothing without the tokenizer beside them."
    long = about.render.rejects.get("too_long", 0)
    yield f"{counted(long, 'sample')} of more than {about.max_length} tokens left out, none cut."
    if about.num_unlicensed:
        yield f"{counted(about.num_unlicensed, 'sample')} with texts nothing states a licence for."


def privacy(about: Description) -> Iterator[str]:
    """Say what was searched for secrets and personal data, and what became of what was found."""
    found = about.privacy
    if found is None:
        yield "Nothing is known of a search of the corpus for secrets and personal data."
    else:
        policy = found.get("policy", {}).get("personal_data")
        wanted = f"secrets, and personal data by the policy {policy}" if policy else "secrets only"
        yield (
            f"{counted(found['num_texts'], 'text')} of {counted(found['num_lines'], 'line')} were"
            f" searched for {wanted}; what was found is replaced by typed placeholders."
        )
        layers = ("secret", "personal") if policy else ("secret",)
        for layer in layers:
            kinds = found["values"].get(layer, {})
            places = sum(found["places"].get(layer, {}).values())
            values = counted(sum(kinds.values()), f"{layer} value")
            yield f"{values} replaced in {counted(places, 'place')}."
        for reason, number in sorted(found["dropped"].items()):
            yield f"{number} left out for the reason {reason}."
    left = about.render.rejects.get("secret_in_sample", 0)
    yield (
        "Every sample was searched for secrets again as it is trained;"
        f" {counted(left, 'sample')} left out for one."
    )
    yield "No scanner finds everything: treat the dataset as confidential as its sources."


def counted(number: int, word: str) -> str:
    """`1 line`, `2,000 lines`."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"
