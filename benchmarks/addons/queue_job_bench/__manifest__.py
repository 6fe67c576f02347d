{
    "name": "Job Queue Benchmark",
    "summary": "Jobs to be timed, for whichever queue_job is installed",
    "version": "19.0.1.0.0",
    "author": "The queue_job developers",
    "license": "LGPL-3",
    "category": "Hidden",
    "depends": ["queue_job"],
    "data": ["security/ir.model.access.csv"],
}
