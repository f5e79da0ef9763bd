import pytest

from devtune.data.privacy.personal_addresses import find_addresses


def found(text: str) -> list[str]:
    return [text[start:end] for start, end in find_addresses(text)]


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("host 93.184.216.34 is up", ["93.184.216.34"]),
        ("It is 93.184.216.34.", ["93.184.216.34"]),
        ("'http://93.184.216.34:8080/x'", ["93.184.216.34"]),
        ("allow 93.184.216.0/24;", ["93.184.216.0"]),
        ("a=93.184.216.34,93.184.216.35", ["93.184.216.34", "93.184.216.35"]),
        ("ip: 4.2.1.9", ["4.2.1.9"]),
        ("4.2.1.9:443", ["4.2.1.9"]),
        ("2a00:1450:4001:81b::200e", ["2a00:1450:4001:81b::200e"]),
        ("[2a00:1450:4001:81b::200e]:443", ["2a00:1450:4001:81b::200e"]),
        ("2a00:1450:4001:081b:0:0:0:200e", ["2a00:1450:4001:081b:0:0:0:200e"]),
        ("fd12:3456::1", ["fd12:3456::1"]),
        ("é 93.184.216.34", ["93.184.216.34"]),
    ],
)
def test_addresses_are_found(text, addresses):
    assert found(text) == addresses


@pytest.mark.parametrize(
    "text",
    [
        'version = "101.2.3.4"',
        "1.2.3.4",
        "see 4.2.1.0 and 1.2.3.4",
        'AssemblyVersion("40.25.130.40")',
        "Chrome/91.0.247.124",
        "oid 1.3.6.1.4.1",
        "1.3.66.77.4.1",
        "foo-1.200.3.99.jar",
        "v66.77.88.99",
        "1.66.77.300",
        "66.77.88.99-beta",
        "122.122.122.122",
        "a6ea::2454:a5ce:94.105.123.75",
        "66.077.88.99",
        "c3.11,66.77.88.99,2.23,3.18",
        "66.77.88.99 1.235 1.911",
        "66.77.88.99-.78.79-1.35",
        "std::vector abc::def dead::beef fe::add a::b::c",
        "12:30:45 2012:12:12",
        "2000:1:2:3",
        "x2a00::1",
        "2a00::1z",
        "::",
    ],
)
def test_versions_drawings_and_paths_of_names_are_none(text):
    assert found(text) == []
