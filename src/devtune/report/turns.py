"""Turns of a conversation in the terminal, with exactly the trained tokens coloured.

Reads what `conversation` made; writes to a terminal.
"""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from devtune.report.conversation import Turn
from devtune.report.excerpt import spelt
from devtune.report.stretches import Stretch

TRAINED, OPEN, CLOSE = "black on green", "⟦", "⟧"


def print_turns(console: Console, turns: Iterable[Turn], reasons: Sequence[str] = ()) -> None:
    """Print all turns; `reasons` say of each why it is not trained, `""` where it is."""
    shown = list(turns)
    for turn, reason in zip(shown, reasons or [""] * len(shown), strict=True):
        console.print()
        console.print(_title(turn, reason))
        console.print(coloured(turn.stretches, marks=not has_colour(console)))


def has_colour(console: Console) -> bool:
    """Whether it shows any."""
    return console.color_system is not None and not console.no_color


def _title(turn: Turn, reason: str) -> Text:
    """Who speaks, how much, and whether it is trained; why not, where that is known."""
    text = Text(f"▸ {turn.speaker}", style="bold")
    text.append(f"  {turn.num_tokens:,} tokens", style="dim not bold")
    if turn.num_trained == turn.num_tokens:
        text.append("  trained", style="green not bold")
    elif turn.num_trained:
        text.append(f"  {turn.num_trained:,} of them trained", style="green not bold")
    elif turn.speaker == "assistant":
        text.append(f"  not trained{f': {spelt(reason)}' if reason else ''}", style="bold yellow")
    return text


def coloured(stretches: Iterable[Stretch], *, marks: bool = False) -> Text:
    """One text: what is trained on green, or between ⟦ ⟧ where there is no colour; control dim.

    Nothing of it moves the cursor or hides: what cannot be seen is spelt.
    """
    text, waiting, is_open = Text(), Text(), False
    for each in stretches:
        if each.kind == "layout":  # on which side of a mark it stands, only what follows can tell
            waiting.append(each.text)
            continue
        if marks and is_open and not each.is_trained:
            text.append(CLOSE)
        text.append_text(waiting)
        waiting = Text()
        if marks and each.is_trained and not is_open:
            text.append(OPEN)
        is_open = each.is_trained
        text.append(*_shown(each))
    if marks and is_open:
        text.append(CLOSE)
    return text.append_text(waiting)


def _shown(stretch: Stretch) -> tuple[str, str]:
    """A stretch in words, and its style."""
    trained = TRAINED if stretch.is_trained else ""
    if stretch.kind == "hidden":
        return f"⋯ {in_words(stretch)} ⋯", f"{trained} italic" if trained else "dim italic"
    if stretch.kind == "control":
        return stretch.text, trained or "dim"
    shown = spelt(stretch.text, has_lines=True)
    return shown, f"{trained} bold" if stretch.kind == "key" else trained


def in_words(hidden: Stretch) -> str:
    """How much is hidden, and what it is."""
    number = hidden.num_lines or hidden.num_characters
    unit = "line" if hidden.num_lines else "character"
    about = f": {spelt(hidden.text)}" if hidden.text else ""
    return f"{number:,} {unit}{'s' if number != 1 else ''} hidden{about}"
