"""The text of a page without its mark-up, scripts and navigation.

Read by expressions of its own: the standard library's parser raises on some of what pages hold, and
for each tag that is never closed it reads on to the page's end. Here nothing is read so often.
"""

import html
import re
from collections.abc import Iterator
from typing import Final

TAG: Final = re.compile(
    r"</?(?:html|head|body|div|span|p|a|ul|ol|li|table|tbody|thead|tr|td|th|script|style|nav|header"
    r"|footer|section|article|main|h[1-6]|br|img|form|input|button|meta|link|title|strong|em|b|i"
    r"|pre|code)\b[^<>]*>",
    re.IGNORECASE,
)
LEAST_TAGS: Final = 6
"""Fewer are an example in a text rather than a page."""
END: Final = re.compile(r"</[A-Za-z]")
"""Types have parameters as `List<A>` has; nothing ends those."""
SILENT: Final = frozenset({"nav", "noscript", "svg", "template", "iframe"})
BLOCKS: Final = frozenset({
    "p", "div", "section", "article", "main", "header", "footer", "ul", "ol", "li", "table", "tr",
    "h1", "h2", "h3", "h4", "h5", "h6", "br", "form", "title", "blockquote", "pre", "dl", "dt",
    "dd", "hr",
})  # fmt: skip
CELLS: Final = frozenset({"td", "th"})
RAW: Final = {name: re.compile(rf"</{name}\b", re.IGNORECASE) for name in ("script", "style")}
"""Elements within which nothing is mark-up, and where they end."""
COMMENT: Final = "<!--"
COMMENT_END: Final = "-->"
MARK: Final = re.compile(
    rf"{COMMENT}|<[!?](?!\[CDATA\[)[^<>]*+>|<(?P<end>/?)(?P<tag>[A-Za-z][^\s/<>]*+)"
    r"(?P<rest>(?:=\s*+(?:\"[^\"<]*+\"|'[^'<]*+')|[^<>])*+|[^<>]*+)>"
)
"""No tag goes on beyond the beginning of the next; a quotation may hold its end."""
ATTRIBUTE: Final = re.compile(
    r"(?P<name>[^\s/=]++)"
    r"(?:\s*+=\s*+(?:\"(?P<double>[^\"]*+)\"|'(?P<single>[^']*+)'|(?P<bare>\S++)))?"
)
CLOSED: Final = (" /", '"/', "'/")
"""How a tag ends that has no content. A slash behind anything else belongs to an address."""
SPACES: Final = re.compile(r"[ \t\r\n\f]+")
LINES: Final = re.compile(r"(?<! ) *\n[ \n]*")
MAX_CHARACTERS: Final = 2_000_000


def is_page(text: str) -> bool:
    tags = sum(1 for _, _ in zip(range(LEAST_TAGS), TAG.finditer(text), strict=False))
    return tags == LEAST_TAGS and END.search(text) is not None


def without_markup(text: str) -> str:
    """Lines of text; cells of a row are parted by bars, addresses of links elsewhere are kept. What
    cannot be read, or is longer than pages are, stays."""
    if len(text) > MAX_CHARACTERS:
        return text
    try:
        return _Page().text_of(text)
    except ValueError:  # the number of a character has more digits than `int` reads
        return text


class _Page:
    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._silent: list[str] = []
        self._links: list[str] = []

    def text_of(self, page: str) -> str:
        begin = 0
        for mark, after in _marks(page):
            self._data(page[begin : mark.start()])
            self._tag(mark)
            begin = after
        self._data(page[begin:])
        lines = LINES.sub("\n", "".join(self._pieces)).strip()
        return "\n".join(line.rstrip(" |") for line in lines.split("\n"))

    def _data(self, data: str) -> None:
        if data and not self._silent:
            self._pieces.append(SPACES.sub(" ", html.unescape(data)))

    def _tag(self, mark: re.Match[str]) -> None:
        tag = (mark["tag"] or "").lower()
        if not mark["end"]:
            self._start(tag, mark["rest"] or "")
        if mark["end"] or _is_closed(mark):
            self._end(tag)

    def _start(self, tag: str, rest: str) -> None:
        if tag in SILENT and tag not in self._silent:
            self._silent.append(tag)
        if self._silent:
            return
        if tag in BLOCKS:
            self._pieces.append("\n")
        if tag == "a":
            self._links.append(_attribute(rest, "href"))
        if tag == "img":
            self._pieces.append(_attribute(rest, "alt"))

    def _end(self, tag: str) -> None:
        if tag in self._silent:
            del self._silent[self._silent.index(tag) :]
        elif self._silent:
            return
        elif tag in BLOCKS:
            self._pieces.append("\n")
        elif tag in CELLS:
            self._pieces.append(" | ")
        elif tag == "a" and self._links:
            address = self._links.pop()
            if address.startswith(("http://", "https://")):
                self._pieces.append(f" ({address})")


def _marks(page: str) -> Iterator[tuple[re.Match[str], int]]:
    """Each, and where it goes on behind it: behind what is a comment, or a script. A comment that
    never ends is text."""
    last_comment_end = page.rfind(COMMENT_END)
    at = 0
    while mark := MARK.search(page, at):
        at = mark.end()
        if mark[0] == COMMENT:
            within = mark.start() + len("<!")  # `<!-->` is one that is empty
            if within > last_comment_end:
                continue
            at = page.index(COMMENT_END, within) + len(COMMENT_END)
        elif (raw := RAW.get((mark["tag"] or "").lower())) and not (
            mark["end"] or _is_closed(mark)
        ):
            end = raw.search(page, at)
            at = end.start() if end else len(page)
        yield mark, at


def _is_closed(mark: re.Match[str]) -> bool:
    rest = mark["rest"] or ""
    return rest == "/" or rest.endswith(CLOSED)


def _attribute(rest: str, name: str) -> str:
    for found in ATTRIBUTE.finditer(rest):
        if found["name"].lower() == name:
            return html.unescape(found["double"] or found["single"] or found["bare"] or "")
    return ""
