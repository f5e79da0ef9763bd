import json
import stat

import pytest

from devtune.cache import cache_dir
from devtune.data.collect import identify
from devtune.data.privacy.rules import RULES
from devtune.data.sources import directory_source, git_plan
from devtune.errors import DevtuneError
from devtune.jsonl import read_jsonl
from devtune.records import Redaction, Rejected, Source
from tests.data.interruption import run_until_killed


def directory(path, **values):
    return {"type": "directory", "path": path, **values}


def test_a_second_reading_gives_the_same_bytes(make_repository, corpus, canaries):
    repository = make_repository()
    for number in range(6):
        secret = canaries["github"][:-1] + str(number)
        repository.commit(f"Change {number}", {f"m{number % 3}.py": f"t = '{secret}'\n"})
    rows = [corpus(repository.source(), out=name).out for name in ("one", "two")]
    for name in ("files.jsonl", "changes.jsonl", "rejected.jsonl"):
        assert (rows[0] / name).read_bytes() == (rows[1] / name).read_bytes()


def test_no_byte_of_the_corpus_holds_a_secret(make_repository, corpus, canaries, tmp_path, capfd):
    repository = make_repository()
    token, key = canaries["github"], canaries["pem"]
    aws = (
        f"aws_access_key_id = {canaries['aws_id']}\naws_secret_access_key = {canaries['aws_key']}\n"
    )
    repository.commit("Start", {"deploy.ini": aws, "a.py": f"# é 日本\nt = '{token}'\n"})
    repository.commit(f"Rotate\n\nThe old key was\n{key}\n", {"a.py": "t = read()\n"})
    repository.commit(f"Post to {canaries['slack']}", {"b.py": f"P = '{canaries['password']}'\n"})
    repository.commit("Name it", {f"notes/{token}.md": "x\n"}, author=f"{token} <bot@corp.test>")
    url = f"url = 'postgres://svc:{canaries['password']}@db.corp/prod'\n"
    repository.commit("Held out", {"c.py": url, "k.py": f'K = """{key}"""\n'})
    repository.commit("Gone", {f"vendor/{token}.py": "x = 1\n"})
    found = corpus(repository.source(), held_out=0.3)
    printed = "".join(capfd.readouterr()) + repr(found.outcome)
    written = b"".join(each.read_bytes() for each in found.out.iterdir()) + printed.encode()
    pieces = [*canaries["pem"].splitlines()[1:-1], *(canaries[k] for k in canaries if k != "pem")]
    assert not [piece for piece in pieces if piece.encode() in written]
    assert b"REDACTED_PRIVATE_KEY_1" in written
    assert found.texts("train")["b.py"] == "P = 'REDACTED_GENERIC_CREDENTIAL_URI_1'\n"
    assert ("vendor/REDACTED_GITHUB_PAT_1.py", "vendored") in found.reasons
    assert found.outcome.counts["secret_github_pat"] == 1
    assert found.outcome.counts["secret_private_key"] == 1
    assert f"{found.outcome.counts['secret_private_key'] + 5} secrets" in found.outcome.summary


