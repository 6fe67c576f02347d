from . import queue_job_bench_record
