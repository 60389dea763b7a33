"""How words are looked up."""

from collections import Counter

from penstock_sidecar.classify.lexicon import Lexicon, unspaced_characters, words_of

LEXICON = Lexicon(
    {
        "law": {"words": "court courts tie-break", "stems": "gericht", "phrases": ["case law"]},
        "sport": {"words": ["court"], "signs": "球场 网_球"},
    }
)


def found(text: str) -> Counter[str]:
    words = words_of(text)
    groups = Counter(LEXICON.groups_of_words(words))
    groups.update(LEXICON.groups_of_phrases(words, text))
    groups.update(LEXICON.groups_of_signs(text))
    return groups


def test_a_word_may_be_of_several_groups_and_counts_once() -> None:
    assert found("court, court") == {"law": 1, "sport": 1}


def test_a_part_of_a_word_is_none() -> None:
    assert not found("courtesy")


def test_a_stem_is_the_beginning_of_words() -> None:
    assert found("das gerichtsgebäude") == {"law": 1}
    assert not found("amtsgericht")


def test_phrases_and_words_with_signs_in_them_are_found_as_they_stand() -> None:
    assert found("old case law on a tie-break") == {"law": 2}
    assert not found("in case the law changes; a tie to break")


def test_scripts_without_spaces_are_searched() -> None:
    assert found("我们在球场见") == {"sport": 1}
    assert found("网 球") == {"sport": 1}


def test_characters_of_such_scripts_are_counted() -> None:
    assert unspaced_characters("abc 球场") == 2
    assert unspaced_characters("née Müller") == 0


def test_the_lexicon_of_the_package_is_clean() -> None:
    """An entry that can never be found is a mistake."""
    import tomllib
    from importlib.resources import files

    text = files("penstock_sidecar.classify").joinpath("lexicon.toml").read_text("utf-8")
    for group, entries in tomllib.loads(text).items():
        assert entries.keys() <= {"words", "stems", "phrases", "signs"}, group
        for word in (*entries.get("words", "").split(), *entries.get("phrases", [])):
            assert word == word.lower()
            assert words_of(word), (group, word)
        for stem in entries.get("stems", "").split():
            assert words_of(stem) == [stem]
            assert len(stem) >= 4, (group, stem)
        for sign in entries.get("signs", "").split():
            assert unspaced_characters(sign), (group, sign)


def test_a_name_in_latin_letters_stands_by_itself_among_other_scripts() -> None:
    assert words_of("pythonで書いて") == ["python"]
    assert words_of("用python写") == ["python"]


def test_the_last_word_of_a_phrase_may_go_on_whatever_its_length() -> None:
    phrases = ["in go", "in the text", "so far so good", "c++", "à la carte", "go on", "用 go 写"]
    for phrase in phrases:
        lexicon = Lexicon({"g": {"phrases": [phrase]}})
        for text in (phrase, f"x {phrase}", f"{phrase}ing", f"{phrase} {phrase}", f"{phrase}, x"):
            assert list(lexicon.groups_of_phrases(words_of(text), text)) == ["g"], text


def test_the_words_of_plain_letters_are_those_of_any_others() -> None:
    text = "".join(map(chr, range(128))) + " a_b\tc-d\x1fe  f1.5\n"
    assert words_of(text) == words_of(text + "é")[:-1]
