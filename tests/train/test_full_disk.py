import json
import re
import subprocess
import sys

import pytest

CODE = """
import json, sys
from pathlib import Path
from devtune.errors import DevtuneError
from devtune.progress import Progress
from devtune.recipe import ClusterSection
from devtune.tuning import SftSection
from devtune.train.checkpoints import Checkpoints
from devtune.train.training import train
section, dataset, base, out = json.loads(sys.argv[1])
out = Path(out)
out.mkdir()
paths = (Path(dataset), Path(base), out)
try:
    train(SftSection.model_validate(section), ClusterSection(), *paths, Progress("quiet"))
except DevtuneError as error:
    print(error)
    found = Checkpoints(out / "checkpoints").newest(print)
    print(found and found.step)
"""


# Full before the first step; at the first checkpoint; at the second one.
@pytest.mark.parametrize(("size", "kept"), [("16k", None), ("200k", None), ("700k", 2)])
def test_a_disk_that_fills_up_while_training_is_one_line_and_costs_no_checkpoint(
    size, kept, make_section, dataset, base, tmp_path
):
    room = tmp_path / "room"
    room.mkdir()
    values = make_section(adapter={"type": "lora", "r": 16}).model_dump(mode="json")
    job = json.dumps([values, str(dataset), str(base), str(room / "out")])
    mount = f"mount -t tmpfs -o size={size} none {room} || exit 77"
    answer = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", f'{mount}; exec "$@"', "sh",
         sys.executable, "-c", CODE, job],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if answer.returncode == 77 or "unshare:" in answer.stderr:
        pytest.skip("no mounts of one's own here")
    assert answer.stdout.count("\n") == 2, answer.stdout + answer.stderr
    said, step = answer.stdout.splitlines()
    assert re.search("no space left (on the device|for a checkpoint:.*); free space there", said)
    assert step == str(kept)
