"""Says one thing to a Redis after another, over a login or none, and prints what it answers.

Standard input: `{"url", "username"?, "password"?, "commands": [[...], ...]}`; output: a JSON list
of texts, of which a refusal begins with `error`.
"""

import json
import sys

import redis


def main() -> None:
    asked = json.load(sys.stdin)
    client = redis.Redis.from_url(
        asked["url"],
        username=asked.get("username"),
        password=asked.get("password"),
        protocol=2,  # so that the first words are ours, and not HELLO
        socket_timeout=5,
        socket_connect_timeout=5,
    )
    json.dump([say(client, command) for command in asked["commands"]], sys.stdout)


def say(client: redis.Redis, command: list[str]) -> str:
    try:
        return str(client.execute_command(*command))  # type: ignore[no-untyped-call]  # redis-py
    except redis.RedisError as error:
        return f"error {type(error).__name__}: {error}"


if __name__ == "__main__":
    main()
