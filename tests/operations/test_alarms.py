"""Time limits ring when they are due, never when what they watch has ended, and cancel nothing else."""

import asyncio

import pytest
import uvloop

from cds_service.alarms import clear_alarm, set_alarm, time_limit


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request):
    return request.param


class Bell:
    """Notes its name when it rings."""

    def __init__(self, name, rung):
        self.name, self.rung = name, rung

    def __call__(self):
        self.rung.append(self.name)


def test_alarms_ring_when_due_whatever_the_order_in_which_they_were_set(run):
    async def bells():
        rung = []
        cleared = Bell("cleared", rung)
        set_alarm(0.1, Bell("late", rung))
        set_alarm(0.02, Bell("soon", rung))
        set_alarm(0.03, cleared)
        clear_alarm(cleared)
        clear_alarm(Bell("never set", rung))
        await asyncio.sleep(0.05)
        early = list(rung)
        await asyncio.sleep(0.1)
        return early, rung

    assert run(bells()) == (["soon"], ["soon", "late"])
    # Another event loop in the same thread has alarms of its own.
    assert run(bells()) == (["soon"], ["soon", "late"])


def test_an_alarm_may_be_set_beside_one_that_is_due_at_once(run):
    async def bells():
        rung = []
        set_alarm(0, Bell("at once", rung))
        set_alarm(0.01, Bell("soon", rung))
        await asyncio.sleep(0.05)
        return rung

    assert run(bells()) == ["at once", "soon"]


def test_what_takes_too_long_is_a_timeout(run):
    async def slow():
        with time_limit(0.02):
            await asyncio.sleep(30)

    with pytest.raises(TimeoutError):
        run(slow())


def test_what_ends_in_time_is_left_alone(run):
    async def quick():
        with time_limit(0.02):
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        return asyncio.current_task().cancelling()

    assert run(quick()) == 0


def test_anothers_cancellation_stays_a_cancellation(run):
    async def limited():
        with time_limit(30):
            await asyncio.sleep(30)

    async def cancelled():
        task = asyncio.create_task(limited())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return task.cancelled()

    assert run(cancelled())


def test_a_limit_needs_a_task(run):
    def outside(answer):
        with pytest.raises(RuntimeError, match="task"), time_limit(1):
            pass
        answer.set_result(True)

    async def in_a_callback():
        answer = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(outside, answer)
        return await answer

    assert run(in_a_callback())
