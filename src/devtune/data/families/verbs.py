"""English verbs of commit messages, and what they are when the work is done.

Reads and writes nothing.
"""

_IRREGULAR = {
    "become": "became", "begin": "began", "bring": "brought", "build": "built", "catch": "caught",
    "cut": "cut", "do": "did", "drop": "dropped", "feed": "fed", "find": "found", "get": "got",
    "give": "gave", "hide": "hid", "keep": "kept", "leave": "left", "let": "let",
    "make": "made", "permit": "permitted", "pin": "pinned", "plug": "plugged", "put": "put",
    "read": "read", "rebuild": "rebuilt", "reset": "reset", "rewrite": "rewrote", "run": "ran",
    "send": "sent", "set": "set", "show": "showed", "ship": "shipped", "skip": "skipped",
    "split": "split", "stop": "stopped", "strip": "stripped", "swap": "swapped", "take": "took",
    "trim": "trimmed", "unset": "unset", "wrap": "wrapped", "write": "wrote",
}  # fmt: skip
# Left out are those that start a subject as a noun as often: test, type, release, default.
_WORDS = (
    "accept add address adjust allow append apply assert assign avoid bump call cancel capture"
    " change check clarify clean clear close collapse collect combine compare compute configure"
    " consolidate convert copy correct create declare decouple define delay delete deprecate"
    " describe detect disable discard display document download emit enable encode enforce enhance"
    " ensure escape exclude execute exit expand explain export expose extend extract filter finish"
    " fix flush force format generate group guard handle highlight ignore implement import improve"
    " include increase inherit initialize inline insert install introduce invoke isolate join"
    " limit link lint load lock mark match mention merge migrate modernize move normalize omit"
    " open optimize override parse pass polish prefer prepare preserve prevent print promote"
    " propagate protect provide prune publish raise reduce refactor refer reformat register reject"
    " relax reload rely remove rename render reorder reorganize replace report require resolve"
    " respect restore restrict retry return reuse revert rework save search separate share"
    " simplify sort specify start store streamline support suppress switch sync tidy tighten track"
    " translate treat trigger tweak unify update upgrade use validate verify warn"
)
_REGULAR = frozenset(_WORDS.split())
_DOUBLED = frozenset(("emit", "omit", "prefer", "refer"))


def past_of(word: str) -> str:
    """Return the past of a verb in the imperative, as a sentence starts; `""` for other words.

    A word that is such a past already comes back as it is.
    """
    low = word.lower()
    if low in _PASTS:
        return low.capitalize()
    return _past(low).capitalize() if low in _IRREGULAR or low in _REGULAR else ""


def _past(verb: str) -> str:
    if verb in _IRREGULAR:
        return _IRREGULAR[verb]
    if verb in _DOUBLED:
        return f"{verb}{verb[-1]}ed"
    if verb.endswith("e"):
        return f"{verb}d"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return f"{verb[:-1]}ied"
    return f"{verb}ed"


_PASTS = frozenset(map(_past, (*_IRREGULAR, *_REGULAR)))
