{
    "name": "Job Queue Example",
    "summary": "Imports the French banks with one job per line, and exports them to a flaky shop",
    "version": "19.0.1.0.0",
    "category": "Technical",
    "license": "LGPL-3",
    "author": "Job Queue contributors",
    "depends": ["base", "queue_job"],
    "external_dependencies": {"python": ["requests"]},
    "data": [
        "security/ir.model.access.csv",
        "data/queue_job_channel_data.xml",
        "data/ir_config_parameter_data.xml",
        "views/bank_views.xml",
        "views/bank_import_views.xml",
        "views/queue_job_example_menus.xml",
    ],
}
