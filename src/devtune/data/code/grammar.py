"""What one language's grammar is described by.

Reads and writes nothing. Every query uses the same capture names, so that one walk serves all:

- `function` has a body, `outer` is a statement that only wraps one function or definition,
  `case` is a call that passes a title and a block (`it("adds", …)`),
- `definition` is a class or the like, `scope` lends its name to what stands in it, `rest` lends it
  to the rest of the file,
- `import` is a statement, `module` and `bound` are the parts of it that name something; where
  `required` is captured too it must be one of `requires`,
- `call` is the last identifier of what is called; `written` is one if a parenthesis follows, and
  `element` if it has a capital,
- `comment`, `docstring` (first statement of a body), `attribute` (stands before what it marks),
- `literal` may hold line ends that belong to a value.
"""

from dataclasses import dataclass

_ANY = r""
NEVER = r"(?!)"
"""A pattern that matches nothing."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """One language."""

    package: str
    """Python package that holds the compiled grammar."""
    query: str
    entry: str = "language"
    """Function of the package that returns the language."""
    requires: tuple[str, ...] = ()
    """Functions whose call is an import."""
    documentation: str = _ANY
    """What a comment right above a function begins with when it documents it."""
    is_always_typed: bool = True
    is_indented: bool = False
    """Whether indentation is syntax."""
    test_name: str = NEVER
    """What the name of a test looks like."""
    test_mark: str = NEVER
    """What stands in the signature or documentation of a test."""
    test_call: str = NEVER
    """What is called to define a test case."""
    suite_call: str = NEVER
    """What is called to group test cases."""
