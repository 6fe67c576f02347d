from . import queue_job_self_test, queue_requeue_job
