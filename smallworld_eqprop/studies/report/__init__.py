"""Self-contained HTML pages about a run or a study."""

from smallworld_eqprop.studies.report.write import report_html, write_report

__all__ = ["report_html", "write_report"]
