"""The table of lookups by meaning says what was measured."""

from bench.semantic import Looked, semantic_table


def test_percentiles_and_ratios_are_those_of_the_row() -> None:
    bare, known = [4.0] * 100, [1.0] * 90 + [9.0] * 10
    row = Looked(10_000, "as shipped", 0.5, bare, [6.0] * 100, known, 250.4)
    cells = [cell.strip() for cell in semantic_table([row]).splitlines()[2].split("|")[1:-1]]
    assert cells[:2] == ["10,000", "as shipped"]
    assert cells[2:8] == ["4.0", "4.0", "6.0", "6.0", "1.0", "9.0"]
    assert cells[8:] == ["5.0", "1.50", "0.25", "0.5", "250"]
