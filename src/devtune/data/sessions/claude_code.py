"""Claude Code: lines that form a tree by `parentUuid`, of which the path to the last leaf counts.

Side chains, the work of sub-agents, are sessions of their own. What was rewound stands on other
branches and is left out. No schema is published: this is what the program writes.
"""

from collections.abc import Iterable, Iterator

from devtune.data.sessions.blocks import add_results, blocks_of, calls_of, texts_of, thinking_of
from devtune.data.sessions.draft import Draft
from devtune.data.sessions.log import Log, as_string
from devtune.data.sources.fields import Object, as_object

NAME = "claude_code"
_SPOKEN = ("user", "assistant")
_SYNTHETIC = "<synthetic>"
"""The model of what the program says in its place: that a request failed, or needed no answer."""
_COMMANDS = (
    "<command-name>",
    "<command-message>",
    "<local-command-",
    "<bash-",
    "<task-notification>",
)
"""How a message begins that tells of a command of the program's own."""


def recognises(log: Log) -> bool:
    """Whether lines know their parents and the session they belong to."""
    return log.kind == "lines" and any(_is_node(each) for each in log.objects)


def read(log: Log) -> Iterator[Draft]:
    """Yield the main session, then each side chain."""
    nodes = {as_string(each["uuid"]): each for each in log.objects if _is_node(each)}
    chains: dict[str, list[Object]] = {}
    for each in nodes.values():
        is_side = each.get("isSidechain") is True
        key = as_string(each.get("agentId")) or "sidechain" if is_side else ""
        chains.setdefault(key, []).append(each)
    for key, chain in chains.items():
        path = _path_to_last(chain)
        if not path:
            continue
        draft = _begin(path[-1])
        if key:
            draft.parent, draft.session_id = draft.session_id, f"{draft.session_id}/{key}"
        _tell(draft, path, chain)
        yield draft


def _is_node(value: Object) -> bool:
    has_ids = isinstance(value.get("uuid"), str) and "parentUuid" in value
    return has_ids and isinstance(value.get("sessionId"), str)


def _path_to_last(chain: list[Object]) -> list[Object]:
    """The lines from the root to the last thing that was said, as far as they are of the chain."""
    nodes = {as_string(each["uuid"]): each for each in chain}
    said = [each for each in chain if each.get("type") in _SPOKEN]
    path: list[Object] = []
    seen: set[str] = set()
    node = said[-1] if said else None
    while node is not None and as_string(node["uuid"]) not in seen:
        seen.add(as_string(node["uuid"]))
        path.append(node)
        above = node.get("parentUuid") or node.get("logicalParentUuid")
        node = nodes.get(above) if isinstance(above, str) else None
    return path[::-1]


def _begin(last: Object) -> Draft:
    draft = Draft("claude-code", as_string(last.get("version")), as_string(last.get("sessionId")))
    draft.directory = as_string(last.get("cwd"))
    return draft


def _tell(draft: Draft, path: list[Object], chain: list[Object]) -> None:
    answers = _answers(chain)
    told: set[str] = set()
    for node in path:
        message = as_object(node.get("message"))
        draft.date = draft.date or as_string(node.get("timestamp"))
        if node.get("type") == "assistant":
            model = as_string(message.get("model"))
            is_synthetic = model == _SYNTHETIC
            draft.model = draft.model or ("" if is_synthetic else model)
            key = _answer_of(node)
            if key not in told:
                told.add(key)
                blocks, date = answers[key], as_string(node.get("timestamp"))
                draft.agent_turn(
                    texts_of(blocks),
                    calls_of(blocks),
                    thinking_of(blocks),
                    date,
                    is_synthetic=is_synthetic,
                )
                _answer_off_path(draft, answers[key], chain)
        elif node.get("type") == "user":
            _listen(draft, node)


def _answer_of(node: Object) -> str:
    return as_string(as_object(node.get("message")).get("id")) or as_string(node["uuid"])


def _answers(chain: Iterable[Object]) -> dict[str, list[Object]]:
    """By message id the blocks of one answer, which are lines of their own."""
    found: dict[str, list[Object]] = {}
    for node in chain:
        if node.get("type") == "assistant":
            blocks = blocks_of(as_object(node.get("message")).get("content"))
            known = found.setdefault(_answer_of(node), [])
            known += [each for each in blocks if each not in known]
    return found


def _answer_off_path(draft: Draft, blocks: list[Object], chain: Iterable[Object]) -> None:
    """Add results of parallel calls: only the last one is on the path."""
    asked = {call.id for call in calls_of(blocks)}
    if not asked:
        return
    for node in chain:
        if node.get("type") == "user":
            inner = blocks_of(as_object(node.get("message")).get("content"))
            add_results(
                draft, [each for each in inner if as_string(each.get("tool_use_id")) in asked]
            )


def _listen(draft: Draft, node: Object) -> None:
    blocks = blocks_of(as_object(node.get("message")).get("content"))
    add_results(draft, blocks)
    text = texts_of(blocks)
    if text.startswith("[Request interrupted by user"):
        draft.undo_last()
    if text:
        is_summary = node.get("isCompactSummary") is True
        is_meta = node.get("isMeta") is True or is_summary
        is_injected = is_meta or text.lstrip().startswith(_COMMANDS)
        draft.user(text, is_injected=is_injected, is_compaction=is_summary)
