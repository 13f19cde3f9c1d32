"""HTML reports of runs and experiments: files without a link to anything outside of them."""

from nephoscope.report.html.comparison_page import comparison_page
from nephoscope.report.html.page import check_extra, page
from nephoscope.report.html.replications_page import replications_page
from nephoscope.report.html.size_page import size_page
from nephoscope.report.html.sweep_page import sweep_page

__all__ = ["check_extra", "comparison_page", "page", "replications_page", "size_page", "sweep_page"]
