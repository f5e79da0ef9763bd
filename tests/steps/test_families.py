import pytest
from pydantic import ValidationError

from devtune.steps.families import ChangeFormats


def test_some_form_of_answer_has_to_have_a_weight():
    with pytest.raises(ValidationError) as caught:
        ChangeFormats(search_replace=0, unified_diff=0, tool_calls=0)
    (error,) = caught.value.errors()
    assert error["msg"] == "Value error, every form has weight 0; give one of them a weight"
    assert ChangeFormats(search_replace=0, unified_diff=0).tool_calls == 1
