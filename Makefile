# Each target does its own set-up: a virtual environment in .venv, with the versions of
# constraints.txt. Nothing needs root, and nothing has to run beforehand.

PYTHON ?= python3
BIN := .venv/bin
# CI has two cores and wants every component; a newcomer wants an answer soon. Both use what is there.
JOBS ?= auto

.PHONY: demo test check bench soak format proto constraints flink clean help

help:  ## what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: .venv/ready  ## the whole story on one screen, on real data
	$(BIN)/modelstream demo

test: .venv/ready  ## every test but the soak, and those that need other packages
	$(BIN)/python -m pytest -q -n $(JOBS) --dist loadgroup -m "not soak and not peers"

check: .venv/ready  ## style, types, import contracts, coverage of the core
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -q tests/core
	$(BIN)/coverage combine -q
	$(BIN)/coverage report --include='src/modelstream/core/*' --fail-under=100

bench: .venv/ready  ## speed as ratios, side by side with other packages in their own environments
	$(BIN)/python -m benchmarks

soak: .venv/ready  ## minutes of swaps, kills and bad records
	$(BIN)/python -m pytest -q -m soak

format: .venv/ready  ## lay the code out
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

constraints:  ## take the newest versions of everything, and write them down
	$(PYTHON) -m venv --clear .venv/fresh
	.venv/fresh/bin/python -m pip install -q --upgrade pip
	.venv/fresh/bin/python -m pip install -q -e '.[demo]' --group test --group check
	.venv/fresh/bin/python -m pip freeze --all --exclude-editable | grep -E '^[A-Za-z0-9_.-]+==' > constraints.txt
	rm -rf .venv/fresh

proto:  ## generate the protobuf code; old enough to run on every runtime from 4.25 on
	$(PYTHON) -m venv .venv/proto
	.venv/proto/bin/python -m pip install -q 'grpcio-tools==1.62.3' 'setuptools<81'
	.venv/proto/bin/python -m grpc_tools.protoc -I src --python_out=src --pyi_out=src \
	  src/modelstream/wire/proto/*.proto
	.venv/proto/bin/python -m grpc_tools.protoc -I examples/original --include_imports \
	  --descriptor_set_out=examples/original/winerecord.binpb examples/original/winerecord.proto
	rm -rf .venv/proto

flink: .venv/flink/ready  ## an environment with Apache Flink, 900 MB, in .venv/flink

.venv/flink/ready: constraints-flink.txt
	$(PYTHON) -m venv --clear .venv/flink
	.venv/flink/bin/python -m pip install -q -c constraints-flink.txt 'apache-flink==2.3.0' confluent-kafka msgspec numpy onnxruntime protobuf rich
	touch .venv/flink/ready

clean:  ## forget what was built
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "modelstream needs Python 3.11 or newer; say which: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q -c constraints.txt pip
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[demo]' --group test --group check
	touch $@
