"""Words and sizes as numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_sidecar.classify.features import GREETING, Extractor
from penstock_sidecar.classify.lexicon import Lexicon
from penstock_sidecar.classify.rarity import Rarity
from penstock_sidecar.classify.reading import Reading, read
from tests.sidecar.classify.requests import chat

EXTRACTOR = Extractor(Lexicon.load(), Rarity.load())


def features(*texts: str) -> dict[str, float]:
    return dict(EXTRACTOR.features(read(chat(*texts))))


@pytest.mark.parametrize(
    ("group", "text"),
    [
        ("translate", "Please translate this"),
        ("translate", "Bitte übersetzen Sie das"),
        ("translate", "请把这句话翻译成英文"),
        ("translate", "この文を英語に訳してください"),
        ("translate", "ترجم هذه الجملة"),
        ("summarise", "Summarise the report"),
        ("summarise", "Fasse das bitte zusammen"),
        ("summarise", "다음 글을 요약해 주세요"),
        ("extract", "Extract the names"),
        ("extract", "Извлеки имена"),
        ("code_act", "write a function that adds"),
        ("code_act", "写一个函数"),
        ("creative", "a short story, please"),
        ("creative", "एक कहानी लिखो"),
        ("reason_act", "Prove it"),
        ("reason_act", "Докажи это"),
        ("proof", "Démontre ce résultat"),
        ("advanced", "a lock-free list"),
        ("brief", "in one sentence"),
        ("greeting", "good morning to everybody"),
    ],
)
def test_a_group_s_words_are_found_in_several_languages(group: str, text: str) -> None:
    assert features(text).get(f"words:{group}", 0) > 0


def test_where_a_word_stands_is_told() -> None:
    filler = "the committee met again on that cold and windy day. "
    assert "lead:summarise" in features("Summarise what follows: " + filler)
    last = features(filler * 2 + "nobody wrote a summary")
    assert "words:summarise" in last
    assert "lead:summarise" not in last


def test_what_stands_behind_a_colon_does_not_lead() -> None:
    found = features("A line for the fridge, please: write a poem and translate it.")
    assert "words:translate" in found
    assert "lead:translate" not in found


@pytest.mark.parametrize(("text", "expected"), [("Where did you grow up", 1), ("Prove it", 0)])
def test_a_request_that_names_no_task_is_told(text: str, expected: float) -> None:
    assert features(text).get("words:no task", 0) == expected


def test_a_language_whose_verb_comes_last_leads_with_it() -> None:
    assert "lead:translate" in features(
        "次の少し長い文章をよく読んでから丁寧な英語に翻訳してください"
    )


def test_what_stands_in_code_is_no_instruction() -> None:
    assert "words:translate" not in features("Mend this:\n```\ntranslate(x)\n```")


def test_what_follows_in_a_long_text_is_not_taken_for_the_instruction() -> None:
    material = "The poem moved the court to tears. " * 60 + "\nThat was all."
    found = features("Summarise this:\n\n" + "They met. " * 50 + material)
    assert "lead:summarise" in found
    assert "words:creative" not in found


def test_the_instruction_may_follow_the_material() -> None:
    assert "words:summarise" in features("They met. " * 200 + "\n\nSummarise the above.")


def test_sizes_grow_with_the_text_and_not_with_the_script() -> None:
    english = "The library will open in spring and hold two hundred thousand books for all. "
    chinese = "新图书馆将于春天开放,将为所有人收藏二十万册图书。"
    found, same = features(english)["size:asked"], features(chinese)["size:asked"]
    assert abs(found - same) < 0.35
    assert features(english * 50)["size:material"] > 0
    assert features("hm?")["size:tiny"]
    assert "size:tiny" not in features(english)


def test_a_long_text_s_size_is_known_though_little_of_it_is_read() -> None:
    assert (
        features("word " * 100_000)["size:material"] > features("word " * 10_000)["size:material"]
    )


def test_the_turn_before_and_the_system_s_words_count_apart() -> None:
    found = features("You translate everything.", "hm")
    assert "system:translate" in found
    assert "words:translate" not in found
    assert "before:code_thing" in features("a Python function", "here", "shorter, please")


def test_a_word_of_a_language_that_nobody_knows_is_told() -> None:
    assert "words:unknown" in features("Kirjoita tästä lyhyesti")
    assert "words:unknown" not in features("of the")
    assert "words:none" in features("of the")


@pytest.mark.parametrize(
    "text", ["hello", "Hi!", "ok thanks", "and hello to you!", "こんにちは", "Привет!", "مرحبا"]
)
def test_nothing_but_a_greeting_is_one(text: str) -> None:
    assert GREETING in features(text)


@pytest.mark.parametrize(
    "text",
    ["hello, translate this", "hi there general relativity", "你好,请证明这个定理成立", "?!"],
)
def test_a_greeting_with_a_wish_is_more(text: str) -> None:
    assert GREETING not in features(text)


def test_thanks_after_a_talk_are_part_of_it() -> None:
    assert GREETING not in features("a Python function", "here", "thanks")


@given(st.text(max_size=3000), st.text(max_size=300), st.text(max_size=300))
def test_any_text_has_small_finite_features(text: str, former: str, system: str) -> None:
    reading = Reading(text=text, characters=len(text), former=former, system=system, turns=3)
    values = EXTRACTOR.features(reading)
    assert all(0 < value < 50 for value in values.values())
