"""Harai, a self-hosted payment portal: five zones over one domain, one contract and one kit."""
