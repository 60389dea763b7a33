"""The evaluation set is what its README says, and the held-back half the one that was promised."""

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise, product
from pathlib import Path
from typing import Final

import pytest

from penstock_config.classification import COMPLEXITIES, TASKS
from tests.eval.routing.prompts import HELD_BACK, HERE, SECOND_HAND, TUNING, Message, Prompt, load
from tests.eval.routing.tune import EXTRA

HALVES: Final = (TUNING, HELD_BACK)
MAX_LINE_BYTES: Final = 20_000
MAX_SET_BYTES: Final = 600_000
SIMILAR: Final = 0.6
SCRIPTS: Final = {
    "ar": "[\u0600-\u06ff]",
    "hi": "[\u0900-\u097f]",
    "ja": "[\u3040-\u30ff]",
    "ko": "[\uac00-\ud7af]",
    "ru": "[\u0400-\u04ff]",
    "zh": "[\u4e00-\u9fff]",
}
UNSPACED: Final = re.compile("[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]")
"""Pairs of these signs count as words: Chinese and Japanese put no blanks between them."""


@pytest.fixture
def held_back() -> Path:
    if not HELD_BACK.exists():
        pytest.skip(f"{HELD_BACK.name} is held back until the classifier has been tuned")
    return HELD_BACK


@pytest.fixture(params=["tuning", "held_back"])
def half(request: pytest.FixtureRequest) -> Path:
    if request.param == "tuning":
        return TUNING
    path: Path = request.getfixturevalue("held_back")
    return path


@pytest.fixture(scope="module")
def whole() -> tuple[Prompt, ...]:
    return tuple(prompt for path in HALVES if path.exists() for prompt in load(path))


def words(prompt: Prompt) -> frozenset[str]:
    """What two prompts are compared by."""
    text = " ".join(message.content for message in prompt.messages).lower()
    signs = UNSPACED.findall(text)
    pairs = {a + b for a, b in pairwise(signs)}
    return frozenset(pairs | set(re.findall(r"\w+", UNSPACED.sub(" ", text))))


def similar(some: Iterable[Prompt], others: Iterable[Prompt]) -> Iterator[tuple[str, str]]:
    bags = ([(prompt.id, words(prompt)) for prompt in prompts] for prompts in (some, others))
    for (one, a), (other, b) in product(*bags):
        few, many = sorted((len(a), len(b)))
        if few > SIMILAR * many and len(a & b) > SIMILAR * len(a | b):
            yield one, other


def test_the_held_back_half_is_the_one_that_was_promised(held_back: Path) -> None:
    promised = (HERE / "held_back.sha256").read_text("ascii").split()
    assert promised == [hashlib.sha256(held_back.read_bytes()).hexdigest(), held_back.name]


def test_a_half_has_every_task_and_complexity_in_number(half: Path) -> None:
    prompts = load(half)
    cells = Counter((prompt.task, prompt.complexity) for prompt in prompts)
    tasks = Counter(prompt.task for prompt in prompts)
    complexities = Counter(prompt.complexity for prompt in prompts)
    assert len(prompts) >= 400
    assert min(cells[t, c] for t in TASKS for c in COMPLEXITIES) >= 10
    assert min(tasks[t] for t in TASKS) >= 40
    assert max(tasks.values()) <= len(prompts) / 4
    assert min(complexities[c] for c in COMPLEXITIES) >= 85
    assert max(complexities.values()) <= len(prompts) / 3


def test_a_half_speaks_fourteen_languages_besides_english(half: Path) -> None:
    languages = Counter(prompt.language for prompt in load(half))
    assert len(languages) == 15
    assert languages["en"] <= 0.85 * languages.total()


def test_a_half_misleads_in_every_way(half: Path) -> None:
    kinds = Counter(prompt.kind for prompt in load(half))
    assert len(kinds) == 9
    assert min(kinds.values()) >= 3


def test_complexity_is_no_matter_of_language(half: Path) -> None:
    """Else a classifier might pass by calling all that is not English hard."""
    foreign = Counter(p.complexity for p in load(half) if p.language != "en")
    assert min(foreign[c] for c in COMPLEXITIES) >= foreign.total() / 6


def test_languages_are_written_in_their_scripts(whole: tuple[Prompt, ...]) -> None:
    wrong = [
        prompt.id
        for prompt in whole
        if prompt.language in SCRIPTS
        and not re.search(SCRIPTS[prompt.language], prompt.messages[-1].content)
    ]
    assert wrong == []


def test_pictures_are_sent_where_they_are_asked_about(whole: tuple[Prompt, ...]) -> None:
    assert [p.id for p in whole if (p.task == "vision") != (p.images > 0)] == []


def test_the_last_word_is_the_users(whole: tuple[Prompt, ...]) -> None:
    assert [p.id for p in whole if p.messages[-1].role != "user"] == []


def test_ids_are_unique(whole: tuple[Prompt, ...]) -> None:
    assert [name for name, times in Counter(p.id for p in whole).items() if times > 1] == []


def test_no_prompt_of_one_half_is_like_one_of_the_other(held_back: Path) -> None:
    assert list(similar(load(TUNING), load(held_back))) == []


def test_the_second_hand_has_as_many_of_every_task_and_complexity() -> None:
    cells = Counter((prompt.task, prompt.complexity) for prompt in load(SECOND_HAND))
    assert cells == {(task, level): 4 for task in TASKS for level in COMPLEXITIES}


def test_no_prompt_of_the_second_hand_is_like_one_of_elsewhere(whole: tuple[Prompt, ...]) -> None:
    """Neither of those that are learned from."""
    extra = map(json.loads, EXTRA.read_text("utf-8").splitlines())
    learned = [_prompt_of(line["text"]) for line in extra]
    assert list(similar(load(SECOND_HAND), [*whole, *learned])) == []


def _prompt_of(text: str) -> Prompt:
    message = Message(role="user", content=text)
    return Prompt("extra", "chat", "simple", (message,), 0, False, "en", "written", "plain")


def test_likeness_is_noticed(whole: tuple[Prompt, ...]) -> None:
    """The check above can fail, for words with blanks and for those without."""
    for language in ("en", "zh", "ko"):
        prompt = next(p for p in whole if p.language == language)
        assert list(similar([prompt], [prompt])) == [(prompt.id, prompt.id)]


def test_the_files_stay_small() -> None:
    files = [path.read_bytes() for path in HALVES if path.exists()]
    assert sum(map(len, files)) < MAX_SET_BYTES
    assert max(len(line) for file in files for line in file.splitlines()) < MAX_LINE_BYTES


def test_a_body_is_what_an_openai_client_sends(whole: tuple[Prompt, ...]) -> None:
    """Text as it stands, pictures as parts of the last message, tools where they are offered."""
    for prompt in whole:
        document = json.loads(prompt.body())
        contents = [message["content"] for message in document["messages"]]
        if prompt.images:
            text, *pictures = contents.pop()
            urls = {picture["image_url"]["url"] for picture in pictures}
            contents.append(text["text"])
            assert len(urls) == prompt.images
            assert all(base64.b64decode(u.split(",")[1]).startswith(b"\x89PNG") for u in urls)
        assert contents == [message.content for message in prompt.messages]
        assert ("tools" in document) == prompt.tools
