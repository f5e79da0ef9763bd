"""The grammars of all languages, as one table.

Reads and writes nothing. What the names after `@` mean stands in `grammar.py`.
"""

from dataclasses import replace

from devtune.data.code.grammar import NEVER, Grammar

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
    documentation=NEVER,
    is_always_typed=False,
    is_indented=True,
    test_name=r"test(_|[A-Z]|$)",
)

_ECMASCRIPT = """
[(function_declaration) (generator_function_declaration) (method_definition)] @function
(variable_declarator name: (identifier) value: [FUNCTION]) @function
(assignment_expression left: [(identifier) (member_expression)] right: [FUNCTION]) @function
(pair key: (_) value: [FUNCTION]) @function
(export_statement value: [FUNCTION] @function) @outer
(export_statement declaration: [
  (function_declaration) (generator_function_declaration) (class_declaration)]) @outer
(export_statement
  declaration: (lexical_declaration . (variable_declarator value: [FUNCTION]) .)) @outer
(lexical_declaration . (variable_declarator value: [FUNCTION]) .) @outer
(variable_declaration . (variable_declarator value: [FUNCTION]) .) @outer
(expression_statement (assignment_expression right: [FUNCTION])) @outer
(call_expression arguments: (arguments . [(string) (template_string)] [FUNCTION])) @case
(class_declaration) @definition
(variable_declarator name: (identifier) value: (object)) @scope
(assignment_expression left: (member_expression) right: (object)) @scope
(pair key: (property_identifier) value: (object)) @scope
(import_statement source: (string) @module) @import
(import_clause (identifier) @bound)
(import_specifier name: (identifier) @bound !alias)
(import_specifier alias: (identifier) @bound)
(export_statement source: (string) @module) @import
(export_statement (export_clause (export_specifier name: (identifier) @bound)) source: (string))
[(lexical_declaration REQUIRED) (variable_declaration REQUIRED)] @import
(variable_declarator name: (object_pattern [
  (shorthand_property_identifier_pattern) @bound
  (pair_pattern value: (identifier) @bound)]))
(call_expression function: [(identifier) @call (member_expression property: (_) @call)])
(new_expression constructor: [(identifier) @call (member_expression property: (_) @call)])
(comment) @comment
[(string) (template_string)] @literal
""".replace(
    "REQUIRED",
    """(variable_declarator value: (call_expression
  function: (identifier) @required arguments: (arguments . (string) @module)))""",
).replace("FUNCTION", "(arrow_function) (function_expression) (generator_function)")
_JSX = """
[(jsx_opening_element name: (identifier) @element)
 (jsx_self_closing_element name: (identifier) @element)]
"""
_JAVASCRIPT = Grammar(
    package="tree_sitter_javascript",
    query=_ECMASCRIPT
    + _JSX
    + """
(field_definition property: (_) value: [(arrow_function) (function_expression)]) @function
""",
    requires=("require",),
    is_always_typed=False,
    test_call=r"(it|test|specify|fit|xit)\b",
    suite_call=r"[fx]?(describe|context|suite)\b|test\.describe\b",
)
_TYPESCRIPT = replace(
    _JAVASCRIPT,
    package="tree_sitter_typescript",
    entry="language_typescript",
    query=_ECMASCRIPT
    + """
(public_field_definition name: (_) value: [(arrow_function) (function_expression)]) @function
(export_statement declaration: [(abstract_class_declaration) (interface_declaration)
  (enum_declaration) (type_alias_declaration)]) @outer
[(abstract_class_declaration) (interface_declaration) (enum_declaration)
 (type_alias_declaration)] @definition
[(internal_module) (module)] @scope
(import_statement (import_require_clause source: (string) @module)) @import
(decorator) @attribute
""",
)
_JAVA = Grammar(
    package="tree_sitter_java",
    query="""
[(method_declaration) (constructor_declaration) (compact_constructor_declaration)] @function
[(class_declaration) (interface_declaration) (enum_declaration) (record_declaration)
 (annotation_type_declaration)] @definition
(import_declaration [(scoped_identifier) (identifier)] @module) @import
(method_invocation name: (_) @call)
(object_creation_expression type: [(type_identifier) @call (generic_type (type_identifier) @call)])
[(line_comment) (block_comment)] @comment
(string_literal) @literal
""",
    documentation=r"/\*\*",
    test_mark=r"@(Test|ParameterizedTest|RepeatedTest|TestFactory|Property)\b",
)
_GO = Grammar(
    package="tree_sitter_go",
    query="""
[(function_declaration) (method_declaration)] @function
[(type_spec) (type_alias)] @definition
(type_declaration . [(type_spec) (type_alias)] .) @outer
(import_spec path: (_) @module) @import
(call_expression function: [(identifier) @call (selector_expression field: (_) @call)])
(comment) @comment
(raw_string_literal) @literal
""",
    test_mark=r"^func (Test|Benchmark|Fuzz)(?![a-z])\w*\(\w+ \*testing\.|^func Example\w*\(\)",
)
_RUST = Grammar(
    package="tree_sitter_rust",
    query="""
(function_item) @function
[(struct_item) (enum_item) (union_item) (trait_item) (type_item)] @definition
[(impl_item) (mod_item body: (_))] @scope
(use_declaration argument: [
  (identifier) @module
  (scoped_identifier) @module
  (scoped_use_list path: (_) @module)
  (use_as_clause path: (_) @module)
  (use_wildcard (_) @module)]) @import
(extern_crate_declaration name: (_) @module) @import
(use_list [
  (identifier) @bound
  (scoped_identifier name: (_) @bound)
  (use_as_clause alias: (_) @bound)])
(call_expression function: [NAMED (generic_function function: [NAMED])])
(macro_invocation macro: [(identifier) @call (scoped_identifier name: (_) @call)])
(token_tree (identifier) @written . (token_tree))
[(line_comment) (block_comment)] @comment
(attribute_item) @attribute
[(string_literal) (raw_string_literal)] @literal
""".replace(
        "NAMED",
        """
  (identifier) @call (field_expression field: (_) @call) (scoped_identifier name: (_) @call)""",
    ),
    documentation=r"///|/\*\*",
    test_mark=r"#\[(\w+::)*(test|rstest|test_case)\b",
)
_C = Grammar(
    package="tree_sitter_c",
    query="""
(function_definition) @function
[(struct_specifier name: (_) body: (_)) (union_specifier name: (_) body: (_))
 (enum_specifier name: (_) body: (_))] @definition
(type_definition type: [(struct_specifier !name) (union_specifier !name)
  (enum_specifier !name)]) @definition
(type_definition type: [(struct_specifier name: (_)) (union_specifier name: (_))
  (enum_specifier name: (_))]) @outer
(preproc_include path: (_) @module) @import
(call_expression function: [(identifier) @call (field_expression field: (_) @call)])
(comment) @comment
[(string_literal) (preproc_arg)] @literal
""",
    test_name=r"test_",
)
_CPP = replace(
    _C,
    package="tree_sitter_cpp",
    query=_C.query
    + """
(class_specifier name: (_) body: (_)) @definition
(alias_declaration) @definition
(template_declaration) @outer
(namespace_definition) @scope
(call_expression function: [
  (template_function name: (_) @call)
  (field_expression field: (template_method name: (_) @call))
  (qualified_identifier name: [NAMED (qualified_identifier name: [
    NAMED (qualified_identifier name: [NAMED])])])])
(new_expression type: [(type_identifier) @call (template_type name: (_) @call)])
(raw_string_literal) @literal
""".replace("NAMED", "(identifier) @call (template_function name: (_) @call)"),
    test_mark=r"^(TEST|TEST_F|TEST_P|TYPED_TEST|TYPED_TEST_P|BOOST_\w+_TEST_CASE)\(",
    test_call=r"(TEST|TEST_F|TEST_P|TYPED_TEST|TYPED_TEST_P|BOOST_\w+_TEST_CASE)$",
)
_CSHARP = Grammar(
    package="tree_sitter_c_sharp",
    query="""
[(method_declaration) (constructor_declaration) (destructor_declaration)
 (local_function_statement)] @function
[(class_declaration) (struct_declaration) (interface_declaration) (enum_declaration)
 (record_declaration)] @definition
(namespace_declaration) @scope
(file_scoped_namespace_declaration) @rest
(using_directive !name (identifier) @module) @import
(using_directive (qualified_name) @module) @import
(invocation_expression function: [NAMED
  (member_access_expression name: [NAMED])
  (conditional_access_expression (member_binding_expression name: [NAMED]))])
(object_creation_expression type: [NAMED])
(comment) @comment
[(string_literal) (verbatim_string_literal) (raw_string_literal)
 (interpolated_string_expression)] @literal
""".replace("NAMED", "(identifier) @call (generic_name (identifier) @call)"),
    documentation=r"///|/\*\*",
    test_mark=r"[\[,]\s*(Fact|Theory|Test|TestMethod|TestCase|DataTestMethod)\s*[\](,]",
)
_RUBY = Grammar(
    package="tree_sitter_ruby",
    query="""
[(method) (singleton_method)] @function
(call arguments: (argument_list . [(method) (singleton_method)] .)) @outer
(call method: (identifier) arguments: (argument_list . (_)) block: (_)) @case
[(class) (module)] @definition
(call !receiver method: (identifier) @required
  arguments: (argument_list . (string) @module)) @import
(call method: [(identifier) (constant)] @call)
(comment) @comment
[(string) (heredoc_body) (regex) (subshell) (delimited_symbol)] @literal
""",
    requires=("require", "require_relative", "load"),
    is_always_typed=False,
    test_name=r"test_",
    test_call=r"(it|specify|example|scenario|test)$",
    suite_call=r"(describe|context|feature|shared_examples|shared_examples_for)$",
)
_PHP = Grammar(
    package="tree_sitter_php",
    entry="language_php",
    query="""
[(function_definition) (method_declaration)] @function
(function_call_expression arguments: (arguments .
  (argument [(string) (encapsed_string)])
  (argument [(anonymous_function) (arrow_function)]))) @case
[(class_declaration) (interface_declaration) (trait_declaration) (enum_declaration)] @definition
(namespace_definition body: (_)) @scope
(namespace_definition !body) @rest
(namespace_use_declaration (namespace_use_clause . [(qualified_name) (name)] @module)) @import
(namespace_use_declaration (namespace_name) @module) @import
(namespace_use_group (namespace_use_clause !alias [(qualified_name) (name)] @bound))
(namespace_use_group (namespace_use_clause alias: (_) @bound))
[(require_expression (string) @module) (require_once_expression (string) @module)
 (include_expression (string) @module) (include_once_expression (string) @module)] @import
(function_call_expression function: [(name) @call (qualified_name (name) @call)])
[(member_call_expression name: (name) @call) (nullsafe_member_call_expression name: (name) @call)
 (scoped_call_expression name: (name) @call)]
(object_creation_expression [(name) @call (qualified_name (name) @call)])
(comment) @comment
[(string) (encapsed_string) (heredoc) (nowdoc) (shell_command_expression) (text)] @literal
""",
    is_always_typed=False,
    test_name=r"test[A-Z_]",
    test_mark=r"#\[\s*\\?(\w+\\)*Test\b|@test\b",
    test_call=r"(it|test)$",
    suite_call=r"describe$",
)

GRAMMARS: dict[str, Grammar] = {
    "python": _PYTHON,
    "javascript": _JAVASCRIPT,
    "jsx": _JAVASCRIPT,
    "typescript": _TYPESCRIPT,
    "tsx": replace(_TYPESCRIPT, entry="language_tsx", query=_TYPESCRIPT.query + _JSX),
    "java": _JAVA,
    "go": _GO,
    "rust": _RUST,
    "c": _C,
    "cpp": _CPP,
    "csharp": _CSHARP,
    "ruby": _RUBY,
    "php": _PHP,
}
"""By fence name."""
