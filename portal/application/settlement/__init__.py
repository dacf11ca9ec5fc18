"""Stage "settlement": the provider pays us, the month closes, the merchant is paid and told.

So far the merchant is told: by result files (see results).
"""
