# Everything a person does with the clone. `make help` lists it.
PYTHON ?= python3
PIP_ARGS ?=
STUDY ?= demo_study
BIN := .venv/bin
INSTALLED := .venv/.installed
# Small enough for two cores and ten minutes: a coarse grid and half the paper's network width.
DEMO_COHORT := -p N_SUBJECTS=48
DEMO_RUN := -p SPACING_MM=6 -p REGISTRATION=affine -p "CHANNELS=(16, 32, 64)" -p BATCH_SIZE=8 -p EPOCHS=60

.PHONY: help install demo test lab docs check bench
.DEFAULT_GOAL := help

help:  ## list the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 10

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet $(PIP_ARGS) -c constraints.txt -e '.[test]'
	@touch $@

install: $(INSTALLED)  ## make .venv with the pinned versions

demo: $(INSTALLED)  ## simulate 48 patients as DICOM, run the study, write its report (STUDY=demo_study)
	@test -f $(STUDY)/study.json || $(BIN)/clamlab simulate $(STUDY) $(DEMO_COHORT)
	$(BIN)/clamlab run $(STUDY) $(DEMO_RUN)
	$(BIN)/clamlab report $(STUDY) --small-counts

test: $(INSTALLED)  ## run every test
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

lab: $(INSTALLED)  ## open JupyterLab on the study's own notebooks (STUDY=demo_study)
	@test -f $(STUDY)/study.json || $(BIN)/clamlab simulate $(STUDY)
	$(BIN)/clamlab lab $(STUDY)

docs: $(INSTALLED)  ## build the site into site/, with the demo's notebooks if it has run
	$(BIN)/python docs/build.py $(STUDY)

check: $(INSTALLED)  ## formatting, lint, types, notebooks without outputs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_notebooks.py -k clean

# `make bench NAME` runs benchmarks/NAME.py: the second word is a name, not a goal.
ifeq (bench,$(firstword $(MAKECMDGOALS)))
NAME := $(word 2,$(MAKECMDGOALS))
$(eval $(NAME):;@:)
endif
bench: $(INSTALLED)  ## run a named benchmark: make bench NAME
	@test -f benchmarks/$(NAME).py || { echo "expected one of: $$(cd benchmarks && ls *.py | sed s/.py//)"; exit 1; }
	$(BIN)/python benchmarks/$(NAME).py
