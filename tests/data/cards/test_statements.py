from devtune.data.cards import statements
from tests.data.cards.conftest import PRIVACY


def test_numbers_stand_with_their_words():
    assert statements.counted(1, "line") == "1 line"
    assert statements.counted(2000, "line") == "2,000 lines"


def test_a_dataset_is_said_in_a_sentence(make_about):
    assert statements.summary(make_about()) == (
        "3 conversations to train on and 1 held out, made from 3 sources, as token ids with a loss"
        " mask."
    )


def test_sources_are_said_with_owner_state_and_cut(make_about):
    assert list(statements.collection(make_about())) == [
        f"billing (git of Team Billing) at {'aa' * 20}, to train on up to {'cc' * 20} of"
        " 2025-06-30T00:00:00+00:00.",
        "ledger (directory).",
        "issues (forge).",
    ]


def test_stages_are_said_with_their_steps_and_what_they_left_out(make_about):
    assert list(statements.protocol(make_about(rejects={}))) == [
        "collect: file_rules: size; commit_rules: merge; left out 6 (too_large 1, vendored 5).",
        "build: steps: commit_edit, exact_dedup; left out 2 (exact_duplicate 2).",
        "render: left out 0.",
    ]


def test_what_there_is_most_of_is_said(make_about):
    assert list(statements.biases(make_about())) == [
        "75% of the samples have texts of the source billing.",
        "75% of the samples have texts of the language python.",
        "67% of the samples to train on are of the family commit_edit.",
    ]


def test_limits_are_said_with_their_numbers(make_about):
    said = list(statements.limitations(make_about()))
    assert "2 samples of more than 768 tokens left out, none cut." in said
    assert "1 sample with texts nothing states a licence for." in said


def test_a_search_by_policy_is_said_with_what_it_replaced(make_about):
    assert list(statements.privacy(make_about(rejects={"secret_in_sample": 1})))[:-1] == [
        f"1,234 texts of 56,789 lines were searched for secrets, and personal data by the policy"
        f" {'ab' * 32}; what was found is replaced by typed placeholders.",
        "3 secret values replaced in 6 places.",
        "4 personal values replaced in 9 places.",
        "3 left out for the reason many_secrets.",
        "Every sample was searched for secrets again as it is trained; 1 sample left out for one.",
    ]


def test_a_search_without_policy_claims_nothing_of_personal_data(make_about):
    said = list(statements.privacy(make_about(privacy={**PRIVACY, "policy": {"salted": False}})))
    assert "were searched for secrets only; what was found" in said[0]
    assert not any("personal values" in each for each in said)


def test_a_corpus_that_says_nothing_of_privacy_is_told(make_about):
    said = next(statements.privacy(make_about(privacy=None)))
    assert said == "Nothing is known of a search of the corpus for secrets and personal data."
