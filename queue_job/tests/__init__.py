"""What the tests of other addons import from here: see :mod:`.common`.

Nothing of this folder is loaded while the server runs.
"""
