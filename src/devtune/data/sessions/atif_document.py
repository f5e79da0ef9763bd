"""ATIF documents as Harbor and others write them; steps copied from elsewhere stay marked."""

from collections.abc import Iterator

from atif import Trajectory
from pydantic import ValidationError

from devtune.data.sessions.draft import SCHEMA_VERSION, Draft, clean_tree
from devtune.data.sessions.log import Log, Unreadable, as_string
from devtune.data.sources.fields import Object, as_object, as_objects
from devtune.jsonl import first_fault
from devtune.records.sessions import KEY

NAME = "atif"


def recognises(log: Log) -> bool:
    """Whether the schema names itself."""
    return as_string(log.first.get("schema_version")).startswith("ATIF-v1")


def read(log: Log) -> Iterator[Draft]:
    """Yield each document, and those of sub-agents inside it. Raises `Unreadable`."""
    for each in log.objects:
        yield from _read(clean_tree(each), "")


def _read(document: Object, parent: str) -> Iterator[Draft]:
    inside = as_objects(document.pop("subagent_trajectories", None))
    extra = as_object(document.pop("extra", None))
    extra.pop(KEY, None)
    try:
        trajectory = Trajectory.model_validate({**document, "schema_version": SCHEMA_VERSION})
    except ValidationError as error:
        raise Unreadable("invalid_atif", first_fault(error)) from None
    agent = trajectory.agent
    session = trajectory.session_id or trajectory.trajectory_id or ""
    draft = Draft(agent.name, agent.version, session, agent.model_name or "", parent=parent)
    draft.tools = agent.tool_definitions
    steps = [each.model_dump(mode="json", exclude_none=True) for each in trajectory.steps]
    draft.steps = [_plain(each) for each in steps]
    draft.date = next((each.timestamp for each in trajectory.steps if each.timestamp), "")
    draft.task = as_string(extra.get("task_id") or extra.get("instance_id"))
    yield draft
    for each in inside:
        yield from _read(each, session)


def _plain(step: Object) -> Object:
    """Return a step without numbers of one run, which no one trains on."""
    step.pop("metrics", None)
    return step
