"""Secrets planted into real code and harmless look-alikes: what scanners find, side by side.

Reads a directory of source (by default the installed packages) and prints tables.
Usage: python benchmarks/privacy.py [DIRECTORY] [--half held-out] [--show] [--rules FILE]

The kinds of secrets, the traps and the files of the tree are split into a tuning half and a
held-out half by the digest of their names, so that a new kind moves no other one. Rules are
written with the tuning half in sight; `--show` lists what it misses and shows nothing of the
other half.

devtune has found a secret when no stretch of 12 characters of it is left in the marked text (the
whole value, where it is shorter). The others are judged more mildly: one finding that touches the
value is enough. Whatever is reported in a trap or in an untouched file counts as false, so the
tree should hold no secrets of its own.

kingfisher runs with its own defaults. Its catalogue is that of betterleaks, the successor of
gitleaks by the same author, and some rules of veles. The rules of gitleaks itself are in no
package installed here; `--rules gitleaks.toml` adds a column for them, or for any file of rules
in that format, in kingfisher's engine.
"""

import argparse
import sysconfig
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from planted import files, generic, providers, traps
from planted.kinds import Half
from planted.scanners import Tool, tools
from planted.trees import Source, Specimen, plant, read_tree

GROUPS = ("provider", "generic", "file type")


def main() -> None:
    """Plant, scan with each tool, and print the table."""
    options = parse_options()
    half: Half = options.half
    kinds = [*providers.kinds(), *generic.kinds(), *files.kinds()]
    chosen = [each for each in kinds if each.half == half]
    all_traps = traps.kinds()
    harmless = [each for each in all_traps if each.half == half]
    sources = read_tree(options.directory, half, int(options.megabytes * 1e6))
    secrets = list(plant(chosen, sources, options.examples, options.seed))
    lookalikes = list(plant(harmless, sources, options.examples, options.seed))
    groups = Counter(each.group for each in chosen)
    print(f"half: {half}, {len(chosen)} of {len(kinds)} kinds of secrets, {len(secrets)} planted")
    print(f"      ({', '.join(f'{groups[name]} {name}' for name in GROUPS)});")
    print(f"      {len(harmless)} of {len(all_traps)} kinds of traps, {len(lookalikes)} planted;")
    print(f"      {len(sources)} untouched files, {num_lines(sources):,} lines")
    columns = [Column(tool, secrets, lookalikes, sources) for tool in tools(options.rules)]
    print_table(columns, groups)
    if options.show:
        columns[-1].show()


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    installed = Path(sysconfig.get_paths()["purelib"])
    parser.add_argument("directory", type=Path, nargs="?", default=installed)
    parser.add_argument("--half", choices=("tuning", "held-out"), default="tuning")
    parser.add_argument("--show", action="store_true", help="what devtune misses or makes up")
    parser.add_argument("--examples", type=int, default=6, help="of each kind")
    parser.add_argument("--megabytes", type=float, default=1.5, help="of untouched files")
    parser.add_argument("--rules", type=Path, help="a file of rules in the format of gitleaks")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.show and options.half != "tuning":
        parser.error("--show: the held-out half stays out of sight; drop one of the two options")
    return options


