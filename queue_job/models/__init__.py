from . import base, ir_model_fields, queue_job, queue_job_channel, queue_job_function
