"""Who gets a place, who waits and who is turned away (fault F31, threat T27), on an event loop of its own."""

import asyncio

import pytest

from cds_service.errors import Overloaded, TooManyCalls
from cds_service.load.admission import Admission, rank_of
from cds_service.load.rates import Rates

SIGN, SELECT, VIEW = rank_of("order-sign"), rank_of("order-select"), rank_of("patient-view")


def admission(**changes):
    options = {"calls": 1, "waiting": 3, "rate": 0, "patience": 5.0, "body_bytes": 100} | changes
    return Admission(**options)


class Clinic:
    """Calls that ask for a place, and the order in which they get one."""

    def __init__(self, **changes):
        self.admission = admission(**changes)
        self.served = []
        self.refused = []

    async def call(self, name, rank):
        try:
            await self.admission.enter(rank)
        except Overloaded:
            self.refused.append(name)
            return
        self.served.append(name)

    async def arrive(self, *calls):
        """One after the other, each seen before the next; the tasks."""
        tasks = []
        for name, rank in calls:
            tasks.append(asyncio.create_task(self.call(name, rank)))
            await settle()
        return tasks


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


def test_hooks_in_order_of_what_cannot_be_made_good_later():
    assert rank_of("order-sign") < rank_of("order-select") == rank_of("medication-refill")
    assert rank_of("medication-refill") < rank_of("patient-view") == rank_of("encounter-discharge")
    assert rank_of("no-such-hook") == rank_of(None) == rank_of("patient-view")


def test_F31_order_sign_goes_before_what_came_earlier():
    async def run():
        clinic = Clinic()
        await clinic.arrive(("first", VIEW), ("view", VIEW), ("select", SELECT), ("sign", SIGN))
        for _ in range(4):
            clinic.admission.leave()
            await settle()
        return clinic.served

    assert asyncio.run(run()) == ["first", "sign", "select", "view"]


def test_F31_a_full_queue_turns_away_the_least_urgent_and_at_once():
    async def run():
        clinic = Clinic()
        await clinic.arrive(("busy", VIEW), ("view 1", VIEW), ("view 2", VIEW), ("select", SELECT))
        assert clinic.admission.full(VIEW)
        assert not clinic.admission.full(SIGN)
        await clinic.arrive(("view 3", VIEW), ("sign 1", SIGN), ("sign 2", SIGN), ("sign 3", SIGN))
        early = list(clinic.refused)
        await clinic.arrive(("sign 4", SIGN))
        assert clinic.admission.full(SIGN)
        for _ in range(4):
            clinic.admission.leave()
            await settle()
        return clinic.served, early, clinic.refused[len(early) :]

    served, early, late = asyncio.run(run())
    assert early == ["view 3", "view 2", "view 1", "select"], "the latest of the lowest rank goes first"
    assert late == ["sign 4"]
    assert served == ["busy", "sign 1", "sign 2", "sign 3"]


def test_F31_nobody_waits_longer_than_patience_and_the_place_is_not_lost():
    async def run():
        clinic = Clinic(patience=0.02)
        await clinic.arrive(("busy", VIEW), ("late", SIGN))
        await asyncio.sleep(0.05)
        assert (clinic.refused, clinic.admission.waiting) == (["late"], 0)
        clinic.admission.leave()
        await clinic.arrive(("next", VIEW))
        return clinic.served, clinic.admission.busy

    assert asyncio.run(run()) == (["busy", "next"], 1)


def test_F38_a_caller_who_leaves_the_queue_gives_up_its_place():
    async def run():
        clinic = Clinic()
        _, gone = await clinic.arrive(("busy", VIEW), ("gone", SIGN))
        gone.cancel()
        await settle()
        await clinic.arrive(("view", VIEW))
        clinic.admission.leave()
        # Given a place and gone in the same moment.
        (_, last) = await clinic.arrive(("at once", SIGN), ("last", SIGN))
        clinic.admission.leave()
        last.cancel()
        await settle()
        clinic.admission.leave()
        await settle()
        return clinic.served, clinic.admission.busy, clinic.admission.waiting

    served, busy, waiting = asyncio.run(run())
    assert (busy, waiting) == (0, 0)
    assert "gone" not in served


def test_F31_no_more_than_the_limit_are_ever_in_progress():
    async def run():
        limited = admission(calls=3, waiting=100)
        most = 0

        async def call(number):
            nonlocal most
            await limited.enter(number % 3)
            most = max(most, limited.busy)
            await asyncio.sleep(0.001)
            limited.leave()

        await asyncio.gather(*(call(number) for number in range(60)))
        return most, limited.busy, limited.waiting

    assert asyncio.run(run()) == (3, 0, 0)


def test_F31_calls_begin_apart_so_that_others_are_heard_in_between():
    async def run():
        crowd = admission(calls=100, waiting=100)
        began, heard = [], []
        loop = asyncio.get_running_loop()

        async def call():
            await crowd.enter(SIGN)
            began.append(len(heard))

        def listen():
            heard.append(True)
            if len(began) < 50:
                loop.call_soon(listen)

        tasks = [asyncio.create_task(call()) for _ in range(50)]
        loop.call_soon(listen)
        await asyncio.gather(*tasks)
        return began

    began = asyncio.run(run())
    assert max(began.count(round_) for round_ in began) <= 2


def test_T16_bodies_are_held_within_a_budget():
    held = admission(body_bytes=100)
    held.hold(60)
    with pytest.raises(Overloaded):
        held.hold(41)
    held.hold(40)
    held.free(100)
    held.hold(100)


def test_T27_a_client_has_a_rate_a_burst_and_a_second_chance():
    now = 0.0
    rates = Rates(10, clock=lambda: now)

    def taken(client, tries):
        number = 0
        for _ in range(tries):
            try:
                rates.take(client)
            except TooManyCalls:
                continue
            number += 1
        return number

    assert taken("noisy", 50) == 20
    assert taken("quiet", 5) == 5, "another client's flood is none of its business"
    now = 0.1
    assert taken("noisy", 50) == 1
    now = 60.0
    assert taken("noisy", 50) == 20
