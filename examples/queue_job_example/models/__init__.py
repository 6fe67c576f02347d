from . import bank, bank_import, queue_job
