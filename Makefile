# Each verb is `python -m seminar_lib VERB`, which works the same where there is no make (seminar_lib/bootstrap.py).
#     make lab ARGS="--no-browser --port 8899"        options for what the verb runs
#     make test PYTHON=python3.12                     the Python that makes .venv
PYTHON ?= python3
ARGS ?=

.PHONY: lab test lint notebooks bench slides figures site check-site

lab:        # open JupyterLab on lesson 00
	@$(PYTHON) -m seminar_lib lab $(ARGS)

test:       # lint, then every test
	@$(PYTHON) -m seminar_lib test $(ARGS)

lint:       # ruff, mypy, import-linter
	@$(PYTHON) -m seminar_lib lint $(ARGS)

notebooks:  # build notebooks/ from notebooks/source/
	@$(PYTHON) -m seminar_lib notebooks $(ARGS)

bench:      # measure against the peer libraries
	@$(PYTHON) -m seminar_lib bench $(ARGS)

slides:     # build the decks of slides/ as HTML, PDF and PPTX; needs node
	@$(PYTHON) -m seminar_lib slides $(ARGS)

figures:    # draw the figures of the decks again
	@$(PYTHON) -m seminar_lib figures $(ARGS)

site:       # build the page of the course into slides/build/site; needs node
	@$(PYTHON) -m seminar_lib site $(ARGS)

check-site: # build it, then look at it in a browser: links, requests, accessibility
	@$(PYTHON) -m seminar_lib check-site $(ARGS)
