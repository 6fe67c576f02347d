from . import bank, bank_import, bank_statement, day, queue_job, traffic
