from pathlib import Path

from devtune.cache import cache_dir
from devtune.data.privacy.kingfisher import compile_rules
from devtune.data.privacy.marking import Marker
from devtune.data.privacy.rules import RULES

KEY = b"k" * 32


def test_damaged_compiled_rules_are_compiled_again(tmp_path: Path, canaries):
    compiled = tmp_path / "rules"
    compiled.mkdir(mode=0o700)
    assert compile_rules(cache_dir(RULES))
    for each in cache_dir(RULES).iterdir():
        (compiled / each.name).write_bytes(each.read_bytes()[:-1000] + b"x" * 1000)
        (compiled / each.name).chmod(0o600)
    assert compile_rules(compiled)
    assert "REDACTED_GITHUB_PAT_" in Marker(KEY, compiled).mark(f"t = '{canaries['github']}'")
