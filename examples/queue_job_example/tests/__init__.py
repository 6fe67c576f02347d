from . import (
    test_bank_file,
    test_bank_import,
    test_connector_jobs,
    test_shop_controller,
    test_shop_export,
    test_statement,
    test_traffic,
)
