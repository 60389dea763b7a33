"""What was spent, read from Redis; the only package of the operator that knows Redis.

address <- store <- reading | restoring | housekeeping     talk to it
account <- figures <- alerts <- page                        decide: pure
"""
