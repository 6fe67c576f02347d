from . import queue_requeue_job
