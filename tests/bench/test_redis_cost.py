"""What Redis counted becomes microseconds per request, and ratios."""

import pytest

from bench.redis_cost import Batch, ServerCost, Spent, cheapest, command_table, cost_table, parsed

INFO = {
    "cmdstat_evalsha": {"calls": 400, "usec": 12_000, "usec_per_call": 30.0},
    "cmdstat_hmget": {"calls": 800, "usec": 1_000},
    "cmdstat_hset": {"calls": 500, "usec": 3_000},
    "cmdstat_config|resetstat": {"calls": 1, "usec": 70},
    "cmdstat_info": {"calls": 1, "usec": 90},
    "cmdstat_slowlog|get": {"calls": 1, "usec": 90},
}
BOOKED = Batch(100, parsed(INFO))


def batch(command: str, microseconds: int) -> Batch:
    return Batch(100, {command: Spent(400, microseconds)})


def cost(server: str = "system 7") -> ServerCost:
    scripts = {"acquire namespace": 40.4, "settle provider": 20.5}
    return ServerCost(server, BOOKED, batch("evalsha", 600), batch("incrby", 48), scripts)


def row(table: str, first: str) -> list[str]:
    (found,) = [line for line in table.splitlines() if line.startswith(f"| {first} |")]
    return [cell.strip() for cell in found.strip("|").split("|")]


def test_what_the_measurement_itself_sends_is_not_counted() -> None:
    assert set(BOOKED.commands) == {"evalsha", "hmget", "hset"}


def test_costs_are_per_request_and_a_scripts_commands_count_once() -> None:
    assert (BOOKED.script_us, BOOKED.calls) == (120, 4)
    assert BOOKED.lua_us == pytest.approx(120 - 10 - 30)
    assert BOOKED.us_of("hmget") == 10
    assert BOOKED.us_of("zadd") == 0


def test_what_scripts_call_is_listed_dearest_first() -> None:
    assert [name for name, _ in BOOKED.called()] == ["hset", "hmget"]


def test_the_cheapest_batch_is_that_of_the_command_asked_for() -> None:
    batches = [batch("evalsha", 500), batch("evalsha", 300), batch("evalsha", 400)]
    assert cheapest(batches, "evalsha") is batches[1]


def test_the_table_sets_the_cost_beside_its_floors() -> None:
    table = cost_table([cost()])
    header, cells = row(table, "server"), row(table, "system 7")
    assert dict(zip(header, cells, strict=True)) == {
        "server": "system 7",
        "us/request": "120.0",
        "by medians": "61",
        "scripts/request": "4.0",
        "x empty script": "20.0",
        "x INCRBY": "250.0",
        "Lua us": "80.0",
        "acquire namespace us": "40",
        "settle provider us": "20",
    }


def test_a_server_that_does_not_call_a_command_has_an_empty_cell() -> None:
    other = ServerCost("valkey", batch("zadd", 200), BOOKED, batch("incrby", 1), {})
    table = command_table([cost(), other])
    assert row(table, "hset") == ["hset", "5.0 x, 30.0 us", ""]
    assert row(table, "zadd") == ["zadd", "", "4.0 x, 2.0 us"]
