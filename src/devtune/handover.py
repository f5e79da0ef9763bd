"""The samples of a run in the format of another trainer, written under the contract of a stage.

Reads `samples/`; writes one directory, signed like any other, so that an erasure finds it.
"""

from pathlib import Path
from typing import Any

from devtune.config import Resolved
from devtune.data.exporting import Format, export_samples
from devtune.errors import RecipeError
from devtune.fates import EXPORTED
from devtune.progress import Progress
from devtune.run import PERMISSIONS, directory
from devtune.stage import run_stage


def hand_over(
    resolved: Resolved, format: Format, out: Path | None, progress: Progress
) -> dict[str, Any]:
    """Write the samples to `out`, by default beside them, and return its manifest.

    What is there already is kept, and anything else refused. Raises `DevtuneError` where samples/
    is not finished or damaged.
    """
    recipe = resolved.recipe
    samples = directory(recipe, "samples")
    target = (out or samples.with_name(f"samples-{format}")).resolve()
    if not target.name:
        raise RecipeError(f"{target}: the root of a file system; set --out to a new directory")
    try:
        manifest, done = run_stage(
            EXPORTED, {"format": format}, {"samples": samples}, target,
            lambda scratch: export_samples(format, samples, scratch, progress),
            permissions=PERMISSIONS[recipe.readable_by],
        )  # fmt: skip
    finally:
        progress.close()
    note = "" if done else "already done: "
    progress.say("export", f"{note}{manifest['summary']}: {target}", done=done, out=str(target))
    return manifest
