from . import (
    base,
    ir_model_fields,
    queue_job,
    queue_job_channel,
    queue_job_dependency,
    queue_job_explain,
    queue_job_function,
    queue_job_health,
    queue_job_node,
    queue_job_notice,
    queue_job_referred,
    queue_job_related_action,
)
