import pytest

from devtune.data.filters.shape import shape_check
from devtune.steps.rules import Alphanumeric, Encoded, LineLength, Minified, Size

DENSE = "a=b;c(d);\n" * 100


@pytest.mark.parametrize(
    ("rule", "path", "text", "reason"),
    [
        (Size(type="size", min_lines=3), "a.py", "a\nb\n", "too_short"),
        (Size(type="size", min_lines=3), "a.py", "a\nb\nc", None),
        (LineLength(type="line_length", max=5), "a.py", "abcdef\n", "long_line"),
        (LineLength(type="line_length", max=5), "a.py", "abcde\n", None),
        (LineLength(type="line_length", max=5), "a.md", "abcdef\n", None),
        (LineLength(type="line_length", mean=3), "a.py", "abcd\n", "long_mean_line"),
        (LineLength(type="line_length", mean=3), "a.py", "abcd\nab\n", None),
        (LineLength(type="line_length", mean=3), "a.txt", "abcd\n", None),
        (LineLength(type="line_length", max=5, mean=3), "a.py", "abcdef\n", "long_line"),
        (Minified(type="minified", min_blank_share=0.2), "a.js", DENSE, "minified"),
        (Minified(type="minified", min_blank_share=0.1), "a.js", DENSE, None),
        (Minified(type="minified", min_blank_share=0.2), "a.txt", DENSE, None),
        (Minified(type="minified", min_blank_share=0.2), "a.js", DENSE[:999], None),
        (Alphanumeric(type="alphanumeric"), "a.py", "a---", None),
        (Alphanumeric(type="alphanumeric"), "a.py", "a----", "few_alphanumerics"),
        (Encoded(type="encoded"), "a.py", "\\x0f" * 257, "encoded"),
        (Encoded(type="encoded", max_share=1), "a.py", "\\x0f" * 256, None),
        (Encoded(type="encoded"), "a.py", "x = 1\n", None),
    ],
)
def test_each_rule_on_the_shape_of_a_text_has_its_reason(rule, path, text, reason):
    assert shape_check(rule)(path, text, text.encode()) == reason
