"""The durable queue: work that must happen after its transaction, however often processes die."""

from app.jobs.queue import Job, JobInterrupted, enqueue
from app.jobs.worker import Handler, Worker

__all__ = ["Handler", "Job", "JobInterrupted", "Worker", "enqueue"]
