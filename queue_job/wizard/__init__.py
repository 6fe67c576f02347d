from . import (
    queue_job_bulk,
    queue_job_channel_pause,
    queue_job_failure_mute,
    queue_job_self_test,
    queue_requeue_job,
)
