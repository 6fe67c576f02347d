from . import functions, models
