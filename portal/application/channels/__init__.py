"""What the payer receives: one small capability Protocol a channel, and who carries it.

Application zone, above the providers and below the stages. No I/O.
"""
