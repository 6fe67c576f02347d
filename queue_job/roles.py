"""The groups of the queue, each of which may do what the one before may, and more."""

VIEWER = "queue_job.group_queue_job_viewer"
"""Sees jobs of their own, without what is secret in their arguments."""

OPERATOR = "queue_job.group_queue_job_operator"
"""Sees all jobs of their companies; retries, cancels and pauses."""

MANAGER = "queue_job.group_queue_job_manager"
"""Reads what was called with what, and tracebacks, in which values stand as well; configures."""
