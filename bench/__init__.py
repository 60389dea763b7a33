"""Speed and memory, as ratios in one run: never absolute promises, never asserted in tests."""
