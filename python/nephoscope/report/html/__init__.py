"""HTML reports, of a run and of a comparison: one file without a link to anything outside of it."""

from nephoscope.report.html.comparison_page import comparison_page
from nephoscope.report.html.page import check_extra, page

__all__ = ["check_extra", "comparison_page", "page"]
