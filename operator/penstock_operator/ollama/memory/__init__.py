"""How much GPU memory a model takes: `estimate.need_of`. Does no I/O but read its own table."""
