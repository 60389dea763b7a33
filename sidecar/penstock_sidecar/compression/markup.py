"""The text of a page without its mark-up, scripts and navigation."""

import re
from html.parser import HTMLParser
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
SILENT: Final = frozenset({"script", "style", "nav", "noscript", "svg", "template", "iframe"})
BLOCKS: Final = frozenset({
    "p", "div", "section", "article", "main", "header", "footer", "ul", "ol", "li", "table", "tr",
    "h1", "h2", "h3", "h4", "h5", "h6", "br", "form", "title", "blockquote", "pre", "dl", "dt",
    "dd", "hr",
})  # fmt: skip
CELLS: Final = frozenset({"td", "th"})
SPACES: Final = re.compile(r"[ \t\r\n\f]+")
LINES: Final = re.compile(r" *\n[ \n]*")


def is_page(text: str) -> bool:
    tags = sum(1 for _, _ in zip(range(LEAST_TAGS), TAG.finditer(text), strict=False))
    return tags == LEAST_TAGS and END.search(text) is not None


def without_markup(text: str) -> str:
    """Lines of text; cells of a row are parted by bars, addresses of links elsewhere are kept."""
    page = _Page()
    page.feed(text)
    page.close()
    return page.text()


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._pieces: list[str] = []
        self._silent: list[str] = []
        self._links: list[str] = []

    def text(self) -> str:
        lines = LINES.sub("\n", "".join(self._pieces)).strip()
        return "\n".join(line.rstrip(" |") for line in lines.split("\n"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in SILENT:
            self._silent.append(tag)
        if self._silent:
            return
        if tag in BLOCKS:
            self._pieces.append("\n")
        if tag == "a":
            self._links.append(next((v or "" for k, v in attrs if k == "href"), ""))
        if tag == "img":
            self._pieces.append(next((v or "" for k, v in attrs if k == "alt"), ""))

    def handle_endtag(self, tag: str) -> None:
        if tag in self._silent:
            del self._silent[self._silent.index(tag) :]
        elif not self._silent:
            self._end(tag)

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._pieces.append(SPACES.sub(" ", data))

    def _end(self, tag: str) -> None:
        if tag in BLOCKS:
            self._pieces.append("\n")
        elif tag in CELLS:
            self._pieces.append(" | ")
        elif tag == "a" and self._links:
            address = self._links.pop()
            if address.startswith(("http://", "https://")):
                self._pieces.append(f" ({address})")
