import pytest

from devtune.data.filters.exclusions import Exclusions, load_policy
from devtune.data.filters.policy import PolicySection, read_policy
from devtune.errors import RecipeError

EMPTY = "keep: []\nvendored: []\ngenerated: []\nlock_file: []\nminified: []\ndata_file: []\n"


class Small(PolicySection):
    names: tuple[str, ...]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (EMPTY + "generated_headers: ['(']\n", "generated_headers.0: bad regular expression '(':"),
        (EMPTY + "generated_headers: []\nvendors: []\n", "unknown key 'vendors'; the keys are"),
        (EMPTY, "'generated_headers' is missing; write it, be it as an empty list []"),
        (EMPTY + "generated_headers: x\n", "generated_headers: Input should be a valid tuple"),
        (EMPTY + "generated_headers: [3]\n", "a regular expression is text, not 3"),
        ("vendored: [\n", "not valid YAML"),
        (EMPTY + "vendored: []\n", "not valid YAML"),
        ("", "each key holds a list of regular expressions"),
        (b"\xff\xfe\xff", "not UTF-8 text"),
        (None, "no such file or directory; correct the path"),
    ],
)
def test_a_wrong_policy_is_one_line_naming_the_file(tmp_path, text, complaint):
    file = tmp_path / "exclude.yaml"
    if text is not None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(RecipeError) as caught:
        load_policy(file)
    message = str(caught.value)
    assert message.startswith(str(file))
    assert complaint in message
    assert "\n" not in message


def test_a_policy_that_was_changed_is_read_anew(tmp_path):
    file = tmp_path / "small.yaml"
    for name in ("one", "two"):
        file.write_text(f"names: [{name}]\n", encoding="utf-8")
        assert read_policy(file, Small, "names").names == (name,)


def test_the_shipped_policy_holds_patterns_for_each_reason(policy_file):
    policy = load_policy(policy_file)
    assert all(getattr(policy, key) for key in Exclusions.model_fields)
