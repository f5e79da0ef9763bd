"""Whether the subject of a commit says what the commit does, after CommitPackFT's rules.

Reads what it is handed; writes nothing. Adapted to own code: prefixes are parsed before anything
is counted, tickets are allowed, and no upper case is asked for.
"""

import re
import unicodedata

from devtune.steps.rules import Message

_PREFIXES = re.compile(
    r"""
    \s*(?:
        \[[^\]\n]{1,40}\]:?                            # [api] or [ABC-12]
      | \(?(?:[A-Z][A-Z0-9]{1,9}-|\#|!)\d{1,9}\)?:?    # ABC-12 or #12
      | [\w./*,+-]{1,40}(?:\([^()\n]{0,60}\))?!?:(?!:|//) # feat(api)!: or drivers/net:
      | :[a-z0-9_+-]{1,40}:                            # :sparkles:
    )\s*
    """,
    re.VERBOSE,
)
MAX_PREFIXES = 4
_TRAILERS = re.compile(r"\s*(?:\[[^\]\n]{1,40}\]|\((?:[A-Z][A-Z0-9]{1,9}-|#|!)\d{1,9}\))\s*$")
_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
# A language written without blanks has about a word in two of its characters.
_UNSPACED = re.compile(r"[぀-ヿ㐀-䶿一-鿿]")
_EMPTY = (
    # A stage of work instead of a change.
    r"(?:wip|tmp)\b",
    r"(?:fixup|squash|amend)!",
    r"(?:temp|todo|draft|checkpoint|save|backup|snapshot|squash|amend)"
    r"(?:\W+(?:commit|work|changes?|progress))?\W*$",
    r"(?:initial|first|empty|auto(?:matic)?|daily|test|dummy|last)[ -]?commit\b",
    # A change of nothing in particular.
    r"(?:(?:some|more|minor|small|tiny|various|misc\w*|little|few|a|the|other|further|quick|final)"
    r"\W+)*"
    r"(?:changes?|updates?|fix(?:es|ed)?|edits?|tweaks?|clean(?:ed|ing)?[ -]?ups?|improvements?"
    r"|polish(?:ing)?|stuff|things?|refactor(?:s|ed|ing)?|modifications?|bugs?|bug ?fix(?:es)?"
    r"|typos?|nits?|lint(?:ing|er)?|format(?:ting|ted)?|tests?|docs?|readme|changelog)\W*$",
    r"(?:update|edit|change|modify|fix|add|improve|delete|remove)[sd]?\W+(?:(?:the|some|a)\W+)?"
    r"(?:readme|changelog|license|version|gitignore|code|files?|tests?|docs?|bugs?|typos?|stuff)"
    r"(?:\.\w+)?\W*$",
    # What a forge or git wrote, and answers to a review that is not here.
    r"merge[sd]?\W+(?:remote\W+|tracking\W+)*(?:branch|branches|pull request|merge request|tag)\b",
    r"merge\b.*\b(?:master|main|develop|trunk|origin/\S+)\W*$",
    r"(?:address|incorporate|apply|respond to|follow)\w*\W+(?:\w+\W+){0,3}"
    r"(?:feedback|suggestions?|(?:code |pr )?review(?: comments?| remarks?)?|pr comments?)"
    r"(?:\W+(?:from|by|of)\b.*)?\W*$",
    r"(?:code )?review(?:\W+(?:comments?|fix(?:es)?|changes?|feedback|remarks?|round|\d+))*\W*$",
    # A number instead of words.
    r"(?:(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?|issue|bug|ticket|feature|task|story|part of"
    r"|re|see|for|the)\W+)*#?\d+\W*$",
    r"bump\w*\W+(?:\S+\W+){0,4}?(?:v?\d+\.\d+|versions?\b|dependenc\w+|deps?\b|submodules?\b)",
    r"(?:upgrade|update)\w*\W+\S+\W+(?:from\W+\S+\W+)?to\W+v?\d",
    r"(?:set|update|prepare|tag|change)\w*\W+(?:(?:the|for|next|new)\W+)*(?:version|release)"
    r"(?:\W+number)?(?:\s+(?:(?:to|for|from)\s+)?\S*\d.*)?\W*$",
    r"release\W+(?:\S+\W+)?v?\d",
    r"v?\d+(?:\.\d+)+\S*\W*$",
    r"\W*[0-9a-f]{7,40}\W*$",
    r"\W*https?://\S+\W*$",
)
_SAYS_NOTHING = re.compile("(?i)" + "|".join(f"(?:{each})" for each in _EMPTY))
_FOREIGN = re.compile(r"(?i)\bcherry[ -]picked from\b|\b[0-9a-f]{40}\b|\bsigned-off-by\b")
_FIRST_PERSON = re.compile(r"(?:^|\s)(?:I|I'm|I’m|I've|I’ve|i'm|i've)\s")
_VERBS = """
    abort absorb accept access account activate adapt add adjust adopt align allow alter amend
    annotate append apply approve arrange ask assert assign attach audit authenticate avoid
    await back bail balance batch be begin bind block boost bound break bring build bundle
    bypass cache calculate call cancel canonicalize cap capture carry cast catch center change
    check choose clamp clarify clean cleanup clear clip clone close coalesce collapse collect
    combine comment commit compare compile complete compress compute condense configure confirm
    connect consider consolidate constrain construct consume contain continue control convert
    copy correct count cover create cut deactivate debug decode decouple decrease dedent dedupe
    deduplicate defer define delay delegate delete demote deny deprecate derive describe
    deserialize detach detect determine diagnose differentiate disable disallow discard
    disconnect display distinguish distribute do document don't downgrade download drop dump
    duplicate edit elide eliminate embed emit empty enable encapsulate encode encrypt enforce
    enhance enlarge ensure enter enumerate escape establish evaluate evict exclude execute
    exempt exit expand expect expire explain export expose extend extract factor fail fall favor
    fetch fill filter finalize find finish fix flag flatten flip flush fold follow forbid force
    format forward free freeze gate gather generate get give grant group guard handle harden
    hash hide highlight hoist honor hook identify ignore implement import improve include
    increase increment indent index infer inform inherit initialize inject inline insert inspect
    install instrument integrate intercept introduce invalidate invert invoke isolate iterate
    join keep kill label launch lazy lengthen let leverage lift limit link lint list listen load
    localize lock log look loosen lower maintain make map mark mask match measure memoize
    mention merge migrate minimize mirror mock modernize modify monitor mount move mute name
    narrow negate nest normalize note notify omit open optimize order organize output override
    overwrite pack package pad parallelize parametrize parse partition pass patch pause perform
    permit persist pick pin pipe place plumb point polish pool pop populate port postpone prefer
    prefix prepare prepend preserve prevent print prioritize process produce profile prohibit
    promote propagate protect provide prune publish pull purge push put qualify query queue
    quiet quote raise randomize re-add re-enable reach read rearrange rebuild recognize record
    recover redirect redo reduce refactor refer refine reflect reformat refresh refuse register
    reimplement reinstate reject relax release reload relocate rely remove rename render reorder
    reorganize repair replace replay report reproduce request require rerun reset reshape resize
    resolve respect respond restart restore restrict restructure resume retain rethrow retire
    retrieve retry return reuse revert revise revisit rework rewrite rotate round route run
    sample sanitize satisfy save scale scan schedule scope search secure seed select send
    separate serialize serve set shard share ship shorten show shrink shut silence simplify sort
    specialize specify speed spell split squash stabilize standardize start state stop store
    stream streamline strengthen strip structure stub style submit subtract suggest support
    suppress surface suspend swallow swap switch sync synchronize take target teach tell
    terminate test throttle throw tidy tighten time toggle tolerate touch track transform
    translate treat trigger trim truncate try tune turn tweak type unblock uncomment undo unify
    uninstall unlock unpack unpin unregister unset unwrap update upgrade upload use validate
    vectorize verify version wait walk warn watch widen wire work wrap write yield zero
"""
_IMPERATIVES = frozenset(_VERBS.split())


