"""The key cache: one fetch a minute at most, never in the way, old keys while the other end is down."""

import asyncio
import json
import threading

import pytest
from token_maker import jwk, key_set, profile

from cds_service.clients import keys as keys_module
from cds_service.clients.keys import KeyCache

PINNED = "https://ehr.example.org/jwks.json"
PROFILE = profile(jwks_url=PINNED)


class Endpoint:
    """A key set address whose answer can change, with a clock beside it."""

    def __init__(self, *kids):
        self.answer = {"keys": [jwk("ES384", kid=kid) for kid in kids]}
        self.fetched = []
        self.now = 1000.0
        self.cache = KeyCache(self.fetch, clock=lambda: self.now)

    def fetch(self, url):
        self.fetched.append(url)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()

    async def find(self, kid, after=0.0):
        self.now += after
        key = await self.cache.find(PROFILE, kid)
        # Let a fetch in the background finish.
        task = self.cache._of(PROFILE).task
        if task is not None:
            await task
        return key


def run(scenario):
    return asyncio.run(scenario)


def test_inline_keys_need_no_fetch():
    end = Endpoint()

    async def scenario():
        inline = profile()
        return await end.cache.find(inline, "ES384"), await end.cache.find(inline, "other")

    found, missing = run(scenario())
    assert found.kid == "ES384"
    assert missing is None
    assert end.fetched == []


def test_the_first_caller_waits_for_the_keys():
    end = Endpoint("one")
    assert run(end.find("one")).kid == "one"
    assert end.fetched == [PINNED]


def test_warming_fetches_before_anybody_calls():
    end = Endpoint("one")

    async def scenario():
        await end.cache.warm([PROFILE, profile(id="inline")])
        return await end.cache.find(PROFILE, "one")

    assert run(scenario()) is not None
    assert len(end.fetched) == 1
    run(end.cache.warm([]))


def test_a_rotated_key_is_found_after_a_minute():
    end = Endpoint("old")

    async def scenario():
        assert await end.find("old")
        end.answer = key_set("ES384") | {"keys": [jwk("ES384", kid="new")]}
        assert await end.find("new", after=30) is None
        assert await end.find("new", after=31)
        # What the client has withdrawn is gone.
        assert await end.find("old", after=1) is None

    run(scenario())
    assert len(end.fetched) == 2


def test_an_absent_key_is_not_asked_for_again_and_again():
    end = Endpoint("one")

    async def scenario():
        await end.find("absent")
        for _ in range(4):
            assert await end.find("absent", after=61) is None
        assert len(end.fetched) == 1
        assert await end.find("absent", after=61) is None
        assert len(end.fetched) == 2

    run(scenario())


def test_the_memory_of_absent_keys_is_bounded(monkeypatch):
    monkeypatch.setattr(keys_module, "MAX_ABSENT", 3)
    end = Endpoint("one")

    async def scenario():
        for number in range(10):
            await end.find(f"absent-{number}", after=61)
            # A successful fetch forgets; a row of absent keys within one fetch must not grow either.
        keys = end.cache._of(PROFILE)
        for number in range(10):
            end.cache._note_absent(keys, f"k{number}", 0.0)
        assert len(keys.absent) == 3

    run(scenario())


def test_aged_keys_are_renewed_in_the_background():
    end = Endpoint("one")

    async def scenario():
        await end.find("one")
        end.now += 3601
        key = await end.cache.find(PROFILE, "one")
        assert key is not None
        assert len(end.fetched) == 1
        await end.cache._of(PROFILE).task
        assert len(end.fetched) == 2

    run(scenario())


@pytest.mark.parametrize(
    "answer",
    [
        OSError("down"),
        b"<html>",
        b'{"keys": []}',
        b"[]",
        b"x" * 300_000,
        json.dumps({"keys": [{"kty": "oct"}]}).encode(),
    ],
    ids=["down", "html", "no-keys", "list", "too-large", "unusable"],
)
def test_F35_old_keys_stay_while_the_address_fails_for_a_day(answer):
    end = Endpoint("one")

    async def scenario():
        await end.find("one")
        end.answer = answer
        assert await end.find("one", after=3601)
        assert await end.find("one", after=3600 * 20)
        status = end.cache.status()["st-mary"]
        assert status.keys == 1
        assert status.failures == 2
        assert status.last_error_class
        assert status.age_s > 3600 * 20
        # A day without news: the client may have withdrawn the key long ago.
        assert await end.find("one", after=3600 * 4) is None
        end.answer = key_set("ES384") | {"keys": [jwk("ES384", kid="one")]}
        assert await end.find("one", after=61)
        assert end.cache.status()["st-mary"].failures == 0

    run(scenario())


def test_a_failing_address_is_tried_once_a_minute():
    end = Endpoint()
    end.answer = OSError("down")

    async def scenario():
        for _ in range(50):
            assert await end.find("one", after=1) is None
        assert len(end.fetched) == 1
        await end.find("one", after=60)
        assert len(end.fetched) == 2

    run(scenario())


def test_a_slow_address_holds_nobody_up(monkeypatch):
    monkeypatch.setattr(keys_module, "WAIT_S", 0.05)
    answered = threading.Event()
    body = json.dumps(key_set("ES384")).encode()

    def slow(_):
        answered.wait(5)
        return body

    cache = KeyCache(slow)

    async def scenario():
        assert await asyncio.wait_for(cache.find(PROFILE, "ES384"), 1) is None
        answered.set()
        await cache._of(PROFILE).task
        return await cache.find(PROFILE, "ES384")

    assert run(scenario()) is not None
    cache.close()


def test_concurrent_callers_share_one_fetch():
    end = Endpoint("one")

    async def scenario():
        return await asyncio.gather(*(end.cache.find(PROFILE, "one") for _ in range(100)))

    assert all(run(scenario()))
    assert len(end.fetched) == 1


def test_a_broken_key_does_not_cost_the_others():
    end = Endpoint("one")
    end.answer["keys"].append({"kty": "EC"})
    assert run(end.find("one"))


def test_clients_do_not_share_keys():
    end = Endpoint("one")

    async def scenario():
        await end.find("one")
        return await end.cache.find(profile(id="other"), "one")

    assert run(scenario()) is None


def test_status_before_any_fetch():
    end = Endpoint("one")
    end.answer = OSError("down")
    run(end.find("one"))
    status = end.cache.status()["st-mary"]
    assert (status.keys, status.age_s, status.last_error_class) == (0, None, "OSError")
