from odoo.tests import HttpCase, tagged

from .common import JobCase

ADDRESS = "/web/tests?headless&loglevel=2&preset={preset}&timeout=15000&filter=@queue_job"
SUCCEEDED = "[HOOT] Test suite succeeded"


@tagged("post_install", "-at_install")
class TestComponents(HttpCase, JobCase):
    """The unit tests of what runs in the browser, by Odoo's own Hoot, on a desk and on a phone."""

    def run_hoot(self, preset):
        self.browser_js(
            ADDRESS.format(preset=preset),
            "",
            "",
            login="admin",
            timeout=600,
            success_signal=SUCCEEDED,
        )

    def test_on_a_desk(self):
        self.run_hoot("desktop")

    def test_on_a_phone(self):
        # The preset says which tests run; the screen is what the browser has.
        self.browser_size, self.touch_enabled = "375x667", True
        self.run_hoot("mobile")

    def test_styles_compile(self):
        """One mistake in them, and every screen of Odoo is without style."""
        for bundle in ("web.assets_web", "web.assets_web_dark"):
            with self.subTest(bundle=bundle):
                assets = self.env["ir.qweb"]._get_asset_bundle(bundle, js=False)
                self.assertTrue(assets.preprocess_css())
                self.assertEqual(assets.css_errors, [])
