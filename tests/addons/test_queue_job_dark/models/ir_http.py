from odoo import models
from odoo.http import request


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    def color_scheme(self):
        """Return what the browser asks for by the cookie that Odoo's own charts look at."""
        return "dark" if request.cookies.get("color_scheme") == "dark" else super().color_scheme()
