from typing import get_args

import pytest
from pydantic import ValidationError

from devtune.steps.families import FamilyStep
from devtune.steps.selection import FAMILIES, HeldOutOverlap, Mix, NearDuplicateFiles


def test_every_family_can_be_weighed():
    assert len(FAMILIES) == len(get_args(FamilyStep)) == len(set(FAMILIES))
    assert Mix(type="mix", weights=dict.fromkeys(FAMILIES, 2.0)).weights["commit_edit"] == 2.0


def test_a_weight_for_no_family_is_refused():
    with pytest.raises(ValidationError, match="no family is called 'commit_edits'; they are comm"):
        Mix(type="mix", weights={"commit_edits": 1.0})


@pytest.mark.parametrize(
    ("section", "name"),
    [(NearDuplicateFiles, "near_duplicate_files"), (HeldOutOverlap, "held_out_overlap")],
)
def test_bands_have_to_fit_the_permutations(section, name):
    assert section(type=name).bands * section(type=name).rows <= 256
    with pytest.raises(
        ValidationError, match="20 bands of 13 rows need more than 256 permutations"
    ):
        section(type=name, bands=20, rows=13)
    assert section(type=name, bands=20, rows=13, num_perm=260).num_perm == 260
