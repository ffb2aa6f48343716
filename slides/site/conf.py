"""What is asked of Sphinx. Nothing in a finished page comes from elsewhere: fonts are the system's, scripts local."""

from sphinx.application import Sphinx
from sphinx.util.inspect import TypeAliasForwardRef

from slides.npm import MODULES
from slides.site import accessible, docstrings

project = "Adversarial machine-learning defences"
html_title = "Adversarial ML defences"
copyright = "the seminar's authors. Code: MIT; texts and pictures: CC BY 4.0"
language = "en"
extensions = ["myst_nb", "sphinx.ext.mathjax", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
exclude_patterns = ["downloads"]
suppress_warnings = ["config.cache"]  # docstrings.py is part of the configuration, and is not pickled

# Pages: what is linked must exist, what is written in Markdown means what it means elsewhere.
nitpicky = True
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
nb_execution_mode = "off"  # the outputs are those that the notebooks hold
nb_render_markdown_format = "myst"  # the reports of attacks are tables, which plain CommonMark does not know
nb_mime_priority_overrides = [("html", "image/png", 10), ("html", "text/markdown", 20), ("html", "text/plain", 30)]

# Formulas: MathJax as the decks have it, in one file with its letters inside.
mathjax_path = "tex-svg.js"
html_static_path = ["style.css", "scroll.js", str(MODULES / "mathjax-full" / "es5" / "tex-svg.js")]

# The library.
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_type_aliases = docstrings.ALIASES
# All that Sphinx shows of an alias within another type:
TypeAliasForwardRef.__repr__ = lambda alias: alias.name  # type: ignore[method-assign]
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80
napoleon_custom_sections = [("Attributes", "params_style")]  # those of a dataclass are its parameters
napoleon_numpy_docstring = False
toc_object_entries = False
napoleon_use_rtype = False
nitpick_ignore_regex = docstrings.ELSEWHERE
add_module_names = False

# Looks.
html_theme = "furo"
html_css_files = ["style.css"]
html_js_files = ["scroll.js"]
html_show_sphinx = False
html_copy_source = False
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#00588a", "color-brand-content": "#00588a"},
    "dark_css_variables": {"color-brand-primary": "#7cc4ee", "color-brand-content": "#7cc4ee"},
}


def setup(app: Sphinx) -> None:
    """Let docstrings pass through ours before napoleon reads them, and pages after the theme is done with them."""
    app.connect("autodoc-skip-member", docstrings.skip)
    app.connect("autodoc-process-docstring", docstrings.process, priority=100)
    app.connect("html-page-context", accessible.process, priority=900)
