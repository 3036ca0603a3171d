"""How much is taken on at once: turns, queue, rates and bytes. Pure bookkeeping on the event loop."""
