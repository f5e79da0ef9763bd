"""Reads agents' logs for tests, and says what is in a session in few words."""

from pathlib import Path

from devtune.data.sessions.reading import places_of, read_place
from devtune.data.sources.exports import walk

LOGS = Path(__file__).parent / "data" / "sessions" / "logs"
"""Sessions of real programs that a script answered; long texts are shortened, names neutral."""


def read(folder):
    return [
        (place.path, name, draft)
        for place in places_of(walk(folder))
        for name, draft in read_place(place)
    ]


def said(draft):
    return [(each["source"], each["message"]) for each in draft.steps]


def calls(draft):
    return [
        (call["function_name"], call["arguments"])
        for each in draft.steps
        for call in each.get("tool_calls", ())
    ]


def results(draft):
    return [
        result
        for each in draft.steps
        for result in each.get("observation", {}).get("results", ())
    ]  # fmt: skip


def flags(draft, name):
    """An extra of each result, None where it has none."""
    return [each.get("extra", {}).get(name) for each in results(draft)]


def raw(draft):
    """What of the calls is no JSON object, by number."""
    found = [call for each in draft.steps for call in each.get("tool_calls", ())]
    return {
        number: each["extra"]["raw_arguments"]
        for number, each in enumerate(found)
        if "extra" in each
    }
