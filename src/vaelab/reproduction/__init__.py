"""The tables of docs/results.md: what they hold, how a row is made, and the page."""

from vaelab.reproduction.page import write_page
from vaelab.reproduction.rows import reproduce
from vaelab.reproduction.tables import TABLES, Row, Table, table_named

__all__ = ["TABLES", "Row", "Table", "reproduce", "table_named", "write_page"]
