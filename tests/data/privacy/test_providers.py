import pytest

from devtune.data.privacy.providers import PROVIDERS
from devtune.data.privacy.secrets import find_secrets
from tests.data.privacy.test_formats import HEX, LETTERS, drawn

UUID = "-".join(drawn(HEX, num) for num in (8, 4, 4, 4, 12))
PLACES = (
    "DATADOG={}\n", 'datadog = "{}"', "datadog.key('{}')", "new DatadogClient('{}')",
    '{"datadogKey": "{}"}', "datadog: {}\n", '{\\"datadog\\": \\"{}\\"}', "datadog:\n  site: {}\n",
    '<add key="Datadog" value="{}" />', "DATADOG => '{}'",
)  # fmt: skip


@pytest.mark.parametrize("value", [drawn(HEX, 32), drawn(HEX, 40), drawn(LETTERS, 24), UUID])
@pytest.mark.parametrize("place", PLACES)
def test_what_was_drawn_at_random_beside_the_name_of_a_provider_is_found(place, value):
    text = place.replace("{}", value)
    assert [text[each.start : each.end] for each in find_secrets(text)] == [value]


@pytest.mark.parametrize(
    "name", ["datadog_commit", "datadog_image_digest", "linearization", "xfal"]
)
def test_names_of_other_things_announce_nothing(name):
    assert not find_secrets(f'{name} = "{drawn(HEX, 40)}"')


@pytest.mark.parametrize(
    "value", ["datadog.tracing.Sampler", "1720000000000001", "datadog-agent-v7"]
)
def test_words_and_numbers_beside_a_provider_stay(value):
    assert not find_secrets(f'datadog = "{value}"')


def test_names_are_in_lower_case_and_in_order():
    assert list(PROVIDERS) == sorted(set(PROVIDERS))
    assert all(name == name.lower() and len(name) > 2 for name in PROVIDERS)
