"""What was spent goes back to a Redis that lost it: on real servers."""

import redis.asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock_operator.ledger.account import Account, SumKey
from penstock_operator.ledger.reading import read
from penstock_operator.ledger.restoring import PATIENCE_SECONDS, Restorer
from penstock_operator.ledger.store import Store
from tests.operator.ledger.accounts import DAY, NOON, USD, account, provider_wide

TODAY: SumKey = ("daily", DAY)


class Clock:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


async def settled(books: redis.asyncio.Redis, who: Account) -> int:
    (book,) = who.books
    return int(await books.hget(book.group.state, book.field(TODAY, "S")) or 0)


async def restore(store: Store, restorer: Restorer, who: Account, micro: int) -> bool:
    (book,) = who.books
    return await restorer.restore({book: {TODAY: micro}}, await read(store, [who], NOON))


async def test_after_a_loss_it_is_back_at_once_and_nothing_is_admitted_for_a_while(
    store: Store, books: redis.asyncio.Redis
) -> None:
    who = account()
    assert not await restore(store, Restorer(store, Clock()), who, 4 * USD)
    assert await settled(books, who) == 4 * USD
    epoch, learning, sequence = await books.hmget(
        who.books[0].group.state, "@epoch", "@learning", "@seq"
    )
    seconds, _ = await books.time()
    assert 0 < int(str(epoch)) < 2**53
    assert int(str(learning)) > int(seconds) * 1_000_000
    assert sequence == "1"


async def test_a_book_that_no_script_can_add_to_keeps_no_other_from_being_restored(
    store: Store, books: redis.asyncio.Redis
) -> None:
    """Whoever has a namespace's login may write anything into its own books."""
    who = account(*provider_wide("shop/a", "shop/b"))
    broken, whole = who.books
    await books.hset(broken.group.state, mapping={"@epoch": 7, "@learning": "soon"})
    known = {book: {TODAY: 4 * USD} for book in who.books}
    await Restorer(store, Clock()).restore(known, await read(store, [who], NOON))
    assert await books.hget(whole.group.state, whole.field(TODAY, "S")) == str(4 * USD)
    assert await books.hget(broken.group.state, broken.field(TODAY, "S")) is None


async def test_another_operators_restoring_changes_nothing(
    store: Store, books: redis.asyncio.Redis
) -> None:
    who = account()
    await restore(store, Restorer(store, Clock()), who, 4 * USD)
    before = await books.hgetall(who.books[0].group.state)
    await restore(store, Restorer(store, Clock()), who, 4 * USD)
    assert await books.hgetall(who.books[0].group.state) == before


async def test_after_a_failover_live_sidecars_go_first(
    store: Store, books: redis.asyncio.Redis
) -> None:
    """They add what was missed to what is there: raised before, it would count twice."""
    who, clock = account(), Clock()
    (book,) = who.books
    await books.hset(book.group.state, mapping={"@epoch": 7, book.field(TODAY, "S"): USD})
    restorer = Restorer(store, clock)
    assert await restore(store, restorer, who, 4 * USD), "come again soon"
    assert await settled(books, who) == USD
    clock.at += PATIENCE_SECONDS
    await books.hincrby(book.group.state, book.field(TODAY, "S"), 2 * USD)
    assert not await restore(store, restorer, who, 4 * USD)
    assert await settled(books, who) == 4 * USD
    assert await books.hmget(book.group.state, "@epoch", "@learning") == ["7", None]


async def test_patience_begins_anew_with_each_loss(
    store: Store, books: redis.asyncio.Redis
) -> None:
    who, clock = account(), Clock()
    (book,) = who.books
    await books.hset(book.group.state, mapping={"@epoch": 7, book.field(TODAY, "S"): USD})
    restorer = Restorer(store, clock)
    assert await restore(store, restorer, who, 2 * USD)
    await books.hset(book.group.state, book.field(TODAY, "S"), 2 * USD)
    clock.at += PATIENCE_SECONDS
    assert not await restore(store, restorer, who, 2 * USD)
    await books.hset(book.group.state, book.field(TODAY, "S"), USD)
    assert await restore(store, restorer, who, 2 * USD)
    assert await settled(books, who) == USD


async def test_a_period_that_ended_is_no_loss(store: Store, books: redis.asyncio.Redis) -> None:
    who = account()
    (book,) = who.books
    reading = await read(store, [who], NOON)
    assert not await Restorer(store, Clock()).restore({book: {("daily", "20261101"): USD}}, reading)
    assert not await books.exists(book.group.state)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None
)
@given(st.integers(0, 2**53 - 1), st.integers(0, 2**53 - 1), st.booleans(), st.booleans())
async def test_a_sum_only_grows_and_exactly(
    store: Store, books: redis.asyncio.Redis, there: int, known: int, lost: bool, waited: bool
) -> None:
    who, clock = account(), Clock()
    (book,) = who.books
    await books.delete(book.group.state)
    await books.hset(book.group.state, book.field(TODAY, "S"), there)
    if not lost:
        await books.hset(book.group.state, "@epoch", 1)
    restorer = Restorer(store, clock)
    await restore(store, restorer, who, known)
    if waited:
        clock.at += PATIENCE_SECONDS
        await restore(store, restorer, who, known)
    wanted = max(there, known) if lost or waited else there
    assert await settled(books, who) == wanted
