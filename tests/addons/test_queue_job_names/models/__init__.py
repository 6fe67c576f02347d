from . import queue_job, queue_job_function, res_users, test_queue_job_names
