from . import connector_jobs, controllers, models
