"""Everything by which git can be made to run a program, or to say what the objects do not.

Reads nothing; writes into the repository it is given.
"""

import os


def furnish(repository, git_dir, trap):
    """Leave in a repository everything by which git can be made to run `trap`, or to lie."""
    for hook in ("post-checkout", "pre-commit", "fsmonitor-watchman", "post-index-change"):
        (git_dir / "hooks" / hook).symlink_to(trap)
    config = (git_dir / "config").read_text() + CONFIG.replace("TRAP", str(trap))
    (git_dir / "config").write_text(config)
    (git_dir / "included").write_text(f"[core]\n\tfsmonitor = {trap}\n[include]\n\tpath = gone\n")
    (git_dir / "info" / "attributes").write_text("* filter=trap diff=trap\n")
    (git_dir / ".mailmap").write_text("Nobody <no@x> <ada@corp.test>\n")
    (git_dir / ".gitattributes").write_text("* -diff\n")
    (git_dir / "index").write_bytes(b"DIRC\0\0\0\2garbage")
    (git_dir / "FETCH_HEAD").write_bytes(b"\xff" * 100)
    (git_dir / "objects" / "info" / "alternates").write_text("/\n../..\n\xff\n")
    if git_dir != repository:
        (repository / "loop").symlink_to("..")
        (repository / "self").symlink_to("self")
        os.mkfifo(repository / "pipe")
        (repository / ".mailmap").write_text("Nobody <no@x> <ada@corp.test>\n")
        (repository / ".gitattributes").write_text("* filter=trap diff=trap\n")


def lie(git_dir, commits):
    """Graft histories away and replace a commit: neither is what the objects say."""
    (git_dir / "info" / "grafts").write_text(f"{commits[-1]}\n{commits[3]} {commits[0]}\n")
    (git_dir / "refs" / "replace" / commits[-2]).write_text(commits[0] + "\n")
    (git_dir / "packed-refs").write_text(f"{commits[0]} refs/heads/\xff\n^{commits[1]}\n")


CONFIG = """[core]
	fsmonitor = TRAP
	pager = TRAP
	editor = TRAP
	sshCommand = TRAP
	gitProxy = TRAP
	askPass = TRAP
	alternateRefsCommand = TRAP
	quotePath = true
	ignoreCase = true
	bigFileThreshold = 1
[diff]
	external = TRAP
	renames = copies
	orderFile = /dev/zero
	ignoreSubmodules = all
[diff "trap"]
	command = TRAP
	textconv = TRAP
	cachetextconv = true
[filter "trap"]
	clean = TRAP
	smudge = TRAP
	process = TRAP
	required = true
[merge "trap"]
	driver = TRAP
[alias]
	log = !TRAP
	ls-tree = !TRAP
[pager]
	log = TRAP
	diff-tree = TRAP
[gpg]
	program = TRAP
[log]
	showSignature = true
	follow = true
	mailmap = false
	showRoot = false
[credential]
	helper = !TRAP
[uploadpack]
	packObjectsHook = TRAP
[remote "origin"]
	url = ext::TRAP
	uploadpack = TRAP
	promisor = true
	partialclonefilter = blob:none
[protocol]
	allow = always
[submodule]
	recurse = true
[submodule "x"]
	update = !TRAP
[grep]
	patternType = perl
	column = true
	threads = 1
[color]
	ui = always
[i18n]
	logOutputEncoding = UTF-16
	commitEncoding = UTF-7
[format]
	pretty = %x00
[mailmap]
	file = .mailmap
[include]
	path = included
"""
