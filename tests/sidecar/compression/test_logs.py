"""A few lines stand for many that are alike, and every odd one stays."""

import pytest

from penstock_sidecar.compression.logs import fewer_lines, without_blobs

HANDLED = [
    f"12:00:{n:02d} INFO handled order {9000 + n} in {20 + n * 7 % 13} ms" for n in range(40)
]


def told(lines: list[str], question: str = "") -> list[str]:
    return fewer_lines("\n".join(lines), question).split("\n")


def test_first_and_last_stay_and_the_rest_is_counted() -> None:
    lines = [f"INFO step {n} done" for n in range(30)]
    assert told(lines) == ["INFO step 0 done", "[28 more like these]", "INFO step 29 done"]


@pytest.mark.parametrize(
    "begin",
    [
        "2026-03-09T04:00:00Z INFO",
        "2026-03-09 04:00:00,123 INFO",
        "2026/03/09 04:00:00",
        "09-Mar-2026 04:00:00",
        "[2026-03-09 04:00:00.123]",
        "[Mon Mar  9 04:00:00.12 2026]",
        "Mar  9 04:00:00 host app[12]:",
        "I0309 04:00:00.123456",
        "web-1  | 04:00:00",
        "[pod/web-0/app] 2026-03-09T04:00:00+01:00",
        '10.0.0.7 - ann [09/Mar/2026:04:00:00 +0000] "GET /"',
        "[   12.345678] usb",
        "NOTICE ",
        "[info]",
        "time=2026-03-09 level=info",
    ],
)
def test_lines_of_a_log_begin_with_a_time_or_a_level(begin: str) -> None:
    assert "more like these]" in fewer_lines("\n".join(f"{begin} order {n}" for n in range(9)), "")


@pytest.mark.parametrize(
    "line",
    [
        "{n},{n}.5,7",
        "[{n}, 0.5],",
        "INSERT INTO t VALUES ({n}, 'a');",
        "({n}, '2026-03-09 04:00:00'),",
        "2026-03-09T04:00:00Z,{n}",
        "04:00:00,{n}",
        "04:00:00 | {n} | x",
        "00:00:{n}0,500 --> 00:00:{n}1,000",
        "INFO = {n}",
        "x{n} = f({n})",
        "assert_eq!(f({n}), {n});",
        "| {n} | 04:00:00 |",
        "    04:00:00 {n}",
    ],
)
def test_rows_of_code_and_data_stay(line: str) -> None:
    lines = [line.format(n=n) for n in range(9)]
    assert told(lines) == lines


def test_the_least_and_the_greatest_of_each_figure_stay() -> None:
    lines = HANDLED.copy()
    lines[17] = "12:00:17 INFO handled order 9017 in 8811 ms"
    left = told(lines)
    assert lines[17] in left
    assert len(left) < len(lines) / 2


def test_trouble_stays() -> None:
    lines = [f"12:00:00 job {n} failed" for n in range(30)]
    assert told(lines) == lines


def test_what_was_asked_for_stays() -> None:
    assert HANDLED[23] in told(HANDLED, "what became of order 9023?")
    assert HANDLED[23] not in told(HANDLED, "what became of order 9024?")


def test_lines_that_are_unlike_all_others_stay_in_their_order() -> None:
    odd = ["listening on all interfaces", "leader elected"]
    left = told([odd[0], *HANDLED, odd[1]])
    assert (left[0], left[-1]) == (odd[0], odd[1])


def test_how_many_are_left_out_is_what_is_missing() -> None:
    left = told(HANDLED)
    missing = sum(int(line[1:].split()[0]) for line in left if line.startswith("["))
    kept = [line for line in left if not line.startswith("[")]
    assert len(kept) + missing == len(HANDLED)
    assert [line for line in HANDLED if line in kept] == kept


def test_a_few_lines_are_left_alone() -> None:
    assert told(HANDLED[:4]) == HANDLED[:4]


def test_binary_data_in_letters_goes() -> None:
    assert without_blobs(f"cert: {'QUJD' * 300} end") == "cert: [1200 characters of data] end"


def test_much_of_the_same_takes_no_time() -> None:
    """Minutes, where each word's beginning would be read to the end."""
    line = f"12:00:00 1 {'abcd-' * 50_000}"
    assert fewer_lines(f"{line}\n" * 5, "").count(line) == 2


@pytest.mark.parametrize(
    "text",
    [
        f"    KEY = '{'QUJD' * 300}'",
        f'{{"next_page_token":"{"Ab9-" * 90}"}}',
        f"https://files.example.com/a?token={'Ab9%2F' * 300}{'QUJD' * 400}&part=2",
        f'{{"value":{2**4000}}}',
    ],
)
def test_tokens_addresses_and_numbers_stay(text: str) -> None:
    assert without_blobs(text) == text
