"""Any pod: what it says is kept, and a second look changes nothing."""

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from penstock_operator.api.names import CONTAINER, INJECT_LABEL, INJECTED_ANNOTATION, VERSION_LABEL
from penstock_operator.injection import names
from penstock_operator.injection.template import Mode
from tests.operator.injection.pods import MODES, outcome_of, patched

EXEMPT = ("NO_PROXY", "no_proxy")
word = st.sampled_from(["a", "b", "c/d", "e~f", "penstock.dev/x", "app"])
text = st.text(max_size=8)
variables = st.lists(
    st.one_of(
        st.fixed_dictionaries(
            {"name": st.sampled_from(["A", "OPENAI_BASE_URL", "OPENAI_API_KEY", *EXEMPT])},
            optional={"value": st.sampled_from(["", "x", ".corp", "*", "localhost", "::1, a"])},
        ),
        st.fixed_dictionaries(
            {
                "name": st.sampled_from(["B", "OLLAMA_HOST", *EXEMPT]),
                "valueFrom": st.just({"configMapKeyRef": {"name": "c", "key": "k"}}),
            }
        ),
    ),
    max_size=5,
)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def containers(prefix: str, min_size: int) -> st.SearchStrategy[Any]:
    one = st.fixed_dictionaries(
        {"image": st.sampled_from(["a:1", "ollama/ollama"])},
        optional={
            "env": maybe(variables),
            "envFrom": st.just([{"configMapRef": {"name": "c"}}]),
            "ports": st.just([{"containerPort": 8080}]),
            "args": st.lists(text, max_size=2),
            "somethingNew": text,
        },
    )
    return st.lists(one, min_size=min_size, max_size=3).map(
        lambda found: [{"name": f"{prefix}{n}", **each} for n, each in enumerate(found)]
    )


pods = st.fixed_dictionaries(
    {
        "metadata": st.fixed_dictionaries(
            {},
            optional={
                "name": text,
                "labels": maybe(st.dictionaries(word, text, max_size=3)),
                "annotations": maybe(st.dictionaries(word, text, max_size=3)),
            },
        ),
        "spec": st.fixed_dictionaries(
            {"containers": containers("app", 1)},
            optional={
                "initContainers": maybe(containers("init", 0)),
                "volumes": maybe(st.just([{"name": "own", "emptyDir": {}}])),
                "restartPolicy": st.sampled_from(["Always"]),
                "somethingNew": text,
            },
        ),
    }
)


@given(pods, st.sampled_from(MODES))
def test_all_that_a_pod_says_is_kept(pod: Any, mode: Mode) -> None:
    before = copy.deepcopy(pod)
    outcome = outcome_of(pod, mode)
    assert pod == before
    assert outcome.result == "injected"
    assert _without_ours(patched(pod, outcome.patch), pod) == _plain(pod)


@given(pods, st.sampled_from(MODES), st.sampled_from(MODES))
def test_a_second_application_is_empty(pod: Any, mode: Mode, later: Mode) -> None:
    once = patched(pod, outcome_of(pod, mode).patch)
    again = outcome_of(once, later)
    assert (again.result, again.patch) == ("unchanged", ())


def _without_ours(result: Any, pod: Any) -> Any:
    """What the patch added taken off again; the lists of hosts as they were."""
    metadata, spec = result["metadata"], result["spec"]
    for key in (INJECT_LABEL, VERSION_LABEL):
        del metadata["labels"][key]
    for key in (INJECTED_ANNOTATION, names.DEFAULT_CONTAINER_ANNOTATION):
        del metadata["annotations"][key]
    spec["volumes"] = [each for each in spec["volumes"] if each["name"] not in names.VOLUMES]
    for field in ("containers", "initContainers"):
        found = [each for each in spec.get(field) or () if each["name"] != CONTAINER]
        spec[field] = [
            _as_before(each, former)
            for each, former in zip(found, pod["spec"].get(field) or (), strict=True)
        ]
    return _plain(result)


def _as_before(container: Any, former: Any) -> Any:
    had = former.get("env") or []
    env = (container.get("env") or [])[: len(had)]
    pairs = zip(had, env, strict=True)
    return {**container, "env": [old if _extends(old, new) else new for old, new in pairs]}


def _extends(old: Any, new: Any) -> bool:
    """Whether it is the same list of hosts, or a longer one."""
    listed = old["name"] in EXEMPT and "valueFrom" not in old
    return listed and str(new.get("value", "")).startswith(old.get("value", ""))


def _plain(document: Any) -> Any:
    """Without what is empty or null: a server makes no difference."""
    if isinstance(document, dict):
        found = {key: _plain(value) for key, value in document.items()}
        return {key: value for key, value in found.items() if value not in (None, [], {})}
    return [_plain(each) for each in document] if isinstance(document, list) else document
