"""Tables, sentences and figures from a summary; computes no statistics of its own."""

from mesogpu.report.figure import plot_results
from mesogpu.report.table import summary_table
from mesogpu.report.tabular import Table
from mesogpu.report.verdicts import verdicts

__all__ = ["Table", "plot_results", "summary_table", "verdicts"]
