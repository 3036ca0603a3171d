"""Verifying an ES384 signature takes half a millisecond: it is done in another thread and holds up no other call."""

import asyncio
import threading

from test_client_verify import BODY, URL, verifier
from token_maker import bearer


def test_C082_the_event_loop_goes_on_while_an_es384_signature_is_verified(monkeypatch):
    one = verifier()
    real = one._genuine

    async def call():
        loop = asyncio.get_running_loop()

        def genuine(*arguments):
            turned = threading.Event()
            loop.call_soon_threadsafe(turned.set)
            assert turned.wait(5), "the loop stood still"
            return real(*arguments)

        monkeypatch.setattr(one, "_genuine", genuine)
        return await one.verify(bearer("ES384"), [URL], BODY)

    assert asyncio.run(call()).profile.id == "st-mary"