class MessageRule:
    """One rule on messages, its expressions compiled."""

    def __init__(self, rule: Message) -> None:
        self.rule = rule
        self._skipped = [re.compile(pattern) for pattern in rule.skip]

    def reject(self, subject: str) -> str | None:
        """Return why a subject does not say what its commit does, or None.

        Lengths are those of the subject without its prefix: `fix(api): ` is no word.
        """
        rule = self.rule
        core = strip_prefixes(subject)
        fits = rule.min_characters <= _width(core) <= rule.max_characters
        if not fits or not rule.min_words <= _count_words(core) <= rule.max_words:
            return "message_length"
        if _says_nothing(core) or _says_nothing(subject.strip()):
            return "message_says_nothing"
        if any(pattern.search(subject) for pattern in self._skipped):
            return "message_skipped"
        if rule.imperative and not is_imperative(core):
            return "message_not_imperative"
        return None


def strip_prefixes(subject: str) -> str:
    """Return a subject without what stands around its sentence: `feat(api):`, `[x]`, `(#1)`."""
    core = subject.strip()
    for _ in range(MAX_PREFIXES):
        found = _PREFIXES.match(core)
        if found is None or found.end() == len(core):
            break
        core = core[found.end() :]
    trailer = _TRAILERS.search(core)
    return core[: trailer.start()] if trailer and trailer.start() else core


def is_imperative(core: str) -> bool:
    """Whether a subject, its prefix taken off, starts with a verb that gives an order."""
    first = core.split(maxsplit=1)[:1]
    return bool(first) and first[0].lower().rstrip(",;") in _IMPERATIVES


def _says_nothing(subject: str) -> bool:
    # Asked of the whole subject too: `WIP: ` looks like a prefix.
    found = _SAYS_NOTHING.match(subject) or _FOREIGN.search(subject)
    return bool(found or _FIRST_PERSON.search(subject))


def _count_words(text: str) -> int:
    unspaced = len(_UNSPACED.findall(text))
    return len(_WORD.findall(_UNSPACED.sub(" ", text))) + (unspaced + 1) // 2


def _width(text: str) -> int:
    # A character of an East Asian language says about as much as two of another.
    return len(text) + sum(unicodedata.east_asian_width(each) in "WF" for each in text)
