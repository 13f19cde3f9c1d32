"""HTML reports of a run, a comparison and a search: files without a link to anything outside."""

from nephoscope.report.html.comparison_page import comparison_page
from nephoscope.report.html.page import check_extra, page
from nephoscope.report.html.size_page import size_page

__all__ = ["check_extra", "comparison_page", "page", "size_page"]
