"""Slots, views and redirects, without a server."""

import pytest
from redis.crc import key_slot

from penstock_sidecar.redis_store.slots import redirect, slot_of, slot_of_command, view

ASKED = ("10.0.0.9", 7000)
INFO = b"cluster_state:ok\r\ncluster_current_epoch:6\r\ncluster_my_epoch:2\r\n"


@pytest.mark.parametrize(
    "key", ["foo", "{user}:a", "x{user}y", "{}rest", "a{}{b}", "{unclosed", "a}b{c}", "ü{ö}"]
)
def test_slots_are_those_of_redis(key: str) -> None:
    assert slot_of(key) == slot_of(key.encode()) == key_slot(key.encode())


def test_a_commands_first_argument_is_its_key_but_for_the_few_without() -> None:
    assert slot_of_command(("GET", "k")) == slot_of_command((b"set", b"k", 1)) == slot_of("k")
    assert slot_of_command(("PING",)) is None
    assert slot_of_command(("info", "server")) is None


def test_a_view_names_the_owner_of_each_slot() -> None:
    rows = [[0, 1, [b"10.0.0.1", 7001, b"id"], [b"10.0.0.2", 7002, b"replica"]]]
    rows += [[2, 2, [b"", 7003, b"id"]], [3, 3, [None, 7004, b"id"]], [4, 4, [b"?", 7005, b"id"]]]
    seen = view(INFO, rows, ASKED)
    assert seen.table()[:6] == [
        ("10.0.0.1", 7001),
        ("10.0.0.1", 7001),
        ("10.0.0.9", 7003),
        ("10.0.0.9", 7004),
        ("10.0.0.9", 7005),
        None,
    ]
    assert len(seen.table()) == 16384


def test_a_view_of_a_whole_cluster_beats_a_newer_one_of_half_of_it() -> None:
    cut_off = INFO.replace(b":ok", b":fail").replace(b":6", b":9")
    newer = INFO.replace(b":6", b":7")
    views = [view(info, [], ASKED) for info in (cut_off, INFO, newer)]
    assert max(views, key=lambda v: v.larger) is views[2]


def test_a_view_without_an_epoch_is_the_oldest() -> None:
    assert view(b"", [], ASKED).larger == (False, 0)


@pytest.mark.parametrize(("info", "slots"), [(None, []), (INFO, b"OK"), (INFO, [[1, 2]])])
def test_what_is_no_view_is_refused(info: object, slots: object) -> None:
    with pytest.raises(ValueError, match="no "):
        view(info, slots, ASKED)


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("MOVED 3999 10.0.0.1:6381", ("10.0.0.1", 6381)),
        ("ASK 3999 redis-2.svc:6381", ("redis-2.svc", 6381)),
        ("MOVED 3999 ::1:6381", ("::1", 6381)),
        ("MOVED 3999 :6381", ("10.0.0.9", 6381)),
        ("MOVED 3999 ?:6381", ("10.0.0.9", 6381)),
        ("OOM command not allowed", None),
    ],
)
def test_redirects_are_read(text: str, endpoint: tuple[str, int] | None) -> None:
    assert redirect(text, ASKED) == endpoint
