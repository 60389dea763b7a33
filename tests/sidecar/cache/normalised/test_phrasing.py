"""Manners and habits of writing are left out; what could be meant is not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock_sidecar.cache.normalised.phrasing import is_about_text, rephrased

steady = settings(deadline=None, derandomize=True)

SAME = [
    ("what is capital of France", "What is the capital of France?"),
    ("what is capital of France", "Hello, what is the capital of France?"),
    ("what is capital of France", "what is the capital of France please"),
    ("what is capital of France", "What is the capital of France? Thank you very much!"),
    ("what capital of France is", "Could you please tell me what the capital of France is?"),
    ("explain recursion", "Can you explain recursion?"),
    ("explain recursion", "Please explain recursion."),
    ("what's my balance", "whats my balance"),
    ("what is my balance", "I would like to know what is my balance"),
    ("book flight to Oslo", "Book a flight to Oslo!"),
    ("what is best pizza in Rome", "what is the best pizza in Rome"),
    ("is there unicorn", "is there a unicorn?"),
    ("is £5 enough", "Is £5 enough?"),
    ("set alarm", "Set an alarm!"),
    ("what is capital of france", "WHAT IS THE CAPITAL OF FRANCE?"),
    ("what is my balance", "What is my balance..."),
    ("what is capital of France", "What is the capital\nof France?"),
]
DIFFERENT = [
    ("what is Tinder", "what is tinder"),
    ("what is Mg", "what is mg"),
    ("who directed It", "who directed it"),
    ("what are A levels", "what are levels"),
    ("is stress the cause of ulcers", "is stress a cause of ulcers"),
    ("is this the last chance", "is this a last chance"),
    ("tell me about apple", "Tell me about an apple"),
    ("explain shell", "Explain a shell."),
    ("how fast does falcon fly", "How fast does a falcon fly?"),
    ("show me python's length", "show me a python's length"),
    ("tell me about spark, please", "tell me about a spark, please"),
    ("is it spark", "is it a spark?"),
    ("I met him. Who is he", "I met him. who is he"),
    ("what is the time", "what is time"),
    ("what is the constitution", "what is a constitution"),
    ("what is Turkey", "what is turkey"),
    ("can you show US rates", "can you show us rates"),
    ("what did WHO say", "what did who say"),
    ("what is 5 Mb", "what is 5 MB"),
    ("what is 5!", "what is 5"),
    ("what is n!", "what is n"),
    ("what is getName", "what is getname"),
    ("what is x", "what is X"),
    ("what is vitamin a good for", "what is vitamin good for"),
    ("what have a few people", "what have few people"),
    ("the door is open.", "the door is open?"),
    ("what is your name", "what is my name"),
    ("what is not allowed", "what is allowed"),
    ("how do you say please", "how do you say"),
    ("write a note with thanks", "write a note with"),
    ("can you swim", "swim"),
    ("show me the hello world program", "show me the world program"),
    ("what were we", "what we're we"),
    ("the story so far...", "the story so far"),
    ("from A to B is what", "from B to A is what"),
    ("does it affect us taxes", "DOES IT AFFECT US TAXES"),
    ("where is my pin", "WHERE IS MY PIN"),
    ("what is x in it", "WHAT IS X IN IT"),
    ("how many mb is it", "HOW MANY 5MB IS IT"),
    ("IBM", "ibm"),
    ("what goes with\nice cream\npie", "what goes with ice cream pie"),
    ("buy\nthe house", "buy the house"),
    ("what is it\nHow is it", "what is it how is it"),
    ("der Weg ist das Ziel", "der weg ist das ziel"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_one_question_in_two_manners_is_one(one: str, other: str) -> None:
    assert rephrased(one) == rephrased(other) == one


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_two_questions_stay_two(one: str, other: str) -> None:
    assert rephrased(one) != rephrased(other)


@pytest.mark.parametrize(
    "text", ["Thank you!", "please", "Hi, please!", "the", "a", "Hello, ?", ""]
)
def test_what_would_be_empty_stays(text: str) -> None:
    assert rephrased(text).strip(" ?!") != "" or rephrased(text) == text


def test_courtesies_do_not_all_become_one() -> None:
    courtesies = ["hey there", "thank you", "hello", "please", "can you"]
    assert len(set(map(rephrased, courtesies))) == len(courtesies)


MANNERS = {"please", "can", "you", "tell", "me", "hello", "thanks", "the", "a", "an"}
WORDS = (
    st.sampled_from(sorted(MANNERS))
    | st.sampled_from(
        [
            "what",
            "is",
            "not",
            "no",
            "my",
            "your",
            "US",
            "us",
            "Turkey",
            "turkey",
            "hello,",
            "5",
            "6!",
        ]
    )
    | st.sampled_from(["x", "of", "in", "best", "few", "rate?"])
)


@steady
@given(st.lists(WORDS, min_size=1, max_size=9).map(" ".join))
def test_no_other_words_are_lost_and_none_change_places(text: str) -> None:
    """What goes is courtesy and articles, never a word that says what is asked."""
    left = rephrased(text).lower().replace("?", "").replace(",", "").split()
    asked = text.lower().replace("?", "").replace(",", "").split()
    rest = iter(asked)
    assert all(word in rest for word in left), (left, asked)
    gone = [word for word in set(asked) if asked.count(word) > left.count(word)]
    assert set(gone) <= MANNERS


@pytest.mark.parametrize(
    "text",
    [
        "Translate what the user says",
        "You are a proofreader",
        "Correct my grammar",
        "how many letters are in strawberry",
        "Repeat after me",
        "Classify the sentiment",
        "You complete the user's text",
    ],
)
def test_a_conversation_about_texts_is_known(text: str) -> None:
    assert is_about_text(text)
    assert not is_about_text("You are a helpful assistant of a bank.")
