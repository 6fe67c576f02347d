from odoo.exceptions import AccessError
from odoo.tests import TransactionCase, new_test_user

from odoo.addons.queue_job.exception import NothingToDoJob

from ..bank_file import read_bank_file
from ..models.bank_import import SHOP_SAMPLE

LINES = 2797


class BankImportCase(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.imports = cls.env["queue_job_example.bank_import"]
        cls.banks = cls.env["queue_job_example.bank"]
        cls.banks.search([]).bank_id.unlink()
        cls.imports.search([]).unlink()
        cls.bank_import = cls.imports.create({})

    def jobs(self, method, **values):
        domain = [("method_name", "=", method), ("bank_import_id", "=", self.bank_import.id)]
        domain += [(name, "=", value) for name, value in values.items()]
        return self.env["queue.job"].sudo().search(domain)


class TestImportFile(BankImportCase):
    def test_stores_one_job_per_line(self):
        self.bank_import.import_file()
        jobs = self.jobs("import_line", state="pending", channel="root.csv")
        self.assertEqual(len(jobs), LINES)

    def test_stores_them_once(self):
        self.bank_import.import_file()
        with self.assertRaises(NothingToDoJob):
            self.bank_import.import_file()
        self.assertEqual(len(self.jobs("import_line")), LINES)

    def test_deleted_import_ends_well(self):
        self.bank_import.unlink()
        self.assertIn("deleted", self.bank_import.import_file())

    def test_start_that_waits_is_not_doubled(self):
        self.bank_import.action_start()
        self.bank_import.action_start()
        self.assertEqual(len(self.jobs("import_file", channel="root")), 1)


class TestImportLine(BankImportCase):
    def test_creates_the_bank(self):
        self.bank_import.import_line(6)
        bank = self.banks.search([])
        line = read_bank_file()[5]
        self.assertEqual(
            (bank.external_id, bank.name, bank.bic, bank.country.code),
            (line.external_id, line.name, line.bic, "FR"),
        )

    def test_imports_a_line_once(self):
        self.bank_import.import_line(6)
        with self.assertRaises(NothingToDoJob):
            self.bank_import.import_line(6)
        self.assertEqual(self.banks.search_count([]), 1)

    def test_links_a_bank_that_is_known(self):
        line = read_bank_file()[5]
        known = self.env["res.bank"].create({"name": "Our name for it", "bic": line.bic})
        self.bank_import.import_line(6)
        bank = self.banks.search([])
        self.assertEqual(bank.bank_id, known)
        self.assertEqual(bank.name, "Our name for it")

    def test_imports_a_deleted_bank_again(self):
        self.bank_import.import_line(6)
        self.banks.search([]).bank_id.unlink()
        self.bank_import.import_line(6)
        self.assertEqual(self.banks.search_count([]), 1)

    def test_deleted_import_ends_well(self):
        self.bank_import.unlink()
        self.assertIn("deleted", self.bank_import.import_line(6))
        self.assertFalse(self.banks.search_count([]))

    def test_the_sample_goes_on_to_the_shop(self):
        before = self.exports()
        for number in range(1, SHOP_SAMPLE + 2):
            self.bank_import.import_line(number)
        jobs = self.exports() - before
        self.assertEqual(len(jobs), SHOP_SAMPLE)
        self.assertEqual(set(jobs.mapped("channel")), {"root.shop"})

    def exports(self):
        return self.env["queue.job"].sudo().search([("method_name", "=", "export_to_shop")])

    def test_a_manager_needs_no_right_on_banks(self):
        manager = new_test_user(
            self.env,
            "example_manager",
            groups="base.group_user,queue_job.group_queue_job_manager",
        )
        with self.assertRaises(AccessError):
            self.env["res.bank"].with_user(manager).create({"name": "A bank"})
        self.bank_import.with_user(manager).import_line(6)
        self.assertEqual(self.banks.search_count([]), 1)


class TestProgress(BankImportCase):
    def test_counts(self):
        self.bank_import.action_start()
        self.bank_import.import_file()
        jobs = self.jobs("import_line")
        self.set_state(jobs[:4], "done")
        self.set_state(jobs[4:6], "failed")
        self.bank_import.import_line(6)
        self.env.invalidate_all()
        self.assertEqual(
            self.imports.progress(),
            {"total": LINES, "done": 4, "failed": 2, "imported": 1},
        )
        self.assertEqual(self.bank_import.job_open, LINES + 1 - 6)
        self.assertAlmostEqual(self.bank_import.line_progress, 100 * 4 / LINES)

    def test_nothing_started_yet(self):
        self.assertEqual(
            self.imports.progress(),
            {"total": 0, "done": 0, "failed": 0, "imported": 0},
        )

    def test_everybody_may_ask(self):
        user = new_test_user(self.env, "example_user")
        self.bank_import.action_start()
        self.assertEqual(self.imports.with_user(user).progress()["total"], LINES)

    def test_start_demo_starts_an_import(self):
        self.assertEqual(self.imports.start_demo(), {"total": LINES})
        self.bank_import = self.imports.search([], limit=1)
        self.assertEqual(len(self.jobs("import_file")), 1)

    def test_start_demo_joins_the_import_at_work(self):
        self.imports.start_demo()
        first = self.imports.search([], limit=1)
        self.env.invalidate_all()
        self.assertEqual(self.imports.start_demo(), {"total": LINES})
        self.assertEqual(self.imports.search([], limit=1), first)

    def test_start_demo_starts_anew_after_the_end(self):
        self.imports.start_demo()
        first = self.bank_import = self.imports.search([], limit=1)
        self.set_state(self.jobs("import_file"), "done")
        self.imports.start_demo()
        self.assertGreater(self.imports.search([], limit=1).id, first.id)

    def test_only_managers_start(self):
        user = new_test_user(self.env, "example_user")
        with self.assertRaises(AccessError):
            self.imports.with_user(user).start_demo()

    def set_state(self, jobs, state):
        """Put jobs into a state; in a test there is nobody to run them."""
        self.env.cr.execute(
            "UPDATE queue_job SET state = %s WHERE id = ANY(%s)",
            (state, jobs.ids),
        )
        self.env.invalidate_all()
