"""What distinguishes one language's grammar from another's, as one table.

Reads and writes nothing. Every query uses the same capture names, so that one walk serves all:

- `function` has a body, `outer` is a statement that only wraps one function or definition,
  `case` is a call that passes a title and a block (`it("adds", …)`),
- `definition` is a class or the like, `scope` lends its name to what stands in it, `rest` lends it
  to the rest of the file,
- `import` is a statement, `module` and `bound` are the parts of it that name something,
- `call` is the last identifier of what is called,
- `comment`, `docstring` (first statement of a body), `attribute` (stands before what it marks),
- `literal` may hold line ends that belong to a value.
"""

from dataclasses import dataclass

_ANY = r""
_NEVER = r"(?!)"


@dataclass(frozen=True, slots=True)
class Grammar:
    """One language."""

    package: str
    """Python package that holds the compiled grammar."""
    query: str
    entry: str = "language"
    """Function of the package that returns the language."""
    documentation: str = _ANY
    """What a comment right above a function begins with when it documents it."""
    is_always_typed: bool = True
    is_indented: bool = False
    """Whether indentation is syntax."""
    test_name: str = _NEVER
    """What the name of a test looks like."""
    test_mark: str = _NEVER
    """What stands in the signature or documentation of a test."""
    test_call: str = _NEVER
    """What is called to define a test case."""
    suite_call: str = _NEVER
    """What is called to group test cases."""


_PYTHON = Grammar(
    package="tree_sitter_python",
    query="""
(function_definition) @function
(class_definition) @definition
(decorated_definition) @outer
(import_statement) @import
(import_statement name: (dotted_name) @module)
(import_statement name: (aliased_import name: (dotted_name) @module))
(import_from_statement module_name: (_) @module) @import
(import_from_statement name: (dotted_name) @bound)
(import_from_statement name: (aliased_import alias: (identifier) @bound))
(future_import_statement "__future__" @module) @import
(future_import_statement name: (dotted_name) @bound)
(call function: [(identifier) @call (attribute attribute: (identifier) @call)])
(comment) @comment
(string) @literal
(function_definition body: (block . (expression_statement . (string) @docstring .)))
(class_definition body: (block . (expression_statement . (string) @docstring .)))
""",
    documentation=_NEVER,
    is_always_typed=False,
    is_indented=True,
    test_name=r"test(_|[A-Z]|$)",
)

GRAMMARS: dict[str, Grammar] = {
    "python": _PYTHON,
}
"""By fence name."""
