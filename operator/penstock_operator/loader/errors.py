"""Why something could not be done. All of them are tried again, after a pause.

OllamaError
|- Refused   Ollama said no; its words. The user, or the registry, has to act.
|- Away      Ollama does not answer, or no more. It restarts, or starts.
|- Late      It went on for too long.
`- Unusable  What was ordered cannot be read: a file that is not there. The user has to act.
"""


class OllamaError(Exception):
    """The text is fit to be shown but for its length; see `words`."""


class Refused(OllamaError):
    """The server's own words."""


class Away(OllamaError):
    """Nobody answers."""


class Late(OllamaError):
    """Within its time it was not done."""


class Unusable(OllamaError):
    """What is wrong with the order."""
