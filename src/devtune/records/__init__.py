"""The rows that stages write for each other: what two stages agree on is here and nowhere else.

`devtune.jsonl` reads and writes them; every table is Parquet.
"""

from devtune.records.corpus import (
    Action,
    BlameRun,
    Change,
    Comment,
    Discussion,
    FileEdit,
    Redaction,
    Replay,
    ReviewComment,
    SourceFile,
)
from devtune.records.origins import (
    AuthorShare,
    Provenance,
    Rejected,
    Source,
)
from devtune.records.samples import (
    Contamination,
    DuplicateCluster,
    Message,
    Preference,
    PreferenceRow,
    Sample,
    TokenRow,
    ToolCall,
)
from devtune.records.split import IGNORED, PREFERENCES, SPLITS, STRICT, Split

__all__ = [
    "Action",
    "AuthorShare",
    "BlameRun",
    "Change",
    "Comment",
    "Contamination",
    "Discussion",
    "DuplicateCluster",
    "FileEdit",
    "IGNORED",
    "Message",
    "PREFERENCES",
    "Preference",
    "PreferenceRow",
    "Provenance",
    "Redaction",
    "Rejected",
    "Replay",
    "ReviewComment",
    "SPLITS",
    "STRICT",
    "Sample",
    "Source",
    "SourceFile",
    "Split",
    "TokenRow",
    "ToolCall",
]
