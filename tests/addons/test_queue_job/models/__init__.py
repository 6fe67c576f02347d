from . import test_queue_job, test_queue_job_child, test_queue_job_ledger
