"""Requests to a model and its answers: OpenHands 0 `llm_completions`, and `devtune record`.

Each request repeats all that was said before it, so only what no later one repeats is a session.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from devtune.data.sessions.draft import Draft
from devtune.data.sessions.log import Log, as_string
from devtune.data.sessions.openai_messages import conversation, is_message, messages_of, tools_of
from devtune.data.sources.fields import Object, as_object, as_objects

NAME = "completions"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and the message that answered it."""

    request: Object
    answer: Object

    @property
    def messages(self) -> list[Object]:
        """All that was said, the answer last."""
        return [*messages_of(self.request), self.answer]


def recognises(log: Log) -> bool:
    """Whether there are messages beside the response of the API."""
    return _of_document(log.first) is not None


def read(log: Log) -> Iterator[Draft]:
    """Yield a session for each answer that no later request repeats."""
    found = [exchange for each in log.objects if (exchange := _of_document(each))]
    yield from sessions_of(found, Draft("openai"))


def sessions_of(exchanges: Iterable[Exchange], about: Draft) -> Iterator[Draft]:
    """Yield sessions; `about` is what is known of all of them."""
    kept: list[tuple[list[str], Exchange]] = []
    for each in exchanges:
        keys = [_key(message) for message in each.messages]
        kept = [(own, other) for own, other in kept if own != keys[: len(own)]]
        kept.append((keys, each))
    for number, (_, each) in enumerate(kept, 1):
        draft = Draft(about.agent, about.version, about.session_id, date=about.date)
        if len(kept) > 1:
            draft.session_id = f"{about.session_id or 'session'}/{number}"
        draft.model = as_string(each.request.get("model"))
        draft.tools = tools_of(each.request)
        yield conversation(draft, each.messages)


def _key(message: Object) -> str:
    """What two requests call the same message; programs drop fields they do not know."""
    calls = [as_object(each.get("function")) for each in as_objects(message.get("tool_calls"))]
    said = [(each.get("name"), each.get("arguments")) for each in calls]
    content = message.get("content") or ""
    return json.dumps([message.get("role"), content, said, message.get("tool_call_id")])


def _of_document(value: Object) -> Exchange | None:
    messages = messages_of(value)
    choices = as_objects(as_object(value.get("response")).get("choices"))
    answer = as_object(choices[0].get("message")) if choices else {}
    if not messages or not is_message(answer):
        return None
    request = {**as_object(value.get("kwargs")), "messages": messages}
    request.setdefault("model", as_object(value.get("response")).get("model"))
    return Exchange(request, answer)
