from . import test_color_scheme
