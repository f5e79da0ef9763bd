from datetime import UTC, datetime

import pytest

from devtune.data.families.speech import (
    clean_prose,
    hide_names,
    is_nit,
    is_only_a_question,
    is_talk,
    moment,
)

FORM = """<!-- Please fill
this in -->
## Describe the bug

It crashes. ![shot](https://host.test/a.png)

```python
f()  # fixes #12 <stays>
```

## Additional context

<!-- none -->

### Checklist

- [x] I searched
- [ ] I tested

Closes #12
"""


def test_forms_pictures_and_tickets_are_no_part_of_a_description():
    assert clean_prose(FORM) == (
        "## Describe the bug\n\nIt crashes.\n\n```python\nf()  # fixes #12 <stays>\n```"
    )


def test_headings_above_filled_ones_stay():
    assert clean_prose("# A\n## B\n\ntext\n\n## C\n\n# D\n") == "# A\n## B\n\ntext"


def test_people_become_numbers_in_order_of_appearance():
    texts = ["@grace says: ask @Ada-L or grace", "ada-l and @grace, not @decorator(x) or a@b.test"]
    assert hide_names(texts, ["ada-l", "grace"]) == [
        "@username_0 says: ask @username_1 or grace",
        "username_1 and @username_0, not @decorator(x) or a@b.test",
    ]


def test_what_stands_in_code_is_no_name():
    text = "Use `@grace`:\n\n```\n@grace\n```\n\n@functools.wraps but @linus."
    assert hide_names([text], []) == [text.replace("@linus", "@username_0")]


def test_pseudonyms_are_names_too():
    speaker, other = "REDACTED_AUTHOR_3", "REDACTED_AUTHOR_00ff00ff00ff00ff"
    texts = [f"@{speaker}", f"Ask @{other}, or {speaker}. REDACTED_EMAIL_1 stays."]
    assert hide_names(texts, [speaker, other]) == [
        "@username_0",
        "Ask @username_1, or username_0. REDACTED_EMAIL_1 stays.",
    ]


@pytest.mark.parametrize(
    "text", ["LGTM!", "Thanks, merging", "+1", "/retest", "@bors r+ try", "Done.", ":+1: nice"]
)
def test_small_talk_is_known(text):
    assert is_talk(text)


def test_what_begins_like_talk_and_goes_on_is_none():
    assert not is_talk("Thanks, but it still crashes on Windows when the path has a space in it.")
    assert not is_talk("It crashes")


def test_questions_and_nits_are_known():
    assert is_only_a_question("Why is this here?")
    assert is_only_a_question("Does it work on Windows? I have none.")
    assert not is_only_a_question("Can you rename this?")
    assert not is_only_a_question("This crashes on Windows.")
    assert is_nit("nit: two spaces")
    assert is_nit("Tiny nitpick, two spaces")
    assert not is_nit("Unity of style")


def test_dates_of_forges_and_of_git_are_compared():
    known = datetime(2024, 5, 1, tzinfo=UTC)
    assert moment("2024-05-01T00:00:00Z") == moment("2024-05-01T02:00:00+02:00") == known
    assert moment("2024-05-01") == known
    assert moment("yesterday") is None
    assert moment("") is None


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "piece", ["![", "<img ", "<!--", "`", "```\n", "@a ", "# ", "\n \n", "[x]("]
)
def test_hostile_texts_take_no_minutes(piece):
    hide_names([clean_prose(piece * 30_000)], ["a"])
