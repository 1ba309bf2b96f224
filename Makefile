# make demo   see review triggers raised from real events (no Java, no Kafka needed)
# make setup  everything that developing needs, in .venv
# make test   the whole gate: make check, then every test, a real Apache Kafka and a real Prometheus included
# make check  formatting, lint, types and import floors
# make bench  measure
# make clean  take away all that make made
#
# Each of them does the set-up that it needs, from a fresh clone; done steps leave a stamp and are not done again.

PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(if $(shell command -v $(name)),$(name))) python3)
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps
KAFKA_LIBS := .cache/kafka/libs
PROMETHEUS := .cache/prometheus
PYTEST_WORKERS ?= 2

# Builds of packages that come as source take their tools from the same pins.
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: setup demo test tests check bench clean kafka-jars prometheus warm
.DELETE_ON_ERROR:

setup: $(STAMPS)/dev $(STAMPS)/warm

demo: $(STAMPS)/demo $(STAMPS)/warm
	$(BIN)/counterpoint demo $(DEMO)

test: check kafka-jars prometheus tests

tests: $(STAMPS)/dev $(STAMPS)/warm
	$(BIN)/pytest -n $(PYTEST_WORKERS) --dist loadgroup --max-worker-restart 0 -m "not kafka" -q --durations=15
	$(BIN)/pytest -n $(PYTEST_WORKERS) --dist loadfile --max-worker-restart 0 -m "kafka and not alone" -q --durations=15
	$(BIN)/pytest -m alone -q --durations=15

check: $(STAMPS)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: $(STAMPS)/dev $(STAMPS)/warm
	@for file in tests/benchmarks/bench_*.py; do \
	    [ -e "$$file" ] || { echo "bench: no tests/benchmarks/bench_*.py yet" >&2; exit 1; }; \
	    $(BIN)/python "$$file" || exit 1; done

clean:
	rm -rf $(VENV) .cache build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find engine tests -name __pycache__ -type d -prune -exec rm -rf {} +

kafka-jars: $(KAFKA_LIBS)/.stamp

prometheus: $(PROMETHEUS)/.stamp

$(BIN)/python:
	deploy/setup/check-python $(PYTHON)
	$(PYTHON) -m venv $(VENV)

$(STAMPS)/demo: pyproject.toml constraints.txt | $(BIN)/python
	deploy/setup/check-python $(BIN)/python
	$(BIN)/pip install -q -c constraints.txt -e '.[demo]'
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/dev: pyproject.toml constraints.txt | $(BIN)/python
	deploy/setup/check-python $(BIN)/python
	$(BIN)/pip install -q -c constraints.txt -e '.[deliver,demo,parquet,plot,dev]'
	@mkdir -p $(STAMPS) && touch $@ $(STAMPS)/demo

# Compile the kernels now, so that neither the first measurement nor the first test waits for it.
$(STAMPS)/warm: $(wildcard engine/kernels/*.py engine/kernels/*/*.py) | $(STAMPS)/demo
	rm -rf engine/kernels/__pycache__/kernels-*
	@echo "Compiling the kernels, this once. It takes some minutes and says nothing until it is done."
	$(BIN)/python -m engine.kernels.warm
	@touch $@

$(KAFKA_LIBS)/.stamp: deploy/kafka/pom.xml
	deploy/kafka/require-java
	mvn -q -B -f deploy/kafka/pom.xml dependency:copy-dependencies -DoutputDirectory=$(CURDIR)/$(KAFKA_LIBS)
	@touch $@

$(PROMETHEUS)/.stamp: deploy/prometheus/fetch
	deploy/prometheus/fetch $(PROMETHEUS)
	@touch $@
