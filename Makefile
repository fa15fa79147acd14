# Two commands do everything, set-up included: `make book` and `make test`.
PYTHON ?= python3
SOURCE ?= .
# NEWEST=1 takes the newest dependencies that pyproject.toml allows, beside the locked ones.
VENV := .venv$(if $(NEWEST),/newest)
BIN := $(VENV)/bin
NOTEBOOKS := $(sort $(wildcard book/$(if $(ONLY),*)$(ONLY)*.ipynb))
# What looks at the built pages; in a browser only at the book itself.
OF_PAGES := $(addprefix tests/site/test_,built_book.py language.py)
IN_BROWSER := $(addprefix tests/site/test_,book_in_browser.py explorer_browser.py explorer_guide.py)

# Where Python may not keep its bytecode, every process compiles the libraries anew: 8 of 20 s in a rerun.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help book pdf test pytest check lint chapters refresh calibrate data verdicts references pictures mutants bench lock clean
.DELETE_ON_ERROR:

help:
	@echo "make book       build the book to _build/html, every chapter executed"
	@echo "make pdf        the same, and _build/book.pdf; needs Chromium or Chrome"
	@echo "make test       lint, types, tests, every chapter, the book and its check"
	@echo "make check      lint, types and unit tests only: half a minute, for the inner loop"
	@echo "make chapters   run every chapter and compare its checked table, without the book; ONLY=fig08 for one"
	@echo "make refresh    run the chapters again and store their checked tables"
	@echo "make calibrate  calibrate every reading with the paper's numbers, and rewrite the presets"
	@echo "make data       compute the results that take too long for a chapter, and store them"
	@echo "make verdicts   accept the ledger's verdicts as they are now, after a look at each change"
	@echo "make pictures   store anew the pictures of those figures that look different"
	@echo "make references REASON=...  store the figures' reference numbers anew, with the reason"
	@echo "make bench      measure how fast the library is, beside the obvious way and the machine's limit"
	@echo "make mutants    try every deliberate fault of tests/harness/mutants.toml against the references"
	@echo "make test NEWEST=1  the same with the newest dependencies, in an environment of their own"
	@echo "make lock       resolve the lock file anew from pyproject.toml"
	@echo "make clean      remove everything that was built"

# The lock is installed once, and again when it or the project's metadata changes.
$(BIN)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ": make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $$(sed -n 's/^\(uv==[^ ]*\).*/\1/p' requirements.lock)
ifdef NEWEST
	$(BIN)/uv pip install --quiet --python $(BIN)/python --upgrade --editable ".[book,sweep,data,test,build]"
	@$(BIN)/python tests/project/versions.py
else
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
endif
	@touch $@

# From empty, unless only prose has changed since the last sound build: lib/qdgain/book/state.py.
book: $(BIN)/.installed
	@$(BIN)/python -c 'from importlib.metadata import version; found = version("jupyter-book"); found.startswith("1.") or exit("Jupyter Book 1 is needed, this is " + found + ", which does not read _config.yml and builds nothing. Run make clean, then try again.")'
	$(BIN)/python -m qdgain.book.state begin "$(SOURCE)"
	QDGAIN_STORED_NUMBERS="$(abspath $(SOURCE))/_build/numbers" \
	QDGAIN_KEEP_PICTURES="$(abspath $(SOURCE))/_build/html/files" \
	  $(BIN)/jupyter-book build "$(SOURCE)" --quiet --warningiserror --nitpick --keep-going
	@test -s "$(SOURCE)/_build/html/index.html" || { echo "jupyter-book ended without an error and built no page."; exit 1; }
	if test -e "$(SOURCE)/book/ledger.md"; then \
	  QDGAIN_STORED_NUMBERS="$(abspath $(SOURCE))/_build/numbers" \
	  $(BIN)/python -m qdgain claims --json > "$(SOURCE)/_build/html/claims.json"; fi
	BOOK_HTML="$(abspath $(SOURCE))/_build/html" $(BIN)/pytest --quiet \
	  $(OF_PAGES) $(if $(wildcard $(SOURCE)/book/explorer.md),-n 2 --dist loadfile $(IN_BROWSER))
	$(BIN)/python -m qdgain.book.state end "$(SOURCE)"

