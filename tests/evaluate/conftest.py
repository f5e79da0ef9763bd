import pytest

from devtune.data.tables import write_rows
from devtune.records import TokenRow


@pytest.fixture(scope="session")
def dataset(tmp_path_factory, tekken_file):
    """Two families of three samples; bytes 1000.. are the tokenizer's single bytes."""
    directory = tmp_path_factory.mktemp("dataset")
    rows = []
    for family in ("first", "second"):
        for number in range(3):
            prompt = [1, 3, *(1000 + byte for byte in b"question" * (number + 1)), 4]
            answer = [*(1000 + byte for byte in b"answer"), 2]
            labels = [-100] * len(prompt) + answer
            rows.append(TokenRow(f"{family}{number}", family, prompt + answer, labels, 6))
    write_rows(directory / "held_out.parquet", rows)
    unmeasured = TokenRow("third0", "third", [1, 3, 1000, 4, 1001, 2], [-100] * 4 + [1001, 2], 1)
    write_rows(directory / "train.parquet", [*rows, unmeasured])
    (directory / "tekken.json").write_bytes(tekken_file.read_bytes())
    return directory
