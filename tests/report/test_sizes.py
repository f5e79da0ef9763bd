from devtune.records import SPLITS
from devtune.report.dataset import read_numbers
from devtune.report.sizes import read_sizes


def test_sizes_are_those_of_the_report(run_dir):
    sizes, numbers = read_sizes(run_dir / "dataset"), read_numbers(run_dir / "dataset")
    assert sizes.families == numbers.families
    assert sizes.totals == numbers.totals
    assert sizes.lengths == numbers.lengths
    for split in SPLITS:
        assert sizes.quantiles(split) == numbers.quantiles(split)
