from devtune.data.sources.sightings import Sightings


def test_a_path_that_was_printed_makes_its_directories_known():
    seen = Sightings()
    assert seen.has_directory(".")
    assert not seen.has_path("a/b/c.py")
    seen.add({"a/b/c.py": (3,)})
    assert seen.has_path("a/b/c.py")
    assert seen.has_directory("a")
    assert seen.has_directory("a/b")
    assert not seen.has_directory("a/c")


def test_a_line_leads_to_the_window_it_stands_in():
    seen = Sightings()
    seen.add({"x": (11,)})
    assert seen.leads_to("x", (10, 11))
    assert not seen.leads_to("x", (11, 20))
    assert not seen.leads_to("x", (0, 10))
    assert not seen.leads_to("y", (0, 99))


def test_a_copy_is_added_to_alone():
    seen = Sightings()
    seen.add({"x": (1,)})
    other = seen.copy()
    other.add({"x": (9,), "d/y": ()})
    assert not seen.leads_to("x", (8, 9))
    assert not seen.has_directory("d")
