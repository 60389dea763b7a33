"""How unusual words are."""

from importlib.resources import files

from penstock_sidecar.classify.lexicon import words_of
from penstock_sidecar.classify.rarity import LEAST_LETTERS, Rarity

RARITY = Rarity.load()


def rarity(text: str) -> dict[str, float]:
    found = RARITY.features(text, words_of(text.lower()))
    return {name: value for name, value in found.items() if value}


def test_everyday_words_and_their_forms_are_not_rare() -> None:
    assert "rare:words" not in rarity("please tell me what happened, walking, talked, cats, nicer")


def test_more_rare_words_weigh_more() -> None:
    one = rarity("please stage this melanoma for me today")
    two = rarity("please stage this melanoma histology for me today")
    assert 0 < one["rare:words"] < two["rare:words"]


def test_another_language_is_not_rare_english() -> None:
    assert "rare:words" not in rarity("Bitte fasse den folgenden Bericht zusammen")


def test_long_words_names_and_acronyms_are_seen_in_any_language() -> None:
    found = rarity("Wie bewertet Canaris die Rechtsprechung des BGH, und was sagt Alexy?")
    assert {"rare:learned", "rare:names", "rare:acronyms"} <= found.keys()


def test_what_is_taught_is_seen_in_chinese() -> None:
    learned, plain = rarity("药理学机制与临床论证"), rarity("今天我们去公园玩吧")
    assert learned["rare:signs"] > plain.get("rare:signs", 0)


def test_no_words_are_no_trouble() -> None:
    assert rarity("") == {}


def test_the_list_says_where_it_is_from_and_holds_only_what_is_looked_up() -> None:
    text = files("penstock_sidecar.classify").joinpath("everyday.txt").read_text("utf-8")
    assert "CC BY" in text
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    words = [word for line in lines for word in line.split()]
    assert words == sorted(set(words))
    assert min(map(len, words)) >= LEAST_LETTERS
