"""The durable queue: work that must happen after its transaction, however often processes die."""

from app.jobs.queue import Job, JobFailed, JobInterrupted, enqueue
from app.jobs.worker import Handler, Worker

__all__ = ["Handler", "Job", "JobFailed", "JobInterrupted", "Worker", "enqueue"]
