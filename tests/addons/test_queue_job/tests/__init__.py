from . import (
    test_access,
    test_bulk,
    test_channels_and_functions,
    test_declaration,
    test_delay,
    test_graph,
    test_retention,
    test_schema,
    test_screens,
    test_states,
    test_trap,
)
