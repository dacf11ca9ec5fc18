"""The outside world in small: carriers with a phone to look at, a card company, a wallet.

It is reached over real HTTPS through the real egress, speaks protocols of its own making and keeps
its own journal, so it can bear witness in every drill. It shares no line with the adapters that
talk to it, imports no contract and no zone, and never runs in production.
"""
