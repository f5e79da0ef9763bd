from collections.abc import Callable

import pytest

from devtune.data.selection.index import IndexRow, Selection


def row_of(position: int, **values) -> IndexRow:
    known = {
        "sample_id": f"{position * 7919 % 10007:016x}", "split": "train", "family": "f",
        "source": "app", "path": "x.py", "author": "Ada", "answer_hash": position, "weight": 1.0,
    }  # fmt: skip
    return IndexRow(**{**known, **values}, position=position)


@pytest.fixture(scope="session")
def make_row() -> Callable[..., IndexRow]:
    return row_of


@pytest.fixture(scope="session")
def is_whole() -> Callable[[list[IndexRow], Selection], bool]:
    def check(rows: list[IndexRow], selection: Selection) -> bool:
        dropped = [position for position, _ in selection.dropped]
        is_sorted = selection.kept == sorted(selection.kept) and dropped == sorted(dropped)
        return is_sorted and sorted([*selection.kept, *dropped]) == sorted(
            row.position for row in rows
        )

    return check
