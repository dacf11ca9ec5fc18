"""Drills: the whole stack under kills and crash points, judged by an outside witness.

Stack only. ``traffic`` is a merchant and its payers who never give up, ``arms`` makes a process
die at a named point, ``books`` compares what the companies wrote down with our books, ``walk``
goes through every crash point, ``crash`` kills every process.
"""
