{
    "name": "Test Job Queue, Overrides",
    "version": "19.0.1.0.0",
    "summary": "Overrides jobs of another addon without the decorator",
    "author": "The queue_job developers",
    "license": "LGPL-3",
    "category": "Hidden/Tests",
    "depends": ["test_queue_job"],
    "installable": True,
}
