import pytest

from devtune.report.canaries import canaries_page


@pytest.fixture
def found():
    def group(*pairs):
        names = ("base", "tuned", "learned")
        return {
            name: {"mean_exposure": mean, "chance": chance}
            for name, (mean, chance) in zip(names, pairs, strict=True)
        }

    return {
        "verdict": "MEMORISED: 1 of 1 canaries are written out word for word",
        "num_controls": 127,
        "num_held_back": 4,
        "expected_exposure": 1.405,
        "max_exposure": 7.0,
        "significant_below": 0.01,
        "planted": group((1.5, 0.3), (7, 0.0078125), (7, 0.0078125)),
        "never_planted": group((1.4, 0.4), (1.3, 0.5), (1.2, 0.6)),
        "canaries": [
            {
                "name": "first",
                "value_bits": 61.2,
                "exposure": {"base": 1.5, "tuned": 7.0, "learned": 7.0},
                "deviations": 14.82,
                "is_place_trained": True,
                "is_written": {"base": False, "tuned": True},
            }
        ],
    }


def test_the_page_begins_with_the_verdict_and_has_a_row_for_each_canary_and_group(found):
    page = canaries_page(found)
    assert page.startswith("# Canaries\n\n**MEMORISED: 1 of 1 ")
    assert "| first | 61 | yes | 1.50 | 7.00 | 7.00 | +14.8 | tuned |\n" in page
    assert (
        "| *never planted, mean* |  |  | 1.40 (p = 0.4) | 1.30 (p = 0.5) | 1.20 (p = 0.6) |" in page
    )
    assert "among 127 random values" in page
    assert "1.41 on average by chance,\n7.00 at most" in page
    assert "already" not in page


def test_all_rows_have_as_many_cells_as_the_head(found):
    rows = [line for line in canaries_page(found).splitlines() if line.startswith("|")]
    assert len(rows) == 5
    assert {row.count("|") for row in rows} == {9}


def test_a_place_that_no_sample_holds_is_said(found):
    found["canaries"][0]["is_place_trained"] = False
    assert "| first | 61 | no | 1.50" in canaries_page(found)


def test_what_neither_model_writes_and_both_write_is_said(found):
    written = found["canaries"][0]["is_written"]
    written["tuned"] = False
    assert "| +14.8 | no |" in canaries_page(found)
    written.update(base=True, tuned=True)
    assert "| +14.8 | base and tuned |" in canaries_page(found)


def test_canaries_that_the_base_prefers_are_not_taken_for_random(found):
    found["planted"]["base"]["chance"] = 0.001
    assert "above random values already (p = 0.001)" in canaries_page(found)
