"""What a partition holds, whatever happens to it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from penstock_embedder.index.partition import FIRST_ROWS, MAX_ROWS, Partition
from penstock_embedder.index.search import nearest
from penstock_embedder.index.vector import Vector

NOW = 1_000
LATER = 2_000
NAMES = st.integers(0, 30).map("n:{}".format)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), NAMES, st.sampled_from([NOW, LATER])),
        st.tuples(st.just("remove"), NAMES, st.just(0)),
        st.tuples(st.just("sweep"), st.just(""), st.just(0)),
        st.tuples(st.just("clear"), st.just(""), st.just(0)),
    ),
    max_size=300,
)


def unit(number: int, dimension: int = 4) -> Vector:
    vector = np.random.default_rng(number).standard_normal(dimension).astype(np.float32)
    return vector / np.linalg.norm(vector)


def found(partition: Partition) -> set[str]:
    """What a search finds that finds everything."""
    view = partition.view()
    return {each.name for each in nearest(view, unit(0), 10_000, -1.1, NOW)}


@given(steps=STEPS)
def test_it_holds_what_was_put_and_neither_removed_nor_expired(
    steps: list[tuple[str, str, int]],
) -> None:
    partition, expected = Partition(4, 10_000), dict[str, int]()
    for number, (step, name, expires) in enumerate(steps):
        match step:
            case "put":
                partition.put(name, unit(number), expires)
                expected[name] = expires
            case "remove":
                assert partition.remove(name) == (expected.pop(name, None) is not None)
            case "sweep":
                old = {name for name, at in expected.items() if at <= NOW}
                assert set(partition.sweep(NOW)) == old
                expected = {name: at for name, at in expected.items() if at > NOW}
            case _:
                partition.clear()
                expected.clear()
    assert len(partition) == len(expected)
    assert all(name in partition for name in expected)
    assert found(partition) == {name for name, at in expected.items() if at > NOW}


def test_a_new_vector_takes_the_place_of_the_old_one() -> None:
    partition = Partition(4, 10_000)
    partition.put("a:1", unit(1), LATER)
    partition.put("a:1", unit(2), LATER)
    (best,) = nearest(partition.view(), unit(2), 9, -1, NOW)
    assert best.similarity > 0.999


def test_who_searches_sees_the_moment_at_which_it_began() -> None:
    partition = Partition(4, 10_000)
    for number in range(FIRST_ROWS):
        partition.put(f"a:{number}", unit(number), LATER)
    view = partition.view()
    partition.put("a:0", unit(99), LATER)
    for number in range(1, FIRST_ROWS):  # so many that they are compacted
        partition.remove(f"a:{number}")
    partition.put("b:1", unit(100), LATER)
    seen = nearest(view, unit(7), 1000, -1.1, NOW)
    assert {each.name for each in seen} <= {f"a:{number}" for number in range(FIRST_ROWS)}
    assert found(partition) == {"a:0", "b:1"}


def test_memory_of_what_was_removed_is_given_back() -> None:
    partition = Partition(4, 10_000)
    for number in range(4 * FIRST_ROWS):
        partition.put(f"a:{number}", unit(number), LATER)
    before = partition.bytes
    for number in range(4 * FIRST_ROWS - 10):
        partition.remove(f"a:{number}")
    assert partition.rows < 2 * FIRST_ROWS
    assert partition.bytes < before / 4
    assert len(found(partition)) == 10


def test_slabs_double_up_to_a_bound_and_never_move() -> None:
    partition = Partition(4, 10**9)
    vector = unit(1)
    for number in range(3 * MAX_ROWS):
        partition.put(f"a:{number}", vector, LATER)
    spans = partition.view()
    sizes = [len(span.rows) for span in spans]
    assert sizes[0] == FIRST_ROWS
    assert max(sizes) == MAX_ROWS
    assert sum(sizes) == 3 * MAX_ROWS
    partition.put("b:1", vector, LATER)
    again = partition.view()
    assert all(a.rows.base is b.rows.base for a, b in zip(spans[:-1], again, strict=False))


def test_only_large_partitions_want_sketches_and_get_them_once() -> None:
    partition = Partition(96, 4 * FIRST_ROWS)
    for number in range(4 * FIRST_ROWS):
        assert not partition.wants_sketches
        partition.put(f"a:{number}", unit(number, 96), LATER)
    assert partition.wants_sketches
    before = partition.bytes
    partition.sketch()
    assert not partition.wants_sketches
    assert before < partition.bytes < 2 * before
    assert [span.sketch is not None for span in partition.view()] == [True] * 3
