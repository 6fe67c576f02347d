"""Whether what users read is there in the languages that the addon speaks."""

import re
from collections import Counter

import polib

from odoo.tests import TransactionCase, tagged
from odoo.tools import file_open, file_path
from odoo.tools.translate import TranslationModuleReader

LANGUAGES = ("fr", "de")
OF_TESTS = {"Name of the machine"}
"""What an addon of the tests says of a field of ours."""

PLACEHOLDERS = re.compile(r"%(?:\(\w+\))?[sdf]|\$\{[^}]*\}|\{\w*\}|</?\w+")


@tagged("post_install", "-at_install")
class TestTranslations(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        reader = TranslationModuleReader(cls.env.cr, modules=["queue_job"])
        found = {source for _module, _type, _name, _id, source, *_others in reader}
        cls.strings = found - OF_TESTS

    def read(self, language):
        return polib.pofile(file_path(f"queue_job/i18n/{language}.po"))

    def test_the_template_has_every_string(self):
        with file_open("queue_job/i18n/queue_job.pot") as template:
            known = {entry.msgid for entry in polib.pofile(template.read())}
        self.assertEqual(self.strings - known, set(), "run: make translations")

    def test_every_string_is_translated(self):
        for language in LANGUAGES:
            with self.subTest(language=language):
                known = {entry.msgid for entry in self.read(language).translated_entries()}
                self.assertEqual(self.strings - known, set())

    def test_values_are_put_where_they_belong(self):
        for language in LANGUAGES:
            for entry in self.read(language).translated_entries():
                with self.subTest(language=language, string=entry.msgid):
                    self.assertEqual(self.parts(entry.msgstr), self.parts(entry.msgid))

    def parts(self, text):
        """Return the placeholders and tags of a text, with how often each is there."""
        return Counter(PLACEHOLDERS.findall(text))

    def test_users_read_their_language(self):
        for language, code, name in (("fr", "fr_FR", "Échecs"), ("de", "de_DE", "Fehlschläge")):
            with self.subTest(language=language):
                self.env["res.lang"]._activate_lang(code)
                self.env["ir.module.module"]._load_module_terms(["queue_job"], [code])
                menu = self.env.ref("queue_job.menu_queue_job_failure")
                self.assertEqual(menu.with_context(lang=code).name, name)
