"""OpenAI's own client with the stub's completions and responses."""

import openai
from openai.types.responses import Response

from penstock_cli.stub import Broken, Ok, StubProvider, Tokens, ToolCall


def client(stub: StubProvider) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{stub.url}/v1", api_key="k", max_retries=0)


async def test_a_completion_is_read_plain_and_streamed() -> None:
    async with StubProvider() as stub, client(stub) as api:
        stub.always(Ok("one two", usage=Tokens(7, 2)))
        plain = await api.completions.create(model="m", prompt=["a", "b"], n=2)
        stream = await api.completions.create(model="m", prompt="a", stream=True)
        pieces = [piece.choices[0].text async for piece in stream]
    assert [choice.text for choice in plain.choices] == ["one two"] * 4
    assert [choice.index for choice in plain.choices] == [0, 1, 2, 3]
    assert pieces == ["one ", "two", ""]


async def test_a_completion_is_cut_at_the_api_s_own_bound() -> None:
    async with StubProvider() as stub, client(stub) as api:
        stub.always(Ok("word " * 20))
        answer = await api.completions.create(model="m", prompt=[1, 2, 3])
    assert answer.choices[0].finish_reason == "length"
    assert len(answer.choices[0].text.split()) == 16


async def test_a_response_is_put_together_as_it_is_whole() -> None:
    async with StubProvider() as stub, client(stub) as api:
        call = ToolCall("f", '{"a":1}')
        stub.always(Ok("one two", reasoning="Hm. So.", tool_calls=(call,), usage=Tokens(7, 2)))
        whole = await api.responses.create(model="m", input="Hi")
        async with api.responses.stream(model="m", input="Hi") as stream:
            kinds = [event.type async for event in stream]
            final = await stream.get_final_response()
    Response.model_validate(whole.model_dump())
    assert whole.output_text == final.output_text == "one two"
    assert [item.type for item in final.output] == ["reasoning", "message", "function_call"]
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"
    assert final.usage
    assert final.usage.output_tokens == 2


async def test_a_refusal_and_a_cut_answer_have_their_shapes() -> None:
    async with StubProvider() as stub, client(stub) as api:
        stub.queue(Ok("", refusal="I will not."), Ok("one two three"))
        refused = await api.responses.create(model="m", input="Hi", stream=True)
        kinds = {event.type async for event in refused}
        cut = await api.responses.create(model="m", input="Hi", max_output_tokens=2)
    assert {"response.refusal.delta", "response.refusal.done"} <= kinds
    assert cut.status == "incomplete"
    assert cut.output_text == "one two "


async def test_an_error_within_a_stream_is_an_event() -> None:
    async with StubProvider() as stub, client(stub) as api:
        stub.always(Broken("error", after=4))
        stream = await api.responses.create(model="m", input="Hi", stream=True)
        events = [event async for event in stream]
    assert events[-1].type == "error"
