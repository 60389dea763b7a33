"""Prompts with retrieved passages, as the usual pipelines paste them: overlapping chunks, pages
with all that surrounds their text, files with their licences."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from tests.eval.cache.prompts.prompt import Message, Prompt, unmarked

ARTICLES: Final = Path(__file__).with_name("articles.txt")
SYSTEM: Final = "You answer from the given sources alone, and say so where they do not tell."
ASK: Final = "Answer the question from these sources."
WINDOW: Final = 3
"""Paragraphs of a chunk."""
LICENCE: Final = """\
Copyright 2024 The {name} Authors.

Licensed under the Apache License, Version 2.0 (the "License"); you may not use this file except in
compliance with the License. You may obtain a copy of the License at

    http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software distributed under the License is
distributed on an "AS IS" BASIS, WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or
implied. See the License for the specific language governing permissions and limitations under the
License.
"""
HEAD: Final = """\
Skip to main content
Home | Products | Support | Downloads | Contact | Log in
Search...
You are here: Home > Support > {name}
We use cookies to improve your experience on our site. By continuing you accept our cookie policy.
Accept all | Reject all | Settings
"""
FOOT: Final = """\
Was this page helpful? Yes | No
Share: Facebook | Twitter | LinkedIn | E-mail
Related articles: Getting started | Frequently asked questions | Release notes
Subscribe to our newsletter
About us | Careers | Press | Privacy policy | Terms of use | Imprint
© 2024 All rights reserved.
"""


@dataclass(frozen=True, slots=True)
class Article:
    """What is known of one thing."""

    title: str
    question: str
    paragraphs: Sequence[str]
    facts: Sequence[str]


def articles() -> Iterator[Article]:
    """Those of `articles.txt`, in its order."""
    for part in ARTICLES.read_text("utf-8").split("=== ")[1:]:
        head, *paragraphs = part.strip().split("\n\n")
        title, question, first = head.split("\n", 2)
        text, facts = unmarked("\n\n".join((first, *paragraphs)))
        yield Article(title, question.removeprefix("? "), text.split("\n\n"), facts)


def prompts() -> list[Prompt]:
    """Each article in each form of retrieval, its passages in one of three places."""
    found = list(articles())
    made: list[Prompt] = []
    for number, article in enumerate(found):
        beside = found[(number + 1) % len(found)]
        random = Random(f"retrieval {article.title}")
        for form, passages in (
            ("chunks", _chunks(article, beside, random)),
            ("pages", _pages(article)),
            ("files", _files(article)),
        ):
            place = ("before", "tool", "last")[(number + len(made)) % 3]
            name = f"{form}, {place}: {article.title}"
            messages = _messages(place, "\n\n".join(passages), article.question)
            made.append(Prompt("rag", name, messages, article.facts))
    return made


def _chunks(article: Article, beside: Article, random: Random) -> list[str]:
    """Windows that overlap by one or two paragraphs, in the order of a ranking; a passage of
    another article; and in half of the cases two that a second retriever has found as well."""
    stride = random.choice((1, 2))
    starts = range(0, len(article.paragraphs) - WINDOW + 1, stride)
    chunks = [_passage(article, start) for start in starts]
    random.shuffle(chunks)
    again = chunks[:2] if random.random() < 0.5 else []
    return [*chunks, _passage(beside, 1), *again]


def _passage(article: Article, start: int) -> str:
    text = "\n\n".join(article.paragraphs[start : start + WINDOW])
    return f"Source: {article.title}\n\n{text}"


def _pages(article: Article) -> list[str]:
    """The article over three pages of one site."""
    third = -(-len(article.paragraphs) // 3)
    texts = ("\n\n".join(article.paragraphs[at : at + third]) for at in range(0, 3 * third, third))
    head = HEAD.format(name=article.title)
    return [f"{head}\n{article.title}\n\n{text}\n\n{FOOT}" for text in texts if text]


def _files(article: Article) -> list[str]:
    """The article over three files of one repository."""
    pages = (article.paragraphs[:2], article.paragraphs[2:4], article.paragraphs[4:])
    licence = LICENCE.format(name=article.title.split(":")[0])
    return [f"{licence}\n" + "\n\n".join(page) for page in pages if page]


def _messages(place: str, passages: str, question: str) -> list[Message]:
    system = {"role": "system", "content": SYSTEM}
    match place:
        case "before":
            return [
                system,
                {"role": "user", "content": f"{ASK}\n\n{passages}"},
                {"role": "assistant", "content": "I have read them. What is the question?"},
                {"role": "user", "content": question},
            ]
        case "tool":
            call = {
                "id": "call_1",
                "type": "function",
                "function": {"name": "search_documents", "arguments": f'{{"query":"{question}"}}'},
            }
            return [
                system,
                {"role": "user", "content": question},
                {"role": "assistant", "content": None, "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "call_1", "content": passages},
            ]
        case _:
            return [
                system,
                {"role": "user", "content": f"{ASK}\n\n{passages}\n\nQuestion: {question}"},
            ]
