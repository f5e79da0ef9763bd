"""Where the compiled rules of the scanner lie, for all processes of a stage and for later runs.

Writes them to the user's cache, or to the scratch directory of the stage.
"""

from pathlib import Path

from devtune.cache import cache_dir
from devtune.data.privacy.kingfisher import compile_rules

RULES = "secret-rules"


def compiled_rules(scratch: Path) -> Path:
    """Where rules lie compiled: for later runs too, or where no home can be written for this."""
    kept = cache_dir(RULES)
    if kept and compile_rules(kept):
        return kept
    own = scratch / "rules"
    own.mkdir(mode=0o700, exist_ok=True)
    compile_rules(own)
    return own
