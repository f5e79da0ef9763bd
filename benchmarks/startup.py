"""How long the commands that should answer at once take, beside what starting Python takes.

Writes nothing; prints a table.
Usage: python benchmarks/startup.py [--rounds N]
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
QUICKSTART = "recipes/quickstart/recipe.yaml"
COMMANDS = (
    ("python, nothing loaded", ("-c", "")),
    ("devtune --help", ("-m", "devtune", "--help")),
    ("devtune check", ("-m", "devtune", "check", QUICKSTART)),
    ("devtune show", ("-m", "devtune", "show", QUICKSTART)),
    ("devtune plan", ("-m", "devtune", "plan", QUICKSTART)),
    ("python, torch loaded", ("-c", "import torch")),
)
"""Goals (the plan of the house): check < 1 s, plan < 2 s."""


def main() -> None:
    """Run each command in turn, round after round, and print medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    seconds: dict[str, list[float]] = {name: [] for name, _ in COMMANDS}
    for _ in range(rounds):
        for name, arguments in COMMANDS:
            started = time.monotonic()
            command = [sys.executable, *arguments]
            subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
            seconds[name].append(time.monotonic() - started)
    print(f"{rounds} rounds, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; seconds")
    print(f"{'':24} {'median':>7} {'worst':>7}")
    for name, each in seconds.items():
        print(f"{name:24} {statistics.median(each):7.2f} {max(each):7.2f}")


if __name__ == "__main__":
    main()
