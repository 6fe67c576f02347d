from odoo import fields, models


class ResUsers(models.Model):
    _inherit = "res.users"

    names_subscribe = fields.Boolean("Hears of Failed Jobs", default=True)
