"""The queue: a port of five methods and the arq adapter behind it. Hints only, never the record.

Application zone. Whatever is lost here is given again by the vault; whatever is put here by someone
without the queue's key is refused.
"""

from worker.queue.port import Job, Queue, QueueAway

__all__ = ["Job", "Queue", "QueueAway"]
