# Everything is done by the package dev; these are its short names.
PYTHON ?= python3

.DEFAULT_GOAL := help
.PHONY: help demo test lint unit addons acceptance chaos ha bench bench-quick clean

help demo test lint unit addons acceptance chaos ha bench bench-quick clean:
	@exec $(PYTHON) -m dev $@
