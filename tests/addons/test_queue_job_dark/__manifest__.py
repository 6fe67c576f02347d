{
    "name": "Job Queue in the Dark",
    "summary": "Dark colours for a web client that has none, to see whether the screens bear them",
    "version": "19.0.1.0.0",
    "category": "Hidden/Tests",
    "license": "LGPL-3",
    "author": "The queue_job developers",
    "depends": ["web", "queue_job"],
    "assets": {
        # Odoo's variables are defaults: whoever sets them before has the last word.
        "web.assets_web_dark": [
            (
                "before",
                "web/static/src/scss/primary_variables.scss",
                "test_queue_job_dark/static/src/dark.variables.scss",
            ),
        ],
        "web.assets_backend_lazy_dark": [
            (
                "before",
                "web/static/src/scss/primary_variables.scss",
                "test_queue_job_dark/static/src/dark.variables.scss",
            ),
        ],
    },
}
