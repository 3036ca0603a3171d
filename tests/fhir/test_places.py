"""Reads wait for a place in the order in which they came, and none is ever lost."""

import asyncio

from cds_service.fhir.places import Places


def test_whoever_waited_longest_is_next():
    async def run():
        places, served = Places(1), []

        async def read(name):
            assert await places.take(5)
            served.append(name)
            await asyncio.sleep(0)
            places.give_back()

        await asyncio.gather(*(read(name) for name in "abcdef"))
        return served, places._value

    assert asyncio.run(run()) == (list("abcdef"), 1)


def test_patience_ends_and_the_place_goes_to_somebody_else():
    async def run():
        places = Places(1)
        assert await places.take(1)
        assert not await places.take(0.01)
        late = asyncio.create_task(places.take(5))
        await asyncio.sleep(0)
        places.give_back()
        assert await late
        places.give_back()
        return places._value

    assert asyncio.run(run()) == 1


def test_a_caller_that_goes_away_as_its_turn_comes_passes_the_place_on():
    async def run():
        places = Places(1)
        assert await places.take(1)
        gone = asyncio.create_task(places.take(5))
        await asyncio.sleep(0)
        places.give_back()
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        return places._value

    assert asyncio.run(run()) == 1


def test_places_are_given_back_by_threads_and_awaited_in_other_loops():
    places = Places(2)

    async def read():
        assert await places.take(5)
        asyncio.get_running_loop().run_in_executor(None, places.give_back)

    async def many():
        await asyncio.gather(*(read() for _ in range(200)))

    for _ in range(3):
        asyncio.run(many())
    assert places._value == 2
