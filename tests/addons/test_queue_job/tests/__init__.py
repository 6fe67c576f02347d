from . import (
    test_access,
    test_channels_and_functions,
    test_declaration,
    test_graph,
    test_delay,
    test_retention,
    test_schema,
    test_screens,
    test_states,
    test_trap,
)
