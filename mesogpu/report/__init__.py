"""Tables, sentences, figures and pages from a summary; computes no statistics of its own."""

from mesogpu.report.comparison_text import comparison_table, comparison_verdicts
from mesogpu.report.figure import plot_results
from mesogpu.report.page import report_page, write_page
from mesogpu.report.records import drawable, heading
from mesogpu.report.table import summary_table
from mesogpu.report.tabular import Table
from mesogpu.report.verdicts import verdicts

__all__ = [
    "Table",
    "comparison_table",
    "comparison_verdicts",
    "drawable",
    "heading",
    "plot_results",
    "report_page",
    "summary_table",
    "verdicts",
    "write_page",
]
