"""One piece of work at a time, in a task that its group awaits."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class Lane:
    """What it does is named by the model it is done for."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._task: asyncio.Task[None] | None = None
        self._name = ""

    @property
    def is_free(self) -> bool:
        return self._task is None

    def begin(self, name: str, work: Coroutine[Any, Any, None], then: Callable[[], None]) -> None:
        """`then` is called however it ends, even if it was cancelled before it began."""

        def end(_: asyncio.Task[None]) -> None:
            self._task, self._name = None, ""
            then()

        self._name = name
        self._task = self._group.create_task(work)
        self._task.add_done_callback(end)

    def cancel(self, name: str) -> None:
        """What is done for that model, if anything; the lane is free once that has ended."""
        if self._task is not None and self._name == name:
            self._task.cancel()
