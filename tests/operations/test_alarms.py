"""Time limits ring when they are due, never when what they watch has ended, and cancel nothing else."""

import asyncio

import pytest

from cds_service.alarms import clear_alarm, set_alarm, time_limit


def test_alarms_ring_when_due_whatever_the_order_in_which_they_were_set():
    async def run():
        rung = []
        for name, seconds in (("late", 0.06), ("soon", 0.02), ("cleared", 0.03)):
            set_alarm(seconds, rings[name])
            rings_of[rings[name]] = (rung, name)
        clear_alarm(rings["cleared"])
        clear_alarm(rings["never set"])
        await asyncio.sleep(0.04)
        early = list(rung)
        await asyncio.sleep(0.06)
        return early, rung

    rings_of = {}

    def ring(name):
        def ringing():
            rung, known = rings_of[rings[name]]
            rung.append(known)

        return ringing

    rings = {name: ring(name) for name in ("late", "soon", "cleared", "never set")}
    assert asyncio.run(run()) == (["soon"], ["soon", "late"])
    # Another event loop in the same thread has alarms of its own.
    assert asyncio.run(run()) == (["soon"], ["soon", "late"])


def test_what_takes_too_long_is_a_timeout():
    async def run():
        with time_limit(0.02):
            await asyncio.sleep(30)

    with pytest.raises(TimeoutError):
        asyncio.run(run())


def test_what_ends_in_time_is_left_alone():
    async def run():
        with time_limit(0.02):
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        return asyncio.current_task().cancelling()

    assert asyncio.run(run()) == 0


def test_anothers_cancellation_stays_a_cancellation():
    async def run():
        task = asyncio.create_task(limited())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return task.cancelled()

    async def limited():
        with time_limit(30):
            await asyncio.sleep(30)

    assert asyncio.run(run())


def test_a_limit_needs_a_task():
    async def run():
        loop = asyncio.get_running_loop()
        failed = loop.create_future()
        loop.call_soon(lambda: failed.set_result(_enters()))
        return await failed

    def _enters():
        with pytest.raises(RuntimeError, match="task"), time_limit(1):
            pass
        return True

    assert asyncio.run(run())