def test_a_secret_of_one_source_is_replaced_in_another(tmp_path, corpus, canaries):
    for name, text in (
        ("one", f"p = '{canaries['password']}'\n"),
        ("two", f"u = 'https://bot:{canaries['password']}@git.corp.internal/x'\n"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.py").write_text(text)
    found = corpus(directory(tmp_path / "one"), directory(tmp_path / "two"), held_out=0)
    assert found.files[0].text == "p = 'REDACTED_GENERIC_CREDENTIAL_URI_1'\n"


@pytest.mark.slow
def test_where_others_could_write_rules_are_compiled_in_the_run(
    make_repository, corpus, canaries, monkeypatch, tmp_path
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    open_folder = cache_dir(RULES)
    open_folder.chmod(0o777)
    repository = make_repository()
    repository.commit("One", {"x.py": f"x = '{canaries['github']}'\n"})
    found = corpus(repository.source(), held_out=0)
    assert found.files[0].text == "x = 'REDACTED_GITHUB_PAT_1'\n"
    assert list(open_folder.iterdir()) == []


def test_a_salt_names_placeholders_alike_in_all_datasets(
    make_repository, corpus, canaries, tmp_path
):
    salt = tmp_path / "salt.key"
    salt.write_bytes(b"s" * 32)
    salt.chmod(0o600)
    texts = []
    for name in ("one", "two"):
        repository = make_repository(name)
        if name == "two":
            repository.commit("Slack", {"a.py": f"a = '{canaries['slack']}'\n"})
        repository.commit("One", {"x.py": f"x = '{canaries['github']}'\n"})
        found = corpus(repository.source(), held_out=0, out=f"out-{name}", salt=salt, workers=2)
        texts.append(found.texts("train")["x.py"])
        assert b"s" * 32 not in b"".join(each.read_bytes() for each in found.out.iterdir())
    assert texts[0] == texts[1]
    assert len(texts[0]) == len("x = 'REDACTED_GITHUB_PAT_0123456789abcdef'\n")


def test_an_error_does_not_name_a_secret(make_repository, section, canaries, collect_fails):
    repository = make_repository()
    repository.commit("One", {"x.bin": b"\0" + canaries["github"].encode()})
    assert canaries["github"] not in collect_fails(section(repository.source()))


def test_a_source_of_which_nothing_is_kept_says_why(section, tmp_path, collect_fails):
    root = tmp_path / "plain"
    root.mkdir()
    for name, content in (("a.gif", b"\0"), ("b.gif", b"\0"), ("c.py", b"")):
        (root / name).write_bytes(content)
    assert collect_fails(section(directory(root))) == (
        "plain: nothing to train on: all 3 files and commits were rejected (binary 2, empty 1);"
        " correct the source, or the rules under collect"
    )


def test_a_corpus_that_is_all_held_out_says_so(section, tmp_path, collect_fails):
    root = tmp_path / "plain"
    root.mkdir()
    (root / "x.py").write_text("x = 1\n")
    assert collect_fails(section(directory(root), held_out=0.999999)) == (
        "collect.held_out: all of the corpus is held out, nothing is left to train on;"
        " lower it or add a source"
    )


def test_two_sources_of_one_name(section, tmp_path, collect_fails):
    for place in ("one/app", "two/app"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "x.py").write_text("x = 1\n")
    both = section(directory(tmp_path / "one/app"), directory(tmp_path / "two/app"))
    assert collect_fails(both) == (
        f"collect.sources: two are called 'app' ({tmp_path}/one/app and {tmp_path}/two/app);"
        " give one another `name`"
    )
    with pytest.raises(DevtuneError, match="two are called"):
        identify(both)


def test_the_identity_of_a_repository_is_its_commit_and_ref(make_repository, section):
    repository = make_repository()
    first = repository.commit("One", {"x.py": "x = 1\n"})
    assert identify(section(repository.source())) == {"app": f"{first} (checked-out branch)"}
    second = repository.commit("Two", {"x.py": "x = 2\n"})
    assert identify(section(repository.source(ref="main", name="core"))) == {
        "core": f"{second} (main)"
    }


def test_identify_fails_where_collect_would(make_repository, section, tmp_path, collect_fails):
    bad = tmp_path / "exclude.yaml"
    bad.write_text("vendors: []\n")
    (tmp_path / "empty").mkdir()
    repository = make_repository()
    repository.commit("One", {"x.py": "x = 1\n"})
    rule = {"type": "excluded_paths", "policy": bad}
    wrong_policy = section(repository.source(), file_rules=[rule])
    for wrong in (
        section(repository.source(ref="nope")),
        section(directory(tmp_path / "gone")),
        section(directory(tmp_path / "empty")),
        section({"type": "package", "name": "nosuchpackage"}),
        wrong_policy,
    ):
        with pytest.raises(DevtuneError) as caught:
            identify(wrong)
        assert str(caught.value) == collect_fails(wrong)


def test_a_bare_repository_goes_by_its_name_without_the_ending(make_repository, section, tmp_path):
    repository = make_repository()
    commit = repository.commit("One", {"x.py": "x = 1\n"})
    bare = tmp_path / "core.git"
    repository.git("clone", "-q", "--bare", str(repository.path), str(bare))
    sources = ({"type": "git", "path": bare}, {"type": "git", "path": repository.path / ".git"})
    expected = f"{commit} (checked-out branch)"
    assert identify(section(*sources)) == {"core": expected, "app": expected}


def test_every_row_is_one_line_of_json(make_repository, corpus):
    repository = make_repository()
    repository.commit("One", {"new\nline.py": "x = 1\r\n"})
    lines = (corpus(repository.source(), held_out=0).out / "files.jsonl").read_text().splitlines()
    assert [json.loads(line)["provenance"]["path"] for line in lines] == ["new\nline.py"]


@pytest.fixture
def many(make_repository, tmp_path, canaries):
    # A history, a directory and an export: secrets in every place a text can come from.
    repository = make_repository("many")
    token, password = canaries["github"], canaries["password"]
    start = {f"m{number}.py": f"def f{number}():\n    return {number}\n" for number in range(6)}
    start["package.json"] = json.dumps({"license": "MIT", "token": token})
    start[".gitattributes"] = f"# {canaries['slack']} {password}\n*.inc linguist-language=PHP\n"
    start[f"notes/{token}.md"] = f"The password is {password}.\n"
    start[".mailmap"] = f"{token} <bob@corp.test> <bob@old.test>\n"
    repository.commit("Start with all of it", start)
    for number in range(8):
        text = f"def f{number % 6}():\n    return {number} + {number}\n"
        text += f"PASSWORD = '{password}'\n" if number == 2 else ""
        subject = f"Let f{number % 6} return {number} twice"
        repository.commit(subject, {f"m{number % 6}.py": text}, author="b <bob@old.test>")
    url = f"URL = 'postgres://svc:{password}@db.corp/prod'\nKEY = '''{canaries['pem']}'''\n"
    repository.commit("Give the password away", {"last.py": url})
    plain = tmp_path / "plain"
    plain.mkdir()
    for number in range(4):
        (plain / f"{password}-{number}.txt").write_text(f"{password} is {number}\n")
    export = tmp_path / "export.json"
    issue = {
        "id": 1, "node_id": "I_1", "number": 1, "title": "It leaks", "body": f"{password} {token}",
        "url": "https://api.github.com/repos/o/many/issues/1", "comments": 0,
        "html_url": "https://github.com/o/many/issues/1", "created_at": "2024-01-01T00:00:00Z",
        "user": {"login": "ada", "type": "User"},
    }  # fmt: skip
    export.write_text(json.dumps([issue]))
    return (
        repository.source(weight=2, owner="Blue"),
        directory(plain),
        {"type": "forge", "path": export, "repository": "many"},
    )


VALUES = {"held_out": 0.3, "replay": {"max_commits": 2}}


@pytest.fixture
def small_units(monkeypatch):
    for module in (git_plan, directory_source):
        monkeypatch.setattr(module, "FILES_PER_UNIT", 3)
    monkeypatch.setattr(git_plan, "COMMITS_PER_UNIT", 3)


def contents(folder):
    return {each.name: each.read_bytes() for each in folder.iterdir()}


def test_the_corpus_is_the_same_whatever_the_units_and_the_workers(
    many, corpus, small_units, monkeypatch
):
    small = corpus(*many, **VALUES, out="small")
    shared = corpus(*many, **VALUES, out="shared", workers=3)
    assert contents(shared.out) == contents(small.out)
    assert shared.outcome == small.outcome
    monkeypatch.undo()
    whole = corpus(*many, **VALUES, out="whole")
    assert contents(whole.out) == contents(small.out)
    assert len(whole.replays) == 4
    assert whole.discussions
    assert set(contents(whole.out)) == {
        "sources.jsonl", "files.jsonl", "changes.jsonl", "discussions.jsonl", "replays.jsonl",
        "sessions.jsonl", "rejected.jsonl", "redactions.jsonl", "privacy.json",
    }  # fmt: skip


def test_killed_again_and_again_it_holds_no_secret_and_goes_on_to_the_same_corpus(
    many, corpus, section, canaries, small_units, tmp_path
):
    whole = corpus(*many, **VALUES, out="whole")
    out, asked = tmp_path / "killed", section(*many, **VALUES)
    # Two workers, so that what an executor writes down of its work is there too.
    run_until_killed(asked, out, "read:3", workers=2)
    first = done_in(out, "read")
    assert len(first) >= 3
    assert not secrets_in(out, canaries)
    run_until_killed(asked, out, "devtune.data.collect:write_rows", workers=2)
    second = done_in(out, "read")
    assert second.items() >= first.items(), "what was done was not done again"
    assert not (out / "files.jsonl").exists()
    assert not secrets_in(out, canaries)
    run_until_killed(asked, out, "devtune.data.collect:write_jsonl")
    assert done_in(out, "read") == second
    assert (out / "files.jsonl").stat().st_size
    assert not secrets_in(out, canaries)
    assert contents(corpus(*many, **VALUES, out="killed").out) == contents(whole.out)
    assert not secrets_in(whole.out, canaries)


def done_in(out, label):
    folder = out / "scratch" / "parts" / label
    return {each.name: each.stat().st_mtime_ns for each in folder.glob("??????")}


def secrets_in(folder, canaries):
    files = [each for each in folder.rglob("*") if each.is_file()]
    assert files
    values = [*canaries["pem"].splitlines()[1:-1], *(v for k, v in canaries.items() if k != "pem")]
    pieces = [each.encode() for each in values]
    # What opens the seals has a file of its own that only its owner reads, and is nowhere else.
    for key in folder.rglob("seal.key"):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        files.remove(key)
        pieces.append(key.read_bytes())
    names = [each for each in folder.rglob("*") for value in values if value in str(each)]
    return names + [each for each in files if any(piece in each.read_bytes() for piece in pieces)]


def test_every_source_of_a_recipe_has_its_row(many, corpus):
    found = corpus(*many, **VALUES)
    rows = list(read_jsonl(found.out / "sources.jsonl", Source))
    assert [(row.name, row.kind, row.weight, row.owner) for row in rows] == [
        ("many", "git", 2.0, "Blue"),
        ("plain", "directory", 1.0, ""),
        ("export.json", "forge", 1.0, ""),
    ]
    assert rows[0].num_held_out_commits == 3


def test_what_a_policy_keeps_out_is_in_the_rejects(make_repository, corpus, tmp_path):
    policy = tmp_path / "repositories.yaml"
    policy.write_text("benchmarks: {bench: [django/django]}\nplain_names: [sympy]\n")
    for name in ("sympy", "ours"):
        make_repository(name).commit("One", {"x.py": f"x = '{name}'\n"})
    sources = [{"type": "git", "path": tmp_path / name} for name in ("sympy", "ours")]
    found = corpus(*sources, held_out=0, exclude_repositories=policy)
    assert found.rejected == [
        Rejected("excluded_repository", "sympy", "", "", "sympy (plain name)")
    ]
    assert found.outcome.rejects == {"excluded_repository": 1}
    assert {row.provenance.source for row in found.files} == {"ours"}
    assert b"'sympy'" not in b"".join(contents(found.out).values())


def test_every_secret_is_told_with_its_place_and_never_its_value(make_repository, corpus, canaries):
    maker = make_repository()
    pem = canaries["pem"]
    maker.commit("Add the keys of the service", {"a.py": f'x = 1\nK = """{pem}"""\n'})
    later = maker.commit(
        "Add a token below the key",
        {"a.py": f'x = 1\nK = """{pem}"""\nt = \'{canaries["github"]}\'\n'},
    )
    found = corpus(maker.source(), held_out=0)
    rows = list(read_jsonl(found.out / "redactions.jsonl", Redaction))
    token = next(row for row in rows if row.kind == "github_pat")
    num_lines = pem.count("\n") + 3
    assert (token.path, token.commit, token.line) == ("a.py", later, num_lines)
    assert (token.layer, token.rule) == ("secret", "betterleaks.github-pat")
    summary = json.loads((found.out / "privacy.json").read_text(encoding="utf-8"))
    assert summary["places"]["secret"]["github_pat"] == 1
    assert summary["num_lines"] > 0
    text = (found.out / "redactions.jsonl").read_text(encoding="utf-8") + json.dumps(summary)
    assert not [name for name, value in canaries.items() if value in text]
