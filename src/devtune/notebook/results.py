"""What was trained, exported and measured, as a notebook holds it.

Reads `adapter/`, `serving/` and `report/`; writes nothing.
"""

import json
from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from devtune.errors import DevtuneError, one_line
from devtune.report.cells import foot_of, report_cell, serving_cell, training_cell
from devtune.report.closing import serve_command
from devtune.report.lineage import open_output

NUM_ANSWERS = 2
"""Answers that are shown of each family."""


class Training:
    """A finished `adapter/`; raises `DevtuneError` for the directory of another stage."""

    def __init__(self, directory: Path | str) -> None:
        self.directory = Path(directory)
        self.manifest = open_output(self.directory, "train")

    @property
    def summary(self) -> str:
        """The line its stage printed."""
        return self.manifest["summary"]

    @property
    def metrics(self) -> dict[str, Any]:
        """Steps, losses at the end and whatever else its manifest keeps."""
        return self.manifest["metrics"]

    @cached_property
    def curve(self) -> list[dict[str, Any]]:
        """Rows with `step` and what was logged there: `loss`, `eval_loss`, `learning_rate`, …"""
        return _read_rows(self.directory / "curve.jsonl")

    def __repr__(self) -> str:
        return f"Training({str(self.directory)!r}): {self.summary}"

    def _repr_html_(self) -> str:
        return training_cell(self.summary, self.curve, foot_of(self.directory, self.manifest))


class Serving:
    """A finished `serving/`; raises `DevtuneError` for the directory of another stage."""

    def __init__(self, directory: Path | str) -> None:
        self.directory = Path(directory)
        self.manifest = open_output(self.directory, "export")

    @property
    def summary(self) -> str:
        """The line its stage printed."""
        return self.manifest["summary"]

    @property
    def load_check(self) -> dict[str, float | None]:
        """Nats a token: `effect` of training, and what `rounding` to BF16 lost."""
        return self.manifest["metrics"]

    @property
    def files(self) -> dict[str, int]:
        """Bytes by name."""
        return {name: each["bytes"] for name, each in self.manifest["files"].items()}

    @property
    def command(self) -> str:
        """What serves it with vLLM, to be typed where the notebook runs."""
        return serve_command(self.directory, self.manifest["section"]["served_model_name"])

    def __repr__(self) -> str:
        return f"Serving({str(self.directory)!r}): {self.summary}"

    def _repr_html_(self) -> str:
        foot = foot_of(self.directory, self.manifest)
        return serving_cell(self.summary, self.load_check, self.files, self.command, foot)


class Report:
    """A finished `report/`; raises `DevtuneError` for the directory of another stage."""

    def __init__(self, directory: Path | str) -> None:
        self.directory = Path(directory)
        self.manifest = open_output(self.directory, "evaluate")

    @property
    def summary(self) -> str:
        """The line its stage printed."""
        return self.manifest["summary"]

    @property
    def families(self) -> Mapping[str, Mapping[str, Any]]:
        """By family: `num_samples`, and of `base` and `tuned` loss, bits a byte and the like."""
        return self.manifest["metrics"]["families"]

    @cached_property
    def completions(self) -> list[dict[str, Any]]:
        """Greedy answers: `sample_id`, `family`, `base`, `tuned`, and the `reference`."""
        return _read_rows(self.directory / "completions.jsonl")

    def __repr__(self) -> str:
        return f"Report({str(self.directory)!r}): {self.summary}"

    def _repr_html_(self) -> str:
        shown: Counter[str] = Counter()
        answers: list[dict[str, Any]] = []
        for each in sorted(self.completions, key=lambda row: row["family"]):
            shown[each["family"]] += 1
            if shown[each["family"]] <= NUM_ANSWERS:
                answers.append(each)
        foot = foot_of(self.directory, self.manifest)
        return report_cell(self.summary, self.families, answers, foot)


def _read_rows(file: Path) -> list[dict[str, Any]]:
    try:
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    except OSError as error:
        raise DevtuneError(one_line(error, file)) from None
    except ValueError:
        raise DevtuneError(
            f"{file}: damaged; move {file.parent} away and run its stage again"
        ) from None
