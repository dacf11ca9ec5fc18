"""What the payer chooses: one small capability Protocol a method, and who offers it.

Application zone, above the providers and below the stages. No I/O.
"""
