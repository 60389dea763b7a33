"""Responses as OpenAI answers them."""

from typing import Any

from hypothesis import strategies as st

from tests.sidecar.cache.forms.cutting import Document, counts, names, texts, words

logprobs = st.lists(
    st.builds(
        lambda token: {"token": token, "bytes": [1], "logprob": -0.5, "top_logprobs": []}, words
    ),
    max_size=2,
)
annotations = st.lists(
    st.builds(
        lambda url: {
            "type": "url_citation",
            "url": url,
            "title": "t",
            "start_index": 0,
            "end_index": 1,
        },
        words,
    ),
    max_size=2,
)
spoken = st.builds(
    lambda text, cited, likely: {
        "type": "output_text",
        "text": text,
        "annotations": cited,
        "logprobs": likely,
    },
    words,
    annotations,
    logprobs,
)
refusals = st.builds(lambda text: {"type": "refusal", "refusal": text}, words)
ids = st.uuids(version=4).map(lambda found: found.hex)


def item(kind: str, **fields: Any) -> st.SearchStrategy[Document]:
    return st.fixed_dictionaries({"id": ids, "type": st.just(kind), **fields})


completed = st.just("completed")
said = item(
    "message",
    status=completed,
    role=st.just("assistant"),
    content=st.lists(spoken | refusals, min_size=1, max_size=2),
)
calls = item("function_call", status=completed, call_id=names, name=names, arguments=texts)
own_calls = item("custom_tool_call", status=completed, call_id=names, name=names, input=texts)
summaries = st.lists(st.builds(lambda t: {"type": "summary_text", "text": t}, words), max_size=2)
thoughts = st.lists(st.builds(lambda t: {"type": "reasoning_text", "text": t}, words), max_size=2)
reasoning = item("reasoning", summary=summaries, encrypted_content=st.none() | names)
open_reasoning = item("reasoning", summary=summaries, content=thoughts)


def response(*output: Document, **changes: Any) -> Document:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_700_000_000,
        "completed_at": 1_700_000_001,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "model": "gpt",
        "output": list(output),
        "parallel_tool_calls": True,
        "store": False,
        "temperature": 0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1,
        "usage": {
            "input_tokens": 9,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": 4,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 13,
        },
        **changes,
    }


@st.composite
def responses(draw: st.DrawFn) -> Document:
    thought = draw(st.lists(reasoning | open_reasoning, max_size=2))
    answered = draw(st.lists(said | calls | own_calls, min_size=1, max_size=3))
    usage = {**response()["usage"], "output_tokens": draw(counts)}
    return response(*thought, *answered, usage=usage)
