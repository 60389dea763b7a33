"""The usual piece of a stream, known by its bytes: some text of the first choice, and no more.

Most pieces are such, and to know one costs a tenth of what it costs to read it. Whatever is not so
to the letter is read: other fields, other scripts, escapes, white space, a second choice.
"""

import re
from typing import Final

_WORDS: Final = rb'"[ !#-\[\]-~]*"'
_PLAIN: Final = rb'"(?!error"|usage"|choices")\w+":(?:' + _WORDS + rb"|0|[1-9]\d{0,14}|null)"
USUAL: Final = re.compile(
    rb"data: \{(?:" + _PLAIN + rb",)*"
    rb'"choices":\[\{"index":0,"delta":\{"content":"([ !#-\[\]-~]+)"\}'
    rb'(?:,"logprobs":null)?,"finish_reason":null\}\]'
    rb'(?:,"usage":null)?(?:,' + _PLAIN + rb")*\}\n\n"
)


def usual_text(event: bytes) -> bytes | None:
    """The text that the event adds, in ASCII, not empty; `None` where it has to be read."""
    found = USUAL.fullmatch(event)
    return found[1] if found else None
