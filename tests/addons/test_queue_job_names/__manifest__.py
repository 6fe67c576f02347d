{
    "name": "Test Job Queue, Names",
    "version": "19.0.1.0.0",
    "summary": "Uses every name that addons know from connector and from the community's queue_job",
    "author": "The queue_job developers",
    "license": "LGPL-3",
    "category": "Hidden/Tests",
    "depends": ["queue_job"],
    "data": [
        "security/ir.model.access.csv",
        "data/queue_job_channel_data.xml",
        "data/queue_job_function_data.xml",
        "views/queue_job_views.xml",
    ],
    "installable": True,
}
