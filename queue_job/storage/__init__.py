"""The one home of SQL: named statements, each locking one with its reason, and connections.

Decides nothing; what is to happen comes from :mod:`..core`. A statement takes any object with
``execute`` and ``fetchall``: Odoo's cursor inside a job, a plain one beside it.
"""
