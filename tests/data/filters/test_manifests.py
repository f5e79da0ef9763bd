import pytest
from hypothesis import given
from hypothesis import strategies as st

from devtune.data.filters.manifests import MANIFESTS, stated_license


@pytest.mark.parametrize(
    ("name", "text", "stated"),
    [
        ("package.json", '{"license": "MIT"}', "MIT"),
        ("package.json", '{"license": {"type": "ISC", "url": "x"}}', "ISC"),
        ("package.json", '{"licenses": [{"type": "MIT"}, {"type": "ISC"}]}', "(MIT) OR (ISC)"),
        ("package.json", '{"licenses": [{"type": "MIT"}]}', "MIT"),
        ("package.json", '{"license": "UNLICENSED"}', ""),
        ("package.json", '{"license": 3}', ""),
        ("package.json", "[]", ""),
        ("package.json", "{", ""),
        ("package.json", "[" * 100_000, ""),
        ("composer.json", '{"license": ["MIT", "GPL-3.0-only"]}', "(MIT) OR (GPL-3.0-only)"),
        ("composer.json", '{"license": "proprietary"}', ""),
        ("pyproject.toml", '[project]\nlicense = "MIT"', "MIT"),
        ("pyproject.toml", '[project]\nlicense = {text = "BSD  License"}', "BSD License"),
        ("pyproject.toml", '[project]\nlicense = {file = "LICENSE"}', ""),
        ("pyproject.toml", '[tool.poetry]\nlicense = "ISC"', "ISC"),
        ("pyproject.toml", "tool = 1", ""),
        ("pyproject.toml", "x = " + "[" * 100_000, ""),
        ("Cargo.toml", '[package]\nlicense = "MIT/Apache-2.0"', "MIT OR Apache-2.0"),
        ("Cargo.toml", '[workspace.package]\nlicense = "ISC"', "ISC"),
        ("Cargo.toml", "[package]\nlicense.workspace = true", ""),
        ("setup.cfg", "[metadata]\nlicense = MIT\n", "MIT"),
        ("setup.cfg", "[metadata]\nname = %(x)s\nlicense = %(y)s\n", "%(y)s"),
        ("setup.cfg", "license = MIT\n", ""),
        ("pom.xml", "<licenses><license><name> MIT </name></license></licenses>", "MIT"),
        ("pom.xml", "<project><name>MIT</name></project>", ""),
        ("pom.xml", "<licenses><name>A</name><name>B</name></licenses>", "(A) OR (B)"),
    ],
)
def test_a_manifest_states_its_license_or_nothing(name, text, stated):
    assert stated_license(name, text) == stated


@given(st.sampled_from(sorted(MANIFESTS)), st.text())
def test_no_text_of_a_manifest_is_too_odd(name, text):
    assert isinstance(stated_license(name, text), str)
