import json
from dataclasses import replace

from devtune.jsonl import write_jsonl
from devtune.records import Change, FileEdit, Redaction, Rejected, Source, SourceFile
from devtune.stage import Outcome
from tests.conftest import make_place

COMMIT = "ab" * 20
ODD_PATH = "odd/\u202e\x01<script>document.title = 'owned'</script>/" + "p" * 4000
ODD_TEXT = "<script>document.title = 'owned'</script>\x00\u202e &lt;b&gt; {{ 7 * 7 }}"
TOKEN, ADDRESS = "REDACTED_GITHUB_PAT_1", "REDACTED_EMAIL_1"
CODE = [*(f"before = {number}" for number in range(6)), f'token = "{TOKEN}"', "after = 1"]
NUM_MORE = 150


def redaction(placeholder, path, line=1, source="billing", rule="betterleaks.github-pat", **other):
    kind = placeholder.removeprefix("REDACTED_").rpartition("_")[0].lower()
    layer = "personal" if kind == "email" else "secret"
    values = {"commit": COMMIT, "num_texts": 3, **other}
    return Redaction(placeholder, layer, kind, rule, source, path, line=line, **values)


ROWS = [
    redaction(TOKEN, "app/x.py", 7),
    redaction(TOKEN, "", 0, commit=COMMIT),
    redaction("REDACTED_GITHUB_PAT_11", "app/x.py", 9, num_texts=1),
    redaction("REDACTED_PASSWORD_1", ODD_PATH, 2, "ledger", "assignment", commit=""),
    redaction(ADDRESS, ODD_PATH, 1, "ledger", "email"),
    *(redaction(ADDRESS, f"docs/{number:03}.md", 4, rule="email") for number in range(NUM_MORE)),
]
SUMMARY = {
    "num_texts": 1234,
    "num_lines": 56789,
    "values": {"secret": {"github_pat": 2, "password": 1}, "personal": {"email": 1}},
    "places": {"secret": {"github_pat": 3, "password": 1}, "personal": {"email": NUM_MORE + 1}},
    "rules": {"betterleaks.github-pat": 2, "assignment": 1, "email": 1},
    "per_1000_lines": {"secret": 0.176, "personal": 7.977},
    "dropped": {"many_secrets": 2},
    "policy": {"salted": False, "personal_data": "5e" * 32},
}


def fill_searched(out):
    place = replace(make_place(), source="billing")
    odd = replace(make_place(ODD_PATH), source="ledger")
    files = [
        SourceFile(place, "train", "\n".join((*CODE, "", 'other = "REDACTED_GITHUB_PAT_11"'))),
        SourceFile(odd, "train", f"{ODD_TEXT} {ADDRESS}\nkey: REDACTED_PASSWORD_1"),
    ]
    edits = tuple(
        FileEdit(replace(place, path=row.path), "", "", f"# Docs\n\nAsk {ADDRESS}.\n")
        for row in ROWS
        if row.path.startswith("docs/")
    )
    change = Change(
        "billing", COMMIT, "Ada <ada@corp.test>", "2024-01-01T00:00:00+00:00", "train",
        "Drop the token", f"It was {TOKEN}.", len(edits), edits,
    )  # fmt: skip
    left_out = [Rejected("many_secrets", "billing", "dump.env", COMMIT, "5 of them")]
    left_out += [Rejected("many_secrets", "ledger", ODD_PATH), Rejected("vendored", "billing", "v")]
    sources = [
        Source("billing", "git", 1.0, "", "Ada", COMMIT),
        Source("ledger", "directory", 1.0, "", ""),
    ]
    write_jsonl(out / "files.jsonl", files)
    write_jsonl(out / "changes.jsonl", [change])
    write_jsonl(out / "discussions.jsonl", [])
    write_jsonl(out / "replays.jsonl", [])
    write_jsonl(out / "sessions.jsonl", [])
    write_jsonl(out / "rejected.jsonl", left_out)
    write_jsonl(out / "sources.jsonl", sources)
    write_jsonl(out / "redactions.jsonl", ROWS)
    (out / "privacy.json").write_text(json.dumps(SUMMARY), encoding="utf-8")
    return Outcome("")


def fill_searched_again(out):
    found = [Rejected("secret_in_sample", "billing", "a.py", "", f"{'0f' * 8} email, assignment")]
    found += [Rejected("secret_in_sample", "billing", "b.py", "", f"{'1f' * 8} assignment")]
    write_jsonl(out / "rejected.jsonl", [*found, Rejected("too_long", "billing", "c.py")])
    return Outcome("")
