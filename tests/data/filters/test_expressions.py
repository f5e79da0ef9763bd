import pytest
from hypothesis import given
from hypothesis import strategies as st

from devtune.data.filters.expressions import (
    LicensePolicy,
    ids_of,
    is_known,
    join_all,
    load_license_policy,
    normalize,
)
from devtune.errors import RecipeError

POLICY = LicensePolicy(
    allow=("MIT", "Apache-2.0", "LicenseRef-Our*", "GPL-2.0-only WITH Classpath-exception-2.0"),
    unknown="allow",
    unclear="reject",
)


@pytest.mark.parametrize(
    ("stated", "expression"),
    [
        ("mit", "MIT"),
        ("(MIT)", "MIT"),
        ("mit or apache-2.0", "MIT OR Apache-2.0"),
        ("MIT  AND\n(ISC OR Zlib)", "MIT AND (ISC OR Zlib)"),
        ("GPL-2.0", "GPL-2.0-only"),
        ("GPL-2.0+", "GPL-2.0-or-later"),
        (
            "GPL-2.0-only with classpath-exception-2.0",
            "GPL-2.0-only WITH Classpath-exception-2.0",
        ),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("The Apache Software License, Version 2.0", "Apache-2.0"),
        ("Apache 2", "Apache-2.0"),
        ("MIT License", "MIT"),
        ("LicenseRef-Ours", "LicenseRef-Ours"),
        ("Corp-1.0", "Corp-1.0"),
        ("SEE LICENSE IN x", "NOASSERTION"),
        ("()()", "NOASSERTION"),
        ("MIT AND", "NOASSERTION"),
        ("MIT/ISC", "NOASSERTION"),
        ("(" * 400, "NOASSERTION"),
        ("MIT AND " * 200 + "MIT", "NOASSERTION"),
    ],
)
def test_expressions_are_spelt_the_one_right_way(stated, expression):
    assert normalize(stated) == expression


@pytest.mark.parametrize(
    ("expression", "known"),
    [
        ("MIT OR ISC", True),
        ("LicenseRef-Ours", True),
        ("MIT OR Corp-1.0", False),
        ("NOASSERTION", False),
        ("MIT AND", False),
    ],
)
def test_known_are_the_ids_of_the_list_and_references(expression, known):
    assert is_known(expression) == known


def test_ids_leave_exceptions_out_and_joined_licenses_all_hold():
    assert ids_of("MIT OR GPL-2.0-only WITH Classpath-exception-2.0") == {"MIT", "GPL-2.0-only"}
    assert ids_of("MIT AND") == frozenset()
    assert join_all(["MIT", "MIT OR ISC", "MIT"]) == "MIT AND (MIT OR ISC)"
    assert join_all(["MIT OR ISC"]) == "MIT OR ISC"
    assert join_all([]) == ""


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("MIT", None),
        ("MIT OR GPL-3.0-only", None),
        ("MIT AND GPL-3.0-only", "license_not_allowed"),
        ("MIT AND (GPL-3.0-only OR Apache-2.0)", None),
        ("MIT AND (GPL-3.0-only OR ISC)", "license_not_allowed"),
        ("Apache-2.0 WITH LLVM-exception", None),
        ("GPL-2.0-only WITH Classpath-exception-2.0", None),
        ("GPL-2.0-only", "license_not_allowed"),
        ("GPL-2.0-only WITH GCC-exception-2.0", "license_not_allowed"),
        ("LicenseRef-Ours", None),
        ("LicenseRef-Theirs", "license_not_allowed"),
        ("", None),
        ("NOASSERTION", "license_unclear"),
        ("MIT AND", "license_unclear"),
        ("NOASSERTION AND MIT", "license_not_allowed"),
    ],
)
def test_one_of_a_choice_and_all_of_a_sum_must_be_allowed(expression, reason):
    assert POLICY.reject(expression) == reason


def test_the_policy_decides_what_becomes_of_the_unknown_and_the_unclear():
    other = LicensePolicy(allow=(), unknown="reject", unclear="allow")
    assert other.reject("") == "license_unknown"
    assert other.reject("NOASSERTION") is None
    assert other.reject("MIT") == "license_not_allowed"


def test_the_shipped_policy_allows_own_and_permissive_code_only(policy_file):
    policy = load_license_policy(policy_file.with_name("licenses.yaml"))
    assert all(normalize(each) == each and is_known(each) for each in policy.allow)
    kept = ["", "LicenseRef-Ours", "MIT", "BSD-3-Clause", "Apache-2.0 OR GPL-2.0-only"]
    assert [policy.reject(each) for each in kept] == [None] * len(kept)
    left_out = ["GPL-3.0-or-later", "AGPL-3.0-only", "LGPL-2.1-only", "MPL-2.0", "CC-BY-NC-4.0"]
    left_out += ["LicenseRef-Commercial", "BUSL-1.1", "SSPL-1.0"]
    assert {policy.reject(each) for each in left_out} == {"license_not_allowed"}
    assert policy.reject("NOASSERTION") == "license_unclear"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("allow: []\nunknown: allow\n", "'unclear' is missing"),
        ("allow: []\nunknown: maybe\nunclear: allow\n", "unknown: Input should be 'allow' or"),
        ("allow: MIT\nunknown: allow\nunclear: allow\n", "a list of SPDX ids (`allow`), or allow"),
    ],
)
def test_a_wrong_policy_is_one_line(tmp_path, text, complaint):
    file = tmp_path / "licenses.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        load_license_policy(file)
    assert str(caught.value).startswith(str(file))
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.text(alphabet=st.sampled_from("()+/ MITANDORWTHé\0\n-.0")), st.text())
def test_no_expression_is_too_odd(shaped, text):
    for stated in (shaped, text):
        expression = normalize(stated)
        assert normalize(expression) == expression
        assert POLICY.reject(expression) in {None, "license_not_allowed", "license_unclear"}
