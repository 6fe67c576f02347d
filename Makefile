# Everything is done by the package dev; these are its short names.
PYTHON ?= python3

.DEFAULT_GOAL := help
.PHONY: help demo test lint unit addons acceptance chaos fuzz ha bench bench-quick bench-screens screenshots translations clean

help demo test lint unit addons acceptance chaos fuzz ha bench bench-quick bench-screens screenshots translations clean:
	@exec $(PYTHON) -m dev $@
