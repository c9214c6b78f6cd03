"""How Sphinx builds the documentation."""

from importlib import metadata

project = "rekog-emotion"
author = "The rekog-emotion authors"
release = metadata.version("rekog-emotion")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"rekog-emotion {release}"

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "separated"
# Attributes are described in the docstring of their class.
napoleon_use_ivar = True
