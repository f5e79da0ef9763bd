from devtune.data.sources.links import find_closed, place_of


def test_an_address_names_a_repository_and_a_number():
    for address, place in (
        ("https://github.com/Octo/App/pull/12#discussion_r1", ("octo/app", 12)),
        ("https://api.github.com/repos/octo/app/issues/12", ("octo/app", 12)),
        ("https://git.corp.test/gitea/octo/app/pulls/12", ("gitea/octo/app", 12)),
        ("https://git.corp.test/gitea/api/v1/repos/octo/app/issues/12", ("octo/app", 12)),
        ("https://gitlab.com/a/b/c/-/merge_requests/12", ("a/b/c", 12)),
        ("https://gitlab.com/a/b/issues/12", ("a/b", 12)),
        ("https://gitlab.com/api/v4/projects/3/issues/12", ("", 12)),
        ("https://api.github.com/repos/octo/app/pulls/comments/3", ("", 0)),
        ("https://github.com/octo/app", ("", 0)),
        ("javascript:issues/1", ("", 0)),
        ("", ("", 0)),
    ):
        assert place_of(address) == place


def closed(body, repository="octo/app"):
    return find_closed(body, repository)


def test_closing_words_are_known_in_all_their_forms():
    words = "close closes closed closing fix fixes fixed fixing resolve resolves resolved resolving"
    for word in (*words.split(), "implements", "CLOSES", "Fixes:", "resolves  issue"):
        assert closed(f"It {word} #12.") == (12,)


def test_other_words_close_nothing():
    for body in (
        "#12",
        "see #12",
        "prefix #12",
        "fixed-point #12",
        "fix # 12",
        "fixes #12a",
        "fix",
    ):
        assert closed(body) == ()


def test_references_are_numbers_names_and_addresses_of_the_same_repository():
    assert closed("fixes Octo/App#12") == (12,)
    assert closed("fixes GH-12") == (12,)
    assert closed("fixes https://github.com/octo/app/issues/12") == (12,)
    assert closed("fixes https://git.corp.test/gitea/octo/app/issues/12.") == (12,)
    assert closed("fixes https://gitlab.com/a/b/c/-/issues/12", "a/b/c") == (12,)


def test_issues_of_other_repositories_and_pull_requests_do_not_count():
    assert closed("fixes other/app#12, fixes https://github.com/other/app/issues/13") == ()
    assert closed("fixes https://github.com/octo/app/pull/12") == ()
    assert closed("closes !12") == ()


def test_a_list_after_one_word_counts_whole():
    assert closed("Closes #3, #1 and octo/app#2, and GH-4 & #5; #6") == (1, 2, 3, 4, 5)


def test_code_and_html_comments_close_nothing():
    assert closed("<!-- fixes #1 -->fixes #2<!-- fixes #3") == (2,)
    assert closed("`fixes #1`\n```\nfixes #2\n``` x\n~~~\nfixes #3\n```\nfixes #4") == ()
    assert closed("```\nfixes #1\n```\nfixes #2") == (2,)
