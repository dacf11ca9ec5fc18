"""Stage "settlement": the provider pays us, the month closes, the merchant is paid and told.

Nothing runs here yet; this package keeps the stage's place in the tree and its import contract.
"""
