"""Says in the terminal who does what, as it happens."""

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

PLAIN_WIDTH = 120
"""Columns where the output is no terminal: a file, or the log of a CI run."""

WHO_WIDTH = 19
"""The longest name of an image of ours."""

VERDICT_STYLES = {
    "current": "green",
    "aged": "yellow",
    "retired": "red",
    "revoked": "bold red",
    "unapproved": "magenta",
    "unknown": "red",
}


class Narrator:
    """One line per happening: seconds since the start, who, what."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console()
        if not self._console.is_terminal:
            self._console.width = PLAIN_WIDTH
        self._start = time.monotonic()

    def act(self, title: str) -> None:
        """Head a part of the story."""
        self._console.print()
        self._console.print(f"[bold]{escape(title)}[/bold]")

    def tell(self, who: str, what: str, *, style: str = "") -> None:
        """Tell one happening."""
        row = Table.grid(padding=(0, 2))
        row.add_column(justify="right", width=7, style="dim")
        row.add_column(width=WHO_WIDTH, style="cyan", no_wrap=True)
        row.add_column(style=style)
        passed = time.monotonic() - self._start
        row.add_row(f"{passed:.1f} s", Text(who), Text(what))
        self._console.print(row)

    def good(self, who: str, what: str) -> None:
        """Tell a happening that is a success."""
        self.tell(who, what, style="green")

    def bad(self, who: str, what: str) -> None:
        """Tell a happening that is a failure."""
        self.tell(who, what, style="red")

    def problem(self, head: str, text: str) -> None:
        """Say why things cannot go on; nothing is wrapped, so that paths stay whole."""
        self._console.print(f"[bold red]{escape(head)}[/bold red]")
        self.plain(text)

    def plain(self, text: str) -> None:
        """Print a line as it is, never wrapped: tools may read it."""
        self._console.print(escape(text), highlight=False, soft_wrap=True)

    def vms(self, title: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Show VMs as the API answers them."""
        table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
        for column in ("VM", "team", "kind", "image", "version", "verdict", "policy"):
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*_cells(row))
        self._console.print()
        self._console.print(table)


def _cells(vm: Mapping[str, Any]) -> Sequence[str]:
    image = vm["image"]
    style = VERDICT_STYLES.get(vm["verdict"], "white")
    verdict = f"[{style}]{vm['verdict']}[/{style}]"
    return (
        escape(vm["name"]),
        escape(vm["team"] or "-"),
        vm["kind"],
        escape(image["definition"] or f"Marketplace {image['id'].rsplit(':', 1)[-1]}"),
        escape(image["version"] or "-"),
        f"{verdict} (deleted)" if vm["deleted_at"] else verdict,
        escape(vm["policy"] or "-"),
    )


def length(duration: timedelta) -> str:
    """Write how long something took for people: `45 s`, `12 min`, `1 h 5 min`."""
    seconds = round(duration.total_seconds())
    if seconds < 100:  # noqa: PLR2004 - below this, seconds read better than minutes
        return f"{seconds} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
