"""What a request costs, before and after: pure."""
