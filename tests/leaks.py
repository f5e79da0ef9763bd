"""Looks for values in all that was written, in every spelling a program may leave them in."""

import base64
import json
import urllib.parse
from pathlib import Path

import pyarrow.parquet as pq


def spellings(value):
    """How a value may stand in a file, as bytes."""
    raw = value.encode()
    found = {
        raw, json.dumps(value)[1:-1].encode(), json.dumps(json.dumps(value)[1:-1])[1:-1].encode(),
        raw.hex().encode(), raw.hex().upper().encode(), value.encode("utf-16-le"),
        value.encode("utf-16-be"), urllib.parse.quote(value, safe="").encode(), raw[::-1],
    }  # fmt: skip
    for shift in range(3):
        # The ends of what base64 gives depend on the neighbours.
        spelt = base64.b64encode(bytes(shift) + raw)[4 if shift else 0 : -4]
        found |= {spelt, base64.b64encode(bytes(shift) + raw, b"-_")[4 if shift else 0 : -4]}
    return sorted(each for each in found if len(each) > 7)


def leaks_in(folder: Path, values, decode=None):
    """Return (file, name of the value) of each of `values` that stands anywhere below `folder`.

    Parquet is read as tables; `decode` turns token ids into text.
    """
    needles = [(name, each) for name, value in values.items() for each in spellings(value)]
    found = [(each, name) for each in folder.rglob("*") for name, part in needles
             if part in str(each).encode()]  # fmt: skip
    for file in folder.rglob("*"):
        if not file.is_file() or file.is_symlink():
            continue
        content = file.read_bytes()
        if file.suffix == ".parquet":
            content += _text_of(file, decode)
        found += [(file, name) for name, part in needles if part in content]
    return found


def _text_of(file, decode):
    rows = pq.read_table(file).to_pylist()
    texts = [decode(row.pop("input_ids")) for row in rows if decode and "input_ids" in row]
    return "\n".join([*texts, *(str(row) for row in rows)]).encode("utf-8", "replace")
