"""What a user says about how a table lies in its file, where the file does not tell itself."""

from __future__ import annotations

from dataclasses import dataclass

from tabbench.core.errors import BadOption, OptionMention


@dataclass(frozen=True)
class Layout:
    """How a table lies in its file.

    Parameters
    ----------
    sheet : str | None, default None
        Sheet of a workbook; by default the first that holds a table.
    has_header : bool, default True
        Whether the first row names the columns; else they are called column 1, column 2 and so on.
    query : str | None, default None
        SELECT statement that gives the table of a SQLite database.
    is_optional : bool, default False
        Whether what does not apply to the format of the file is passed over, as for test rows in a file of another format.
    """

    sheet: str | None = None
    has_header: bool = True
    query: str | None = None
    is_optional: bool = False

    def require(self, shown_name: str, kind: str, *applies: str) -> None:
        """Refuse what does not apply to a file of this kind: one of sheet, no_header and query.

        Raises
        ------
        BadOption
            Names the option.
        """
        given = {"sheet": self.sheet, "no_header": None if self.has_header else True, "query": self.query}
        for name, value in given.items():
            if value is not None and name not in applies and not self.is_optional:
                raise BadOption.about(OptionMention(name), f" does not apply to {shown_name}, which is {kind}; leave it out")


PLAIN = Layout()
"""Nothing is said."""
