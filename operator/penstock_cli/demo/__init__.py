"""`penstock demo`: what Penstock does, shown by real requests and checked on the way."""
