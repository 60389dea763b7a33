"""An application as people write them: the official `openai` client, and no word of Penstock.

    app.py watch MODEL             asks five times a second; prints a line when the answer changes
    app.py stream MODEL            asks for one stream after another; after SIGTERM ends the last
    app.py once MODEL              asks once, without retries; the exit code says whether it worked
    app.py job MODEL               the same, then ends the sidecar beside it
    app.py burst MODEL COUNT       asks so many times, six at once; counts the answers
    app.py words MODEL             asks for one stream; prints that it began, then how it went
    app.py idle MODEL              does nothing until SIGTERM

Address and key come from the environment that the client reads itself. Every line is JSON.
"""

import asyncio
import json
import signal
import sys
import time
import urllib.request
from collections import Counter

import openai
from openai.types.chat import ChatCompletionMessageParam

QUIT = "http://localhost:4143/quit"
PAUSE_SECONDS = 0.2
AT_ONCE = 6


def say(**fields: object) -> None:
    sys.stdout.write(json.dumps({"at": time.time(), **fields}) + "\n")
    sys.stdout.flush()


def messages() -> list[ChatCompletionMessageParam]:
    return [{"role": "user", "content": f"Say who you are, at {time.time_ns()}."}]


class App:
    """One client for all requests, as its makers advise."""

    def __init__(self, model: str) -> None:
        self._client = openai.AsyncOpenAI(max_retries=0)
        self._model = model
        self._stopped = asyncio.Event()

    async def ask(self) -> str:
        """`200 <text>`, or the status and code of the refusal, or what went wrong on the way."""
        try:
            answer = await self._client.chat.completions.create(
                model=self._model,
                messages=messages(),
            )
        except openai.APIStatusError as error:
            return f"{error.status_code} {error.code}"
        except openai.APIError as error:
            return f"000 {type(error).__name__}"
        return f"200 {answer.choices[0].message.content}"

    async def words(self) -> dict[str, object]:
        """A stream from its first word to its last, or what cut it."""
        text, finish = "", None
        try:
            stream = await self._client.chat.completions.create(
                model=self._model,
                messages=messages(),
                stream=True,
            )
            async for chunk in stream:
                for choice in chunk.choices:
                    text += choice.delta.content or ""
                    finish = choice.finish_reason or finish
        except openai.APIStatusError as error:
            return {"failed": f"{error.status_code} {error.code}"}
        except openai.APIError as error:
            return {"failed": type(error).__name__, "words": len(text.split())}
        return {"words": len(text.split()), "finish": finish}

    async def watch(self) -> int:
        last, asked = "", 0
        while not self._stopped.is_set():
            outcome = await self.ask()
            asked += 1
            if outcome != last:
                say(outcome=outcome, asked=asked)
                last = outcome
            await self._pause(PAUSE_SECONDS)
        say(outcome="stopped", asked=asked)
        return 0

    async def stream(self) -> int:
        while not self._stopped.is_set():
            say(stream="begins")
            say(stream=await self.words(), stopping=self._stopped.is_set())
        say(outcome="stopped")
        return 0

    async def once(self) -> int:
        outcome = await self.ask()
        say(outcome=outcome)
        return 0 if outcome.startswith("200 ") else 1

    async def job(self) -> int:
        code = await self.once()
        request = urllib.request.Request(QUIT, method="POST")
        with await asyncio.to_thread(urllib.request.urlopen, request) as response:
            say(quit=response.status)
        return code

    async def burst(self, count: int) -> int:
        """A few at a time: all at once would keep a small machine from hearing Redis in time."""
        few = asyncio.Semaphore(AT_ONCE)

        async def one() -> str:
            async with few:
                return await self.ask()

        outcomes = await asyncio.gather(*(one() for _ in range(count)))
        say(outcomes=Counter(outcomes))
        return 0

    async def print_words(self) -> int:
        say(stream="begins")
        say(stream=await self.words())
        return 0

    async def idle(self) -> int:
        await self._stopped.wait()
        return 0

    async def run(self, what: str, *numbers: str) -> int:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stopped.set)
        if what == "burst":
            return await self.burst(int(numbers[0]))
        acts = {
            "watch": self.watch,
            "stream": self.stream,
            "once": self.once,
            "job": self.job,
            "words": self.print_words,
            "idle": self.idle,
        }
        return await acts[what]()

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopped.wait()
        except TimeoutError:
            return


async def main(what: str, model: str, *numbers: str) -> int:
    return await App(model).run(what, *numbers)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
