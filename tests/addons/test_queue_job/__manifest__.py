{
    "name": "Test Job Queue",
    "version": "19.0.1.0.0",
    "summary": "Jobs of every kind, and the tests of the Job Queue that need a database",
    "author": "The queue_job developers",
    "license": "LGPL-3",
    "category": "Hidden/Tests",
    "depends": ["queue_job"],
    "data": ["security/ir.model.access.csv"],
    "assets": {
        "web.assets_tests": ["test_queue_job/static/tests/tours/**/*"],
    },
    "installable": True,
}
