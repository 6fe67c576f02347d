from odoo.tests import HttpCase, tagged

BUNDLE = "web.assets_web_dark"


@tagged("post_install", "-at_install")
class TestColorScheme(HttpCase):
    def page(self, scheme):
        self.authenticate("admin", "admin")
        self.opener.cookies["color_scheme"] = scheme
        return self.url_open("/odoo").text

    def test_is_the_cookie_s(self):
        self.assertIn(BUNDLE, self.page("dark"))
        self.assertNotIn(BUNDLE, self.page("light"))

    def test_the_dark_bundle_is_dark(self):
        bundle = self.env["ir.qweb"]._get_asset_bundle(BUNDLE, js=False)
        style = bundle.css().raw.decode()
        self.assertIn("--o-webclient-color-scheme:dark", style.replace(": ", ":"))
        self.assertIn("#1e2128", style.lower())
