"""The page of the course: its texts, notebooks and docstrings as a website that opens without the network.

``sources.py`` lays out what Sphinx reads, ``conf.py`` tells it how, ``build.py`` runs it; ``links.py`` and
``screen.py`` look at the result. No text is written twice: what a page says stands in the file that it is made of.
"""
