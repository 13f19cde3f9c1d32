"""The HTML report of a run: one file without a link to anything outside of it."""

from nephoscope.report.html.page import check_extra, page

__all__ = ["check_extra", "page"]
