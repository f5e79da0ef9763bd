import os
import stat

import pytest

from devtune.errors import RecipeError
from devtune.report.html import write_html


@pytest.mark.parametrize(
    ("folder", "file"), [(0o700, 0o600), (0o750, 0o640), (0o755, 0o644), (0o777, 0o644)]
)
@pytest.mark.parametrize("umask", [0, 0o077])
def test_a_page_is_as_open_as_the_directory_whose_texts_it_quotes(folder, file, umask, tmp_path):
    quoted = tmp_path / "dataset"
    quoted.mkdir()
    quoted.chmod(folder)
    (tmp_path / "page.html").write_text("an older one")
    (tmp_path / "page.html").chmod(0o666)
    before = os.umask(umask)
    try:
        out = write_html(tmp_path / "page.html", ["one ", "two"], quoted)
    finally:
        os.umask(before)
    assert out.read_text() == "one two"
    assert stat.S_IMODE(out.stat().st_mode) == file
    assert sorted(each.name for each in tmp_path.iterdir()) == ["dataset", "page.html"]


def test_a_page_is_closed_while_it_is_written(tmp_path):
    tmp_path.chmod(0o755)

    def pieces():
        yield "private"
        partial = tmp_path / "page.html.partial"
        assert stat.S_IMODE(partial.stat().st_mode) == 0o600

    write_html(tmp_path / "page.html", pieces(), tmp_path)


def test_a_page_that_cannot_be_written_is_one_line_and_leaves_nothing(tmp_path):
    (tmp_path / "page.html").mkdir()
    with pytest.raises(RecipeError) as caught:
        write_html(tmp_path / "page.html", ["x"], tmp_path)
    assert "\n" not in str(caught.value)
    assert [each.name for each in tmp_path.iterdir()] == ["page.html"]
