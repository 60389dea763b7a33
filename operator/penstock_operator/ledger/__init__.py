"""What was spent, read from Redis, and its users; the only package here that knows Redis.

address <- store <- reading | restoring | housekeeping     talk to it
address <- nodes <- users                                   on every server
account <- figures <- alerts <- page | login                decide: pure
"""
