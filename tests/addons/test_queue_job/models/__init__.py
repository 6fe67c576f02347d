from . import (
    test_queue_job,
    test_queue_job_child,
    test_queue_job_ledger,
    test_queue_job_load,
    test_queue_job_shown,
)