# The pages as read by the book's build are written anew as a single one, so nothing is executed twice.
pdf: $(BIN)/.installed
	@$(BIN)/python -c 'from qdgain.book import pdf; pdf.installed() or exit(pdf.NO_BROWSER)'
	$(MAKE) book
	QDGAIN_STORED_NUMBERS="$(abspath $(SOURCE))/_build/numbers" \
	QDGAIN_KEEP_PICTURES="$(abspath $(SOURCE))/_build/html/files" \
	  $(BIN)/jupyter-book build "$(SOURCE)" --quiet --builder singlehtml
	$(BIN)/python -m qdgain.book.pdf "$(SOURCE)/_build"

check: $(BIN)/.installed lint
	$(BIN)/pytest --quiet -n 2 --dist loadfile -m "not slow" $(addprefix --ignore ,$(OF_PAGES) $(IN_BROWSER)) \
	  --doctest-modules lib/qdgain/model tests

lint: $(BIN)/.installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/actionlint -shellcheck= -pyflakes= .github/workflows/*.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.citation-file-format CITATION.cff
	$(BIN)/check-jsonschema --quiet --schemafile lib/qdgain/data/parameters.schema.json lib/qdgain/data/parameters.toml
	$(BIN)/check-jsonschema --quiet --schemafile lib/qdgain/data/numbers.schema.json lib/qdgain/data/numbers.toml

# The book is built beside the tests, so that both cores stay busy. Make 3.81, the one of macOS,
# mixes their output: it cannot keep it apart. With new dependencies, one failure hides no other.
test: $(BIN)/.installed
	$(MAKE) --jobs 2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) \
	  $(if $(NEWEST),--keep-going) book lint pytest

# The chapters are run by the book, whose check compares their tables with the stored ones.
pytest: $(BIN)/.installed
	QDGAIN_STORED_NUMBERS="$(CURDIR)/_build/numbers" $(BIN)/pytest --quiet -n 2 --dist loadfile \
	  $(addprefix --ignore ,$(OF_PAGES) $(IN_BROWSER)) --doctest-modules lib/qdgain/model tests

chapters: $(BIN)/.installed
	QDGAIN_PICTURES=0 $(BIN)/pytest --quiet -n 2 --dist loadfile \
	  --nbval-lax --nbval-kernel-name qdgain --nbval-cell-timeout 120 $(NOTEBOOKS)

refresh: $(BIN)/.installed
	$(BIN)/python -m qdgain.book.notebooks

calibrate: $(BIN)/.installed
	$(BIN)/python -m qdgain.calibration

# ONLY="one two" makes those two.
data: $(BIN)/.installed
	$(BIN)/python -m qdgain.makers $(ONLY)

verdicts: $(BIN)/.installed
	PYTHONPATH=tests $(BIN)/python tests/ledger/test_ledger.py
	git diff --stat -- tests/ledger/verdicts.json

# A variable given to make reaches the command through its environment, whatever is quoted in it.
references: $(BIN)/.installed
	@$(BIN)/python tests/harness/update_references.py

pictures: $(BIN)/.installed
	@$(BIN)/python tests/harness/update_pictures.py

# KEEP=1 stores the result for the book; ONLY="'Gain map'" measures that subject. One thread each, so
# that what is compared has the same means.
bench: $(BIN)/.installed
	OPENBLAS_NUM_THREADS=1 PYTHONPATH=tests:tools $(BIN)/python -m bench $(if $(KEEP),--keep) $(ONLY)

# ONLY="one two" tries those two.
mutants: $(BIN)/.installed
	$(BIN)/python tests/harness/mutants.py $(ONLY)

# --no-emit-index-url: the lock names packages and hashes, never the address of an index.
lock: $(BIN)/.installed
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
	  --extra book --extra sweep --extra data --extra test --extra build pyproject.toml --output-file requirements.lock

clean:
	rm -rf _build .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis
