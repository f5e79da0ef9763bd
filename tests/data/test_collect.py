import json

import pytest

from devtune.data.collect import identify
from devtune.errors import DevtuneError
from devtune.pipeline import CollectSection


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


def test_an_error_does_not_name_a_secret(make_repository, section, canaries, collect_fails):
    repository = make_repository()
    repository.commit("One", {"x.bin": b"\0" + canaries["github"].encode()})
    assert canaries["github"] not in collect_fails(section(repository.source()))


def test_a_source_of_which_nothing_is_kept_says_why(section, tmp_path, policy_file, collect_fails):
    root = tmp_path / "plain"
    root.mkdir()
    for name, content in (("a.gif", b"\0"), ("b.gif", b"\0"), ("c.py", b"")):
        (root / name).write_bytes(content)
    assert collect_fails(section(directory(root))) == (
        "plain: nothing to train on: all 3 files were rejected (binary 2, empty 1);"
        f" correct the source, or the policy in {policy_file}"
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
    message = "collect.sources: two are called 'app'; give one another `name`"
    assert collect_fails(both) == message
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
    wrong_policy = CollectSection.model_validate({"sources": [repository.source()], "exclude": bad})
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
