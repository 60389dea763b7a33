"""From a behaviour and a request to a response. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from penstock_cli.stub.answer import Answer, Asked, answer
from penstock_cli.stub.behaviour import Behaviour, Broken, Ok, Pause, Raw, Status
from penstock_cli.stub.steps import Quit, Response, Send, Step, Wait


class Dialect(Protocol):
    """A wire format; the modules of this package are those there are."""

    @property
    def STREAM_TYPE(self) -> str: ...  # noqa: N802  # a module's constant
    @property
    def PLAIN_TYPE(self) -> str: ...  # noqa: N802
    @property
    def MALFORMED(self) -> bytes: ...  # noqa: N802
    @property
    def IN_BAND_ERROR(self) -> bytes: ...  # noqa: N802

    def plain(self, answer: Answer) -> bytes: ...

    def stream(self, answer: Answer) -> Iterator[Send]: ...

    def error(self, status: Status) -> bytes: ...


def respond(behaviour: Behaviour, dialect: Dialect, asked: Asked) -> Response:
    match behaviour:
        case Ok():
            return _ok(behaviour, dialect, asked)
        case Broken():
            return _broken(behaviour, dialect, asked)
        case Status():
            return _status(behaviour, dialect)
        case Raw():
            return _raw(behaviour)


def _ok(ok: Ok, dialect: Dialect, asked: Asked) -> Response:
    meant = answer(ok, asked)
    if asked.stream:
        content_type = dialect.STREAM_TYPE
        steps = tuple(_paced(tuple(dialect.stream(meant)), ok.each))
        length = None
    else:
        content_type = dialect.PLAIN_TYPE
        body = dialect.plain(meant)
        steps = (Send(body, meant.tokens.output),)
        length = len(body)
    headers = {"x-request-id": f"req_stub{asked.serial}", **ok.headers}
    before = _wait(ok.first)
    return Response(200, content_type, steps, before, headers, length, meant.tokens)


def _broken(broken: Broken, dialect: Dialect, asked: Asked) -> Response:
    whole = _ok(broken.answer, dialect, asked)
    mishap = (*_wait(broken.then), *_mishap(broken, dialect))
    if broken.after is None:
        return replace(whole, before=(*whole.before, *mishap))
    steps = whole.steps if asked.stream else _half(whole.steps)
    length = whole.length if broken.how in {"close", "reset", "stall"} else None
    return replace(whole, steps=(*_first(steps, broken.after), *mishap), length=length)


def _mishap(broken: Broken, dialect: Dialect) -> tuple[Step, ...]:
    match broken.how:
        case "malformed":
            return (Send(dialect.MALFORMED),)
        case "error":
            return (Send(dialect.IN_BAND_ERROR),)
        case how:
            return (Quit(how),)


def _status(status: Status, dialect: Dialect) -> Response:
    headers = dict(status.headers)
    if status.retry_after is not None:
        headers["retry-after"] = status.retry_after
    body = dialect.error(status) if status.body is None else status.body
    return Response(
        status.code,
        dialect.PLAIN_TYPE,
        (Send(body),),
        _wait(status.first),
        headers,
        len(body),
    )


def _raw(raw: Raw) -> Response:
    steps = tuple(_paced(tuple(map(Send, raw.segments)), raw.each))
    return Response(raw.status, raw.content_type, steps, headers=raw.headers)


def _paced(sends: Sequence[Send], each: Pause | None) -> Iterator[Step]:
    """A pause before every piece that holds tokens (of raw bytes: before every one)."""
    counted = any(send.tokens for send in sends)
    for send in sends:
        if each is not None and (send.tokens or not counted):
            yield Wait(each)
        yield send


def _wait(pause: Pause | None) -> tuple[Wait, ...]:
    return () if pause is None else (Wait(pause),)


def _half(steps: Sequence[Step]) -> tuple[Step, ...]:
    body = b"".join(step.data for step in steps if isinstance(step, Send))
    return (Send(body[: len(body) // 2]),)


def _first(steps: Sequence[Step], count: int) -> Iterator[Step]:
    """The steps up to and with the `count`th piece."""
    for step in steps:
        if count == 0:
            return
        yield step
        count -= isinstance(step, Send)
