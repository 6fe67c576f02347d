from . import queue_job, test_queue_job
