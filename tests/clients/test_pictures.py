"""Pictures on their way to a provider, with the vendors' own clients against a whole sidecar."""

from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import ollama
import pytest
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI, BadRequestError

from penstock_config.cache import Cache, ExactCache
from penstock_config.policy import Images
from penstock_sidecar.pictures.places import places_of
from tests.clients.house import House, running_house
from tests.sidecar.pictures import made
from tests.sidecar.pictures.test_scale import bomb

PICTURE = made.jpeg(800, 400, 6)
DATA = b64encode(PICTURE).decode()


@pytest.fixture
async def house(tmp_path: Path, redis_url: str) -> AsyncIterator[House]:
    async with running_house(tmp_path, redis_url) as running:
        cache = Cache(exact=ExactCache())
        await running.publish(running.config(images=Images(max_side_pixels=200), cache=cache))
        yield running


def shown(url: str) -> Any:
    return [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]


def sent(body: Any) -> list[tuple[tuple[int, int], bool]]:
    """Size, and whether the place where it was taken is still in it."""
    found = [b64decode(place.data) for place in places_of(body)]
    return [(made.opened(data).size, made.PLACE.encode() in data) for data in found]


async def test_providers_get_small_upright_pictures_without_metadata(house: House) -> None:
    async with AsyncOpenAI(base_url=f"{house.url}/v1", api_key="app", max_retries=0) as client:
        messages = shown(f"data:image/jpeg;base64,{DATA}")
        await client.chat.completions.create(model="gpt", messages=messages)
    assert sent(house.openai.requests[-1].body) == [((100, 200), False)]
    source: Any = {"type": "base64", "media_type": "image/jpeg", "data": DATA}
    async with AsyncAnthropic(base_url=house.url, api_key="app", max_retries=0) as client_:
        await client_.messages.create(
            model="claude",
            max_tokens=64,
            messages=[{"role": "user", "content": [{"type": "image", "source": source}]}],
        )
    assert sent(house.anthropic.requests[-1].body) == [((100, 200), False)]
    async with ollama.AsyncClient(host=house.url) as theirs:
        said = {"role": "user", "content": "?", "images": [PICTURE]}
        await theirs.chat("llama", messages=[said])
    assert sent(house.ollama.requests[-1].body) == [((100, 200), False)]


@pytest.mark.alone  # a Redis that takes more than 50 ms is none
async def test_the_answer_is_cached_under_the_smaller_picture(house: House) -> None:
    """The same picture with other metadata is the same question."""
    other = b64encode(PICTURE + b"a film behind it").decode()
    async with AsyncOpenAI(base_url=f"{house.url}/v1", api_key="app", max_retries=0) as client:
        states = []
        for data in (DATA, DATA, other):
            answer = await client.chat.completions.with_raw_response.create(
                model="gpt", messages=shown(f"data:image/jpeg;base64,{data}")
            )
            states.append(answer.headers["x-penstock-cache"])
    assert states == ["miss", "hit-exact", "hit-exact"]


async def test_a_bomb_is_a_clear_400(house: House) -> None:
    data = b64encode(bomb(60_000, 60_000)).decode()
    async with AsyncOpenAI(base_url=f"{house.url}/v1", api_key="app", max_retries=0) as client:
        with pytest.raises(BadRequestError, match="24 million are decoded at most") as refused:
            await client.chat.completions.create(
                model="gpt", messages=shown(f"data:image/png;base64,{data}")
            )
    assert refused.value.param == "messages[0].content[0].image_url.url"
    assert house.openai.requests == []
