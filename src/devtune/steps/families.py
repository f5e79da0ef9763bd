"""The grammar of the task families: the steps of a pipeline that make samples."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from devtune.section import Count, FilePath, Section


class Family(Section):
    """What all families share."""

    prompt: FilePath
    """Jinja template of the request; `pick(…)` in it chooses a phrasing by the sample."""


class ChangeFormats(Section):
    """How a changed tree is written down, and how often: weights, 0 for never."""

    search_replace: float = Field(default=1.0, ge=0)
    """Blocks of whole lines to find and what takes their place."""
    unified_diff: float = Field(default=1.0, ge=0)
    """A patch as `git apply` takes it."""
    tool_calls: float = Field(default=1.0, ge=0)
    """Calls of the serving agent's own tools."""

    @model_validator(mode="after")
    def _has_one(self) -> Self:
        if not self.search_replace + self.unified_diff + self.tool_calls:
            raise ValueError("every form has weight 0; give one of them a weight")
        return self


class ChangeFamily(Family):
    """What families share that answer with a changed tree."""

    formats: ChangeFormats = ChangeFormats()
    """Forms of the answer, chosen by hash."""
    tools: FilePath
    """JSON array of the tools of the served agent, for answers in tool calls."""
    max_files: Count = 5
    """Commits touching more files are left out."""
    max_changed_lines: Count = 100
    """Commits changing more lines in all are left out."""
    context_lines: Count = 12
    """Lines shown on each side of a change when the file is long."""


class CommitEdit(ChangeFamily):
    """Commit message and old text -> the edit, in every file it touches."""

    type: Literal["commit_edit"]
    """Name of the step."""


class IssueToPatch(ChangeFamily):
    """Issue or pull request -> the change that closed it."""

    type: Literal["issue_to_patch"]
    """Name of the step."""
    min_characters: Count = 20
    """Shorter descriptions say too little."""
    max_characters: Count = 7_000
    """Longer ones are rejected."""


class ReviewToFix(ChangeFamily):
    """Review comment and the code it stands on -> the fix, only where that line changes next."""

    type: Literal["review_to_fix"]
    """Name of the step."""
    min_words: Count = 5
    """Shorter comments say too little."""


class FixRepair(Family):
    """A region as it was before a fix, without being told what is wrong -> the repaired region."""

    type: Literal["fix_repair"]
    """Name of the step."""
    subjects: tuple[str, ...] = (r"(?i)\b(fix(es|ed)?|bug|regression|crash|broken|wrong)\b",)
    """Regular expressions; a commit is a fix when one is found in its subject."""
    max_changed_lines: Count = 30
    """Fixes changing more lines are left out."""
    context_lines: Count = 12
    """Lines shown on each side of the fix."""


class FunctionFamily(Family):
    """What families about one documented function share."""

    min_lines: Count = 3
    """Shorter bodies are left out."""
    max_lines: Count = 40
    """Longer functions are left out."""
    min_docstring_words: Count = 4
    """Shorter documentation does not say what to write."""


class DocstringToFunction(FunctionFamily):
    """Signature and documentation -> the function."""

    type: Literal["docstring_to_function"]
    """Name of the step."""


class FunctionToDocstring(FunctionFamily):
    """The function without its documentation -> the documentation."""

    type: Literal["function_to_docstring"]
    """Name of the step."""


class TestToImplementation(Family):
    """A test and the signature of what it calls -> the implementation."""

    type: Literal["test_to_implementation"]
    """Name of the step."""
    max_lines: Count = 60
    """Longer tests and functions are left out."""


class ImplementationToTest(Family):
    """A function -> the test that calls it."""

    type: Literal["implementation_to_test"]
    """Name of the step."""
    max_lines: Count = 60
    """Longer tests and functions are left out."""


class FillInTheMiddle(Family):
    """A file with one block cut out, what it imports and who calls it -> the block."""

    type: Literal["fill_in_the_middle"]
    """Name of the step."""
    min_lines: Count = 2
    """Smaller blocks are left out."""
    max_lines: Count = 12
    """Larger blocks are left out."""
    context_lines: Count = 25
    """Lines shown before and after the gap."""
    per_file: Count = 3
    """Blocks taken from one file, chosen by hash."""
    repository_context: Annotated[int, Field(ge=0)] = 3
    """At most so many definitions it imports, and so many callers, are shown from other files."""


class ApiUsage(Family):
    """A question from a definition -> real call sites as the answer."""

    type: Literal["api_usage"]
    """Name of the step."""
    min_uses: Count = 3
    """Rarer functions are left out."""
    max_lines: Count = 40
    """Lines of a call site that is shown."""


class RepositoryQa(Family):
    """A question from a heading of README or docs -> its section."""

    type: Literal["repository_qa"]
    """Name of the step."""
    min_words: Count = 20
    """Shorter sections say too little."""
    max_words: Count = 600
    """Longer sections are left out."""


class Explanation(Family):
    """Commented code without its comment -> what the comment says."""

    type: Literal["explanation"]
    """Name of the step."""
    min_words: Count = 8
    """Shorter comments explain nothing."""
    max_lines: Count = 30
    """Lines of the code the comment stands above."""
    context_lines: Annotated[int, Field(ge=0)] = 8
    """Lines of the same function shown before and after that code."""


class TypeAnnotation(Family):
    """An annotated function with its annotations taken off -> its annotated signature."""

    type: Literal["type_annotation"]
    """Name of the step."""
    max_lines: Count = 40
    """Longer functions are left out."""


class CommitReplay(Family):
    """A commit as an agent's session in the served tools, every observation real."""

    type: Literal["commit_replay"]
    """Name of the step."""
    tools: FilePath
    """JSON array of the tools of the served agent."""
    max_actions: Count = 40
    """Sessions of more calls are left out."""


class Trajectory(Section):
    """A session of a coding agent, after the session steps -> what its model saw and said."""

    type: Literal["trajectory"]
    """Name of the step."""
    tools: FilePath | None = None
    """JSON array of tools for sessions whose logs do not tell them; without it those have none."""
    system_prompt: FilePath | None = None
    """Text file for sessions whose logs do not have it."""
    subagents: bool = True
    """Whether sessions that an agent started are trained on too."""
    reasoning: Literal["drop", "train"] = "drop"
    """What becomes of thoughts. `train` is for models that think aloud; Devstral does not, and
    tokenizers before v13 have no tokens for it."""


FamilyStep = (
    CommitEdit
    | IssueToPatch
    | ReviewToFix
    | FixRepair
    | DocstringToFunction
    | FunctionToDocstring
    | TestToImplementation
    | ImplementationToTest
    | FillInTheMiddle
    | ApiUsage
    | RepositoryQa
    | Explanation
    | TypeAnnotation
    | CommitReplay
    | Trajectory
)
