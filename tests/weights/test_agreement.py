import pytest
import torch

from devtune.errors import DevtuneError
from devtune.weights.agreement import Agreement, divergence, judge


def test_divergence_is_zero_for_equal_logits_and_known_for_two_outcomes():
    even = torch.zeros(3, 2)
    skewed = torch.tensor([[0.75, 0.25]] * 3).log()
    assert divergence(even, even) == 0
    expected = 0.5 * torch.log(torch.tensor(0.5 / 0.75)) + 0.5 * torch.log(torch.tensor(2.0))
    assert divergence(even, skewed) == pytest.approx(float(expected), rel=1e-5)


def test_an_export_that_is_the_base_is_refused(tmp_path):
    with pytest.raises(DevtuneError, match="answers exactly like the base"):
        judge(Agreement(0.0, 0.0, 0.0), tmp_path)


def test_an_export_that_is_not_what_was_trained_is_refused(tmp_path):
    with pytest.raises(DevtuneError, match="differs from base \\+ adapter"):
        judge(Agreement(effect=0.01, rounding=0.005, largest_logit_difference=1.0), tmp_path)


def test_rounding_is_accepted(tmp_path):
    judge(Agreement(effect=0.1, rounding=1e-4, largest_logit_difference=0.1), tmp_path)
