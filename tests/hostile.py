"""Repositories, directories and exports as nobody makes them, to be read by all of the data half.

Objects are written one by one, so that they may be what git refuses to make. Reads nothing; writes
below the directory it is given.
"""

import hashlib
import json
import os
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import strategies as st

from tests import poison

FOLDERS = [(), (b"app",), (b"app", b"deep"), (b"..",), (b".git",), (b"tests",), (b"a" * 250,) * 16]
STEMS = [
    b"..", b".", b".git", b".GIT", b"git~1", b"a/b", b"/etc/passwd", b"C:\\x", b"con", b"aux",
    b"a\nb", b"\n", b"\t", b"\x01\x7f", b"\x1b[31m", b"a\rb", b"\xff\xfe", b"\xed\xa0\x80",
    "é".encode(), "e\u0301".encode(), b"CASE", b"case", b"-rf", b"--all", b":(top)x", b"*", b" a ",
    b'"q"', b"$(touch x)", b"`touch x`", b"{{ x }}", b"{% raw %}", b"x" * 4000, b"a:b", b"\\",
    "\u202egpj".encode(), "\u2028".encode(), b"[INST]", b"</s>", b"<<<<<<< SEARCH", b"```", b"m0",
    b"test_m0", b"README", b"%s%n%00", b"'", b"a;b|c&d", "ǆ\U0001f4a9".encode(), b"@{-1}", b"^{}",
]  # fmt: skip
SPECIAL = [b".gitattributes", b".mailmap", b".gitmodules", b".gitignore", b"LICENSE", b"README.md"]
MODES = [b"100644", b"100755", b"100664", b"100000", b"140000", b"0100644"]
HEADERS = [
    b"", b"gpgsig -----BEGIN PGP SIGNATURE-----\n \n trap\n -----END PGP SIGNATURE-----\n",
    b"mergetag object 0\n type commit\n", b"\xff \x00\n", b"HG:extra " + b"x" * 3000 + b"\n",
    b"author Second <s@x> 0 +0000\n", b"parent " + b"0" * 39 + b"\n",
]  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One commit: its edits by path, and what it says of itself."""

    edits: dict = field(default_factory=dict)
    """Path in parts -> (mode, content), (mode, id as str), or None for a deletion."""
    message: bytes = b"Let handle take one more value\n"
    author: bytes = poison.AUTHORS[0]
    date: bytes = b""
    encoding: bytes = b""
    header: bytes = b""
    num_parents: int = 1


class Objects:
    """Writes loose objects, whatever they hold."""

    def __init__(self, git_dir) -> None:
        self.folder = git_dir / "objects"
        self.blobs: dict[bytes, str] = {}

    def write(self, kind, content, name=None):
        whole = b"%b %d\0%b" % (kind.encode(), len(content), content)
        name = name or hashlib.sha1(whole).hexdigest()
        file = self.folder / name[:2] / name[2:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(zlib.compress(whole, 1))
        return name

    def tree(self, entries):
        listed = b"".join(
            b"%b %b\0%b" % (mode, name, bytes.fromhex(each)) for mode, name, each in entries
        )
        return self.write("tree", listed)

    def nested(self, inside):
        """Write a tree given as name -> (mode, content or id) or a dict of the same."""
        entries = []
        # git sorts a directory as if its name ended with a slash.
        for name in sorted(inside, key=lambda x: x + b"/" * isinstance(inside[x], dict)):
            value = inside[name]
            if isinstance(value, dict):
                entries.append((b"40000", name, self.nested(value)))
                continue
            mode, content = value
            if isinstance(content, bytes):
                content = self.blobs.get(content) or self._blob(content)
            entries.append((mode, name, content))
        return self.tree(entries)

    def _blob(self, content):
        self.blobs[content] = self.write("blob", content)
        return self.blobs[content]

    def commit(self, tree, parents, step, number):
        date = step.date or b"%d +0000" % (1704067200 + 3600 * number)
        lines = [b"tree " + tree.encode(), *(b"parent " + each.encode() for each in parents)]
        lines += [b"author %b %b" % (step.author, date), b"committer %b %b" % (step.author, date)]
        lines += [b"encoding " + step.encoding] * bool(step.encoding)
        return self.write("commit", b"\n".join(lines) + b"\n" + step.header + b"\n" + step.message)


def init(path, is_bare=False):
    """Return the git directory of a new repository."""
    git_dir = path if is_bare else path / ".git"
    for folder in ("objects/pack", "objects/info", "refs/heads", "refs/replace", "info", "hooks"):
        (git_dir / folder).mkdir(parents=True)
    (git_dir / "HEAD").write_text("ref: refs/heads/main\n")
    bare = "true" if is_bare else "false"
    (git_dir / "config").write_text(f"[core]\n\trepositoryformatversion = 0\n\tbare = {bare}\n")
    return git_dir


def write_history(git_dir, steps):
    """Write commits and the branch `main`; return their ids."""
    objects, root, commits = Objects(git_dir), {}, []
    for number, step in enumerate(steps):
        for path, value in step.edits.items():
            _put(root, path, value)
        tree = objects.nested(root)
        parents = commits[-1:] * bool(step.num_parents)
        if step.num_parents > 1:
            parents += [commits[0], commits[-1]][: step.num_parents - 1]
        commits.append(objects.commit(tree, parents, step, number))
    (git_dir / "refs" / "heads" / "main").write_text(commits[-1] + "\n")
    return commits


def _put(root, path, value):
    *folders, name = path
    for folder in folders:
        if not isinstance(root.get(folder), dict):
            root[folder] = {}
        root = root[folder]
    if value is None:
        root.pop(name, None)
    else:
        root[name] = value


def ordinary(number):
    """Return one of the commits a hostile one stands between: plain code that gives samples."""
    module, other = f"m{number % 3}", f"m{(number + 1) % 3}"
    body = "".join(
        f"def count_{number}_{each}(items, limit={number}):\n"
        f'    """Count the items above {number * 7 + each} and return how many there are."""\n'
        f"    found = [one for one in items if one > {number * 7 + each}]\n"
        f"    total = {other}.start(found) + {each}\n"
        f"    # Never more than the limit, since the caller pages through them.\n"
        f"    return min(total, limit)\n\n\n"
        for each in range(3)
    )
    code = f"from app import {other}\n\n\ndef start(items):\n    return len(items)\n\n\n{body}"
    test = (
        f"from app.{module} import count_{number}_0\n\n\ndef test_count_{number}():\n"
        f"    found = count_{number}_0([1, 2, {number}])\n    assert found == {number % 5}\n"
    )
    edits = {(b"app", f"{module}.py".encode()): (b"100644", code.encode())}
    edits[b"tests", f"test_{module}.py".encode()] = (b"100644", test.encode())
    if not number % 4:
        text = f"# Counting\n\nHow to count {number} things: call the function, read the result.\n"
        edits[b"README.md",] = (b"100644", text.encode())
    subject = f"Let count_{number}_0 in {module}.py stop at {number} items\n"
    return Step(edits, subject.encode())


@st.composite
def paths(draw):
    """Draw a path in parts, its last one with an ending."""
    folder = draw(st.sampled_from(FOLDERS))
    ending = draw(poison.ENDINGS)
    odd = st.binary(min_size=1, max_size=6).filter(lambda name: b"\0" not in name)
    stem = draw(st.sampled_from(STEMS) | odd)
    return (*folder, stem + ending.encode()), ending


@st.composite
def files(draw):
    """Draw (path in parts, value of an edit)."""
    if draw(st.integers(0, 3)) == 0:
        name = draw(st.sampled_from(SPECIAL))
        pool = {b".gitattributes": poison.ATTRIBUTES, b".mailmap": poison.MAILMAPS}
        texts = pool.get(name, poison.CODE[".md"])
        return (name,), (b"100644", draw(st.sampled_from(texts)).encode("utf-8", "replace"))
    if draw(st.integers(0, 4)) == 0:
        name, text = draw(st.sampled_from(poison.MANIFESTS))
        folder = draw(st.sampled_from(FOLDERS[:3]))
        return (*folder, name.encode()), (b"100644", text.encode("utf-8", "replace"))
    path, ending = draw(paths())
    match draw(st.integers(0, 9)):
        case 0:
            return path, (b"120000", draw(st.sampled_from([b".", b"/etc", b"../..", b"", b"\xff"])))
        case 1:
            return path, (b"160000", "1" * 40)
        case 2:
            return path, None
        case _:
            return path, (draw(st.sampled_from(MODES)), draw(poison.contents(ending)))


@st.composite
def histories(draw):
    """Draw the commits of one repository, hostile ones between ordinary ones."""
    steps = [ordinary(0), ordinary(1), ordinary(2)]
    for number in range(3, 9):
        plain = ordinary(number)
        edits = draw(st.lists(files(), max_size=4).map(dict))
        steps.append(Step(
            {**edits, **plain.edits} if draw(st.booleans()) else edits,
            draw(st.just(plain.message) | st.sampled_from(poison.MESSAGES)),
            draw(st.just(plain.author) | st.sampled_from(poison.AUTHORS)),
            draw(st.just(b"") | st.sampled_from(poison.DATES)),
            draw(st.just(b"") | st.sampled_from(poison.ENCODINGS)),
            draw(st.just(b"") | st.sampled_from(HEADERS)),
            draw(st.sampled_from([1, 1, 1, 1, 2, 3])),
        ))  # fmt: skip
    return [*steps, *map(ordinary, range(9, 12))]


def everything():
    """Return commits with all texts under all endings and all names, each file changed once."""
    items = [*_texts(), *_neighbours()]
    for number, stem in enumerate(STEMS):
        items.append(((b"names", stem + b".py"), _plain(number + 50)))
        items.append(((b"names", stem), b"# Hello\n\nThis is what it is about, now and then.\n"))
    changes = [
        lambda text: text + b"\nadded = 1\n",
        lambda text: b"first = 1\n" + text,
        lambda text: text.replace(b"a", b"b", 1),
        lambda text: text[: len(text) // 2] + b"\n" + text[len(text) // 2 :],
    ]
    steps = [ordinary(number) for number in range(3)]
    for number in range(0, len(items), 3):
        some = items[number : number + 3]
        message = b"Let handle %d take one more value\n" % number
        if number % 2:
            message = poison.MESSAGES[number % len(poison.MESSAGES)]
        author = poison.AUTHORS[number % len(poison.AUTHORS)]
        encoding = poison.ENCODINGS[number % len(poison.ENCODINGS)]
        edits = {path: (b"100644", text) for path, text in some}
        steps.append(Step(edits, message, author, b"", encoding))
    for number in range(0, len(items), 2):
        change = changes[number // 2 % len(changes)]
        edits = {path: (b"100644", change(text)) for path, text in items[number : number + 2]}
        message = b"Fix handle %d so that the value is kept, as count_1_0 does\n" % number
        steps.append(Step(edits, message, date=poison.DATES[number % len(poison.DATES)]))
    return [*steps, *(ordinary(number) for number in range(3, 8))]


def _texts():
    for ending, texts in {**poison.CODE, ".ipynb": poison.NOTEBOOKS}.items():
        for number, text in enumerate(texts):
            content, name = text.encode("utf-8", "replace"), f"f{number}{ending}"
            yield (b"code", name.encode()), content
            yield (b"code", f"{name}.py".encode()), content
    for number, content in enumerate(poison.RAW):
        yield (b"raw", b"r%d.py" % number), content
        yield (b"raw", b"r%d.md" % number), content


def _neighbours():
    """Yield what speaks about other files, each beside one."""
    attributes = ((".gitattributes", text) for text in poison.ATTRIBUTES)
    for number, (name, text) in enumerate([*poison.MANIFESTS, *attributes]):
        folder = b"d%d" % number
        yield (folder, name.encode()), text.encode("utf-8", "replace")
        yield (folder, b"x.py"), _plain(number + 10)


def _plain(number):
    return ordinary(number).edits[b"app", b"m%d.py" % (number % 3)][1]


def write_directory(path, drawn):
    """Write files on the disk, as far as it takes them, beside links that lead nowhere good."""
    path.mkdir()
    for (*_, name), value in drawn:
        place = os.fsencode(path) + b"/" + name.replace(b"/", b"_")[:200]
        if value and isinstance(value[1], bytes) and not os.path.lexists(place):
            Path(os.fsdecode(place)).write_bytes(value[1])
    (path / "plain.py").write_bytes(_plain(40))
    for name, target in (("loop", "."), ("out", "/etc"), ("self", "self"), ("up", "../..")):
        (path / name).symlink_to(target)
    os.mkfifo(path / "pipe.py")
    folder = os.open(path, os.O_RDONLY)
    for _ in range(30):
        os.mkdir(b"d" * 200, dir_fd=folder)
        inner = os.open(b"d" * 200, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    os.close(folder)


def write_export(path, texts, commit):
    """Write what a forge is said to have given, beside one issue that is whole."""
    path.mkdir()
    for number, text in enumerate(texts):
        (path / f"{number}.json").write_bytes(text.encode("utf-8", "replace"))
    (path / "bin").write_bytes(b"\xff\xfe\0")
    (path / "link.json").symlink_to("/etc/passwd")
    page = "https://forge.test/octo/app/pull/1"
    person = {"login": "ada", "type": "User"}
    whole = {"number": 1, "title": "Count to the limit", "user": person, "html_url": page}
    whole |= {"body": "The count goes on where it should stop.", "merge_commit_sha": commit}
    whole |= {"merged_at": "2024-01-01T09:00:00Z", "created_at": "2024-01-01T00:00:00Z"}
    whole |= {"pull_request": {}}
    (path / "z.json").write_text(json.dumps([whole]))
