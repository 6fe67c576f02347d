"""Commands of ``odoo``, which reads each file here by its path."""
