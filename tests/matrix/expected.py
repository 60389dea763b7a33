"""What is expected, from files: common to all, or of one that differs from them.

`asked/<dialect>/<ask>.json` is what providers of a dialect are sent, and
`<ask>.<caller>.json` where one caller's words make a difference.
`answers/<caller>/<scene>.txt` is what callers get: status, headers and body;
`<scene>.<type or dialect>.txt` where one provider knows more or less than the others.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tests.matrix.world import HERE, KINDS, Case
from tests.sidecar.http.edge import Response

TOLD: Final = ("content-type", "retry-after")
"""Of the headers."""
_UPSTREAM: Final = "|".join(re.escape(kind.model) for kind in KINDS)
SAME: Final = (
    (re.compile(r"chatcmpl-[0-9A-Za-z-]+"), "chatcmpl-ID"),
    (re.compile(r"msg_[0-9A-Za-z-]+"), "msg_ID"),
    (re.compile(r"call_[0-9a-f-]{16,}_(\d)"), r"call_ID_\1"),
    (re.compile(r"(\"request_id\": ?\")[0-9a-f]{16,}"), r"\1ID"),
    (re.compile(r"(\"created\": ?)\d+"), r"\1TIME"),
    (re.compile(r"(\"created_at\": ?\")[^\"]+"), r"\1TIME"),
    (re.compile(r"(\"\w+_duration\": ?)\d+"), r"\1TIME"),
    (re.compile(_UPSTREAM), "PROVIDERS-MODEL"),
)
"""Ids and times are the only things that differ from one time to the next."""


def asked_file(case: Case) -> Path:
    """Need not be there: then the provider is not asked."""
    folder, ask = HERE / "asked" / case.kind.dialect, case.scene.ask
    own = folder / f"{ask}.{case.caller}.json"
    return own if own.exists() else folder / f"{ask}.json"


def expected_asked(case: Case) -> Mapping[str, Any] | None:
    """The whole document."""
    path = asked_file(case)
    if not path.exists():
        return None
    told = case.kind.streamed if case.scene.stream else case.kind.whole
    document = json.loads(path.read_text("utf-8"))
    assert isinstance(document, dict)
    return {**document, **told}


def answer_file(case: Case) -> Path:
    folder, name = HERE / "answers" / case.caller, case.scene.answer
    for of in (case.kind.type, case.kind.dialect):
        if (own := folder / f"{name}.{of}.txt").exists():
            return own
    return folder / f"{name}.txt"


def told(response: Response, case: Case) -> str:
    """The answer as the files have it."""
    head = [f"{name}: {response.headers[name]}" for name in TOLD if name in response.headers]
    text = "\n".join([str(response.status), *head, "", response.body.decode()])
    text = text.replace(case.provider_and_model, "PROVIDER/MODEL")
    text = text.replace(case.name, "CALLERS-MODEL")
    for pattern, same in SAME:
        text = pattern.sub(same, text)
    return text.rstrip("\n") + "\n"
