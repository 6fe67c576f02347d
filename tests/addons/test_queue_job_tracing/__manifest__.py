{
    "name": "Test Job Queue Tracing",
    "version": "19.0.1.0.0",
    "summary": "What a site sets up to have traces; as a server-wide module, before the queue",
    "author": "The queue_job developers",
    "license": "LGPL-3",
    "category": "Hidden/Tests",
    "depends": ["queue_job"],
    "installable": True,
}
