"""Set-up of a development machine: one package that ``make`` calls, the only place for such code.

Two halves. The first runs in any Python 3.10 or newer, with the standard library alone, and makes
the virtual environment; everything else runs in that environment's Python. Nothing is written
outside the checkout and one cache folder.
"""
