"""Zone-less tools of every process: settings, log, crypto, limits, metrics, clock, outbound,
and what packages know of holidays and banks."""