class Column:
    """One tool on everything: what it found, what it made up, and how fast."""

    def __init__(
        self, tool: Tool, secrets: list[Specimen], lookalikes: list[Specimen], sources: list[Source]
    ) -> None:
        self.name = tool.name
        self.found = [(each, tool.has_found(each)) for each in secrets]
        self.traps = [(each, in_planted(each, tool.report(each.source))) for each in lookalikes]
        started = time.process_time()
        self.untouched = [(each, tool.report(each)) for each in sources]
        size = sum(len(each.text.encode()) for each in sources)
        self.speed = size / 1e6 / (time.process_time() - started)

    def recall(self, group: str | None) -> str:
        """Share of the planted secrets that were found."""
        rows = [found for each, found in self.found if group in (None, each.kind.group)]
        return f"{sum(rows) / len(rows):.3f}" if rows else "-"

    def whole_kinds(self, group: str | None) -> str:
        """Share of the kinds of which every example was found."""
        missed: Counter[str] = Counter()
        for each, found in self.found:
            if group in (None, each.kind.group):
                missed[each.kind.name] += not found
        return f"{sum(not num for num in missed.values()) / len(missed):.3f}" if missed else "-"

    def false_rate(self, rows: list[tuple[Any, list[int]]], num: int) -> str:
        """False reports per 10,000 lines."""
        return f"{10_000 * sum(len(lines) for _, lines in rows) / max(num, 1):.2f}"

    def trapped(self) -> str:
        """Share of the planted traps in which anything was reported."""
        return f"{sum(bool(lines) for _, lines in self.traps) / max(len(self.traps), 1):.3f}"

    def show(self) -> None:
        """Print what was missed, by kind with one example, and where something was made up."""
        missed: dict[tuple[str, str], list[Specimen]] = {}
        for each, found in self.found:
            if not found:
                missed.setdefault((each.kind.group, each.kind.name), []).append(each)
        totals = Counter((each.kind.group, each.kind.name) for each, _ in self.found)
        print(f"\nmissed by {self.name}: kind, missed of planted, an example")
        for key, rows in missed.items():
            print(f"  {key[0]}: {key[1]}  {len(rows)}/{totals[key]}  {excerpt(rows[0])}")
        print("\ntraps it fell into: kind, false reports, an example")
        hits: dict[str, list[tuple[Specimen, list[int]]]] = {}
        for trap, lines in self.traps:
            if lines:
                hits.setdefault(trap.kind.name, []).append((trap, lines))
        for name, found_in in hits.items():
            trap, lines = found_in[0]
            num = sum(len(each) for _, each in found_in)
            print(f"  {name}  {num}  {trap.source.text.splitlines()[lines[0] - 1].strip()[:110]}")
        print("\nuntouched files it changed: path:line")
        for source, lines in self.untouched:
            for line in lines:
                print(f"  {source.path}:{line}")


def in_planted(specimen: Specimen, lines: list[int]) -> list[int]:
    """Keep what was reported in the planted lines; the file around them is counted elsewhere."""
    last = specimen.first_line + specimen.planted.count("\n")
    return [each for each in lines if specimen.first_line <= each <= last]


def excerpt(specimen: Specimen) -> str:
    """The first line of a planted text in which a value stands, cut to fit."""
    for line in specimen.planted.split("\n"):
        if any(value[:8] in line for value in specimen.values):
            return line.strip()[:110]
    return specimen.planted.strip()[:110]


def num_lines(sources: list[Source]) -> int:
    """Lines of all files."""
    return sum(each.num_lines for each in sources)


def print_table(columns: list[Column], groups: Counter[str]) -> None:
    """Print a row for each measure and a column for each tool."""
    rows: list[tuple[str, Callable[[Column], str]]] = []
    for group in (*GROUPS, None):
        name = group or "overall"
        rows.append((f"recall, {name}", lambda column, group=group: column.recall(group)))
    rows.append(("kinds found every time", lambda column: column.whole_kinds(None)))
    rows.append(("false / 10,000 lines, untouched files", untouched_rate))
    rows.append(("false / 10,000 lines, files with a trap", trap_rate))
    rows.append(("share of traps reported", Column.trapped))
    rows.append(("MB a CPU second", lambda column: f"{column.speed:.2f}"))
    print(f"\n{'':<40}" + "".join(f"{each.name:>16}" for each in columns))
    for name, cell in rows:
        print(f"{name:<40}" + "".join(f"{cell(each):>16}" for each in columns))


def trap_rate(column: Column) -> str:
    """False reports in traps per 10,000 lines of the files they were planted in, one in each."""
    return column.false_rate(column.traps, num_lines([each.source for each, _ in column.traps]))


def untouched_rate(column: Column) -> str:
    """False reports per 10,000 lines of files nothing was planted in."""
    return column.false_rate(column.untouched, num_lines([each for each, _ in column.untouched]))


if __name__ == "__main__":
    main()
