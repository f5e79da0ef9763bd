import base64
import hashlib
import json
import signal
from pathlib import Path

import pytest

from devtune.data.languages import language_of
from devtune.jsonl import write_jsonl
from devtune.records import Change, FileEdit, Message, Provenance, Sample, Source, SourceFile

# A shell that starts the tests in the background has them, and all they start, ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

SPECIAL_TOKENS = {
    0: "<unk>", 1: "<s>", 2: "</s>", 3: "[INST]", 4: "[/INST]", 5: "[AVAILABLE_TOOLS]",
    6: "[/AVAILABLE_TOOLS]", 7: "[TOOL_RESULTS]", 8: "[/TOOL_RESULTS]", 9: "[TOOL_CALLS]",
    10: "[IMG]", 11: "<pad>", 12: "[IMG_BREAK]", 13: "[IMG_END]", 14: "[PREFIX]", 15: "[MIDDLE]",
    16: "[SUFFIX]", 17: "[SYSTEM_PROMPT]", 18: "[/SYSTEM_PROMPT]", 19: "[TOOL_CONTENT]",
    24: "[AUDIO]", 25: "[BEGIN_AUDIO]", 32: "[ARGS]", 33: "[CALL_ID]", 34: "[THINK]",
    35: "[/THINK]",
}  # fmt: skip
NUM_MERGES = 44


@pytest.fixture(scope="session")
def tekken_file(tmp_path_factory) -> Path:
    # 1000 special tokens, 256 bytes and 44 merges: 1300 in all, as `tests/tiny.py` expects.
    pairs = (f"{first}{second}" for first in "aeiost " for second in "nrtlsdm ")
    merges = [each.encode() for each in pairs][:NUM_MERGES]
    tokens = [*(bytes([byte]) for byte in range(256)), *merges]
    names = [SPECIAL_TOKENS.get(rank, f"<SPECIAL_{rank}>") for rank in range(1000)]
    content = {
        "config": {
            "pattern": r"\p{N}| ?\p{L}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
            "num_vocab_tokens": len(tokens),
            "default_vocab_size": 1000 + len(tokens),
            "default_num_special_tokens": 1000,
            "version": "v13",
        },
        "vocab": [
            {"rank": rank, "token_bytes": base64.b64encode(token).decode(), "token_str": None}
            for rank, token in enumerate(tokens)
        ],
        "special_tokens": [
            {"rank": rank, "token_str": name, "is_control": True} for rank, name in enumerate(names)
        ],
        "version": 1,
        "type": "Tekken",
    }
    file = tmp_path_factory.mktemp("tekken") / "tekken.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


@pytest.fixture(scope="session")
def base(tmp_path_factory, tekken_file) -> Path:
    from tests.tiny import write_tiny_model  # loads torch, which the data tests do without

    directory = tmp_path_factory.mktemp("base")
    write_tiny_model(directory, tekken_file)
    return directory


@pytest.fixture(scope="session")
def prompts_dir() -> Path:
    return Path(__file__).resolve().parents[1] / "data_prep" / "prompts"


def make_place(path="app/x.py", commit="c0ffee", blob="b10b"):
    date = "2024-01-01T00:00:00+00:00"
    return Provenance("app", commit, path, blob, "Ada <ada@corp.test>", date)


def blob_of(text):
    return hashlib.sha1(text.encode()).hexdigest()


@pytest.fixture
def make_sample():
    def make(*turns, family="commit_edit", sample_id="00", path="app/x.py"):
        messages = tuple(Message(role, content) for role, content in turns)
        return Sample(sample_id, family, messages, (make_place(path),))

    return make


@pytest.fixture
def make_corpus(tmp_path):
    # files: (path, split, text); changes: (split, subject, (path, old, new), ...)
    def make(files=(), changes=()):
        directory = tmp_path / "corpus"
        directory.mkdir(exist_ok=True)
        rows = [
            SourceFile(make_place(path, blob=blob_of(text)), split, text, language_of(path))
            for path, split, text in files
        ]
        write_jsonl(directory / "files.jsonl", rows)
        commits = [
            Change(
                source="app",
                commit=f"c{number}",
                author="Ada <ada@corp.test>",
                date="2024-01-01T00:00:00+00:00",
                split=split,
                subject=subject,
                body="",
                num_files=len(edits),
                edits=tuple(
                    FileEdit(make_place(path, f"c{number}", blob_of(new)), blob_of(old), old, new)
                    for path, old, new in edits
                ),
            )
            for number, (split, subject, *edits) in enumerate(changes)
        ]
        write_jsonl(directory / "changes.jsonl", commits)
        write_jsonl(directory / "sources.jsonl", [Source("app", "git", 1.0, "", "")])
        for name in ("discussions", "replays", "sessions", "rejected"):
            write_jsonl(directory / f"{name}.jsonl", ())
        return directory

    return make


@pytest.fixture
def canaries() -> dict[str, str]:
    # Assembled here so that no file of this tree holds a secret.
    stream = b"".join(hashlib.sha256(bytes([number])).digest() for number in range(30))
    body = base64.encodebytes(stream).decode()
    return {
        "aws_id": "AKIA" + "QYLPMN5HFIQR" + "7BCX",
        "aws_key": "wJalrXUtnFEMq" + "K7MDENGbPxRfi" + "CYZq83jd7AbX1z",
        "github": "ghp_" + "a1B2c3D4e5F6g7H8" + "i9J0k1L2m3N4o5P6q7R8",
        "slack": "xoxb-" + "123456789012-1234567890123-" + "AbCdEfGhIjKlMnOpQrStUvWx",
        "password": "Zq83" + "jdK7" + "AbX1zz",
        "pem": "-----BEGIN RSA " + f"PRIVATE KEY-----\n{body}-----END RSA " + "PRIVATE KEY-----",
    }
