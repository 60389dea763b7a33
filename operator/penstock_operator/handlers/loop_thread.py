"""A coroutine in an event loop and thread of its own, cancelled from another loop."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine


class LoopThread(threading.Thread):
    """Made in the loop that waits for `ended`, which gets the coroutine's end or exception.

    A daemon: a process that must stop is not held up by it.
    """

    def __init__(self, main: Callable[[], Coroutine[None, None, None]]) -> None:
        super().__init__(name="penstock-operation", daemon=True)
        self._main = main
        self._caller = asyncio.get_running_loop()
        self.ended: asyncio.Future[None] = self._caller.create_future()
        self._lock = threading.Lock()
        self._inside: tuple[asyncio.AbstractEventLoop, asyncio.Task[None]] | None = None
        self._cancelled = False

    def cancel(self) -> None:
        """Cancels the coroutine, now or as soon as it begins. Safe to call again and after it."""
        with self._lock:
            self._cancelled = True
            if self._inside is not None:
                loop, task = self._inside
                loop.call_soon_threadsafe(task.cancel)

    def run(self) -> None:
        asyncio.run(self._guarded())

    async def _guarded(self) -> None:
        """Tells the end at once: the loop itself may go on, with tasks that do not want to end."""
        failure: BaseException | None = None
        try:
            await self._cancellable()
        except asyncio.CancelledError:
            pass
        except BaseException as error:  # noqa: BLE001  # whoever waits for `ended` hears of it
            failure = error
        with contextlib.suppress(RuntimeError):  # that loop is closed: nobody waits any more
            self._caller.call_soon_threadsafe(self._finish, failure)

    async def _cancellable(self) -> None:
        task = asyncio.create_task(self._main())
        with self._lock:
            self._inside = (asyncio.get_running_loop(), task)
            if self._cancelled:
                task.cancel()
        try:
            await task
        finally:
            with self._lock:
                self._inside = None

    def _finish(self, failure: BaseException | None) -> None:
        if self.ended.done():
            return
        if failure is None:
            self.ended.set_result(None)
        else:
            self.ended.set_exception(failure)
