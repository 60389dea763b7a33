"""Cuts off what only says that something is asked: courtesy, "can you tell me", "how do I".

What is left says what is asked for.
"""

import re
from typing import Final

MOST_FRAMES: Final = 4
"""Of one clause, one in the other: "hello, can you please tell me how to"."""

_POLITE: Final = (
    "(?:(?:please|just|really|kindly|now|also|so|ok|okay|hi|hello|hey|well|um|and|but|actually"
    "|then|thanks|thank you|go ahead and) )*+"
)
_TELL: Final = (
    "(?:tell|show|explain|help|give|let|inform|advise|assist|instruct|provide|look|figure|clarify) "
)
_LEARN: Final = "(?:better )?(?:know|understand|learn|find out|see|be able to|ask|figure out)"
_WANT: Final = (
    "(?:(?:would|will|do|am|have|had|must|need|want|wish|got|like|love|wanting|needing|trying"
    "|looking|going|hoping|interested|in|really|just|should|require|able|attempting) )++"
)
_WHY: Final = (
    "(?:is there|what is|what would be|do you have|for) (?:an? |any |the )?(?:possible )?"
    "reasons? (?:(?:why|that|for|as to why) )?"
    "|how come |for (?:what|which) reason "
)
_SEE: Final = (
    "(?:see|saw|seeing|notice|noticed|realize|realized|realise|realised|found out|came to know)"
)
_CLAUSE: Final = "(?:my|the|a|an|this|there) (?:\\w+ ){0,4}(?:is|are|was|were|has|have|had) "
"""Begins one, and is no thing that is seen."""
_PLAIN: Final = (
    # can you (please tell me (if))
    f"(?:(?:can|could|would|will) (?:you|someone|anyone) {_POLITE}(?:be able to )?"
    "|you (?:can|could) )"
    f"(?:{_POLITE}{_TELL}(?:to |out )?(?:me |us )?(?:to |with |out |for me )?"
    "(?:(?:know|understand|find|figure|see|get|tell|explain) (?:out )?)?"
    "(?:(?:if|whether|that|about) )?)?",
    # tell me (about)
    f"{_TELL}(?:to )?(?:me|us|out) "
    "(?:(?:to|with|out|about|if|whether|know|understand|find|please|see|tell|figure) )*+",
    # do you know (if)
    f"do(?:es)? (?:you|anyone) {_POLITE}(?:happen to )?(?:know|understand) (?:(?:if|whether) )?",
    # I would like to (know)
    f"i {_POLITE}{_WANT}to (?:{_LEARN} (?:(?:about|if|whether|more about) )?)?",
    "i (?:am |was )?(?:wondering|wonder|curious) (?:(?:if|whether|about) )?",
    f"i {_POLITE}(?:do not (?:know|understand|have any idea|get)|am not (?:sure|understanding)"
    "|have no idea|not sure|can not (?:seem to )?(?:figure out|understand|tell|see)) "
    "(?:(?:how|why|what to do) $|(?=why|how|what|when|where|who|which))",
    f"i (?:need|want|would like) you to (?:{_TELL}me )?",
    "i would appreciate it if you (?:could|would|can) (?:tell me )?",
    "(?:do you have )?any (?:idea|ideas|clue) (?:as to )?(?:if |on )?(?=\\w)",
    # I see that
    f"i {_POLITE}(?:have |can |am )?{_SEE} (?:that (?=\\w+ \\w+ \\w)|(?=i )|(?={_CLAUSE}))",
    # what should I do
    "what (?:can|could|do|should|must|shall|would|to|am) (?:i )?(?:(?:need|have|supposed) to )?do "
    "(?:(?:now|next|about|it|this|that) )*+(?:$|(?=(?:if|when|once) ))",
    # I think that
    "i (?:think|believe|guess|feel|suppose|am under the impression) (?:like )?(?:that )?",
    "(?:it )?(?:seems|appears|looks) (?:(?:like|that|as though|as if) )?",
    # is there a way to
    f"is (?:there|it) {_POLITE}(?:(?:an?|any|some) )?(?:way|chance|possibility|possible|option) "
    "(?:(?:for me|that|i can|i could|to|of|for|if) )*+",
    "am i (?:able|allowed) to |(?:can|could|may|might) i ",
    # what do I have to do to
    "what (?:all )?(?:do|should|can|must|are|would) (?:i|you|we|the) "
    "(?:(?:need|have|should|got|going|want|steps|to take|i take|i need|that) )*+(?:to )?"
    "(?:(?:do|take|follow) )?(?:in order )?to ",
    "(?:what|which) (?:are )?(?:the )?steps "
    "(?:(?:do|are|should|i|to|need|have|take|required|needed|for|must|that) )*+",
    # step by step instructions on how to
    "(?:give|find|show)? ?(?:me )?(?:(?:some|the) )?(?:(?:step by step|detailed) )?"
    "(?:instructions|directions|guidance|tips) (?:(?:on|for|about|as to) )?(?=how )",
    # how can I
    "how (?:do|can|could|would|should|might|must|to|will|am) (?:(?:i|you|we|one|to|able|be) )?"
    "(?:(?:go about|be able to|possibly|go ahead and) )?",
    "(?:please|just|really|kindly|now|also|so|ok|okay|hi|hello|hey|well|um|and|but|actually"
    "|then|thanks|thank you|go ahead and) ",
)
_FRAME: Final = re.compile(f"(?:{_WHY})|{'|'.join(_PLAIN)}")
_ASKING: Final = (
    ("why", re.compile(_WHY)),
    ("how", re.compile("how |(?:what|which) .*step")),
    ("may", re.compile("(?:can|could|may|might|am) i |is it ")),
    ("you", re.compile(f"(?:(?:can|could|would|will) )?you (?!.*{_TELL})")),
)
"""What a frame asks for: a reason, a way, whether one may, that the other one does it."""
_TAIL: Final = re.compile(
    "(?: (?:(?:and |but |so )?(?:i )?(?:do not (?:know|understand)|have no (?:idea|clue)"
    "|am not sure|not sure|can not figure out)"
    " (?:why|how|how to do (?:it|so|this|that)|what the (?:problem|issue) is)|any ideas? why"
    "|please|thanks|thank you|or not|or no|for me|help|for you|at all|do you know"
    "|you know why|though|anymore|any more))++$"
)
_HELPLESS: Final = re.compile(
    f"{_POLITE}i (?:am )?{_POLITE}(?:can not|could not|not able to) (?!figure|find out|understand)"
    "|.* (?:and|but) (?:i )?can not find (?:it|them) $"
)


def unframed(clause: tuple[str, ...]) -> tuple[tuple[str, ...], frozenset[str]]:
    """The clause without its frames, and what those ask for; `helpless` where somebody says that
    he cannot do something, which stays in the clause."""
    text, at = " ".join(clause) + " ", 0
    asks = frozenset({"helpless"} if _HELPLESS.match(text) else ())
    for _ in range(MOST_FRAMES):
        found = _FRAME.match(text, at)
        if not found or found.end() == at:
            break
        asks |= {name for name, frame in _ASKING if frame.match(found[0])}
        at = found.end()
    return tuple(_TAIL.sub("", " " + text[at:].rstrip()).split()), asks
