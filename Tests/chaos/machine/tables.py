"""The tables of a row of runs."""

from machine import recovery

FAULT_COLUMNS = ("fault", "times injected", "operations that met it", "violations in its runs")
WAIT_COLUMNS = ("fault", "waits", "p50 ms", "max ms", "still waiting at the end")
CALM = "(no fault)"


def faults(histories, violations):
    """`violations`: {seed: [Violation]}. One run has many faults, so a violation counts for each of them."""
    names = sorted({fault.name for history in histories for fault in history.faults})
    return [_fault_row(name, histories, violations) for name in names]


def _fault_row(name, histories, violations):
    injected, met, violated = 0, 0, 0
    for history in histories:
        records = [fault for fault in history.faults if fault.name == name]
        injected += len(records)
        met += sum(recovery.met(history, fault) for fault in records)
        violated += len(violations[history.seed]) if records else 0
    return name, injected, met, violated


def waits(histories):
    rows = [_wait_row(name, found) for name, found in sorted(recovery.waits_by_fault(histories).items())]
    return rows + [_wait_row(CALM, recovery.calm_waits(histories))]


def _wait_row(name, found):
    ended = sorted(wait for wait in found if wait is not None)
    figures = (round(recovery.percentile(ended, 0.5)), round(ended[-1])) if ended else ("-", "-")
    return name, len(found), *figures, len(found) - len(ended)


def text(columns, rows, markdown):
    """A table to be read, in columns of equal width or in Markdown."""
    cells = [[str(cell) for cell in row] for row in [columns, *rows]]
    widths = [max(len(row[index]) for row in cells) for index in range(len(columns))]
    pad = lambda row: [cell.ljust(width) if index == 0 else cell.rjust(width)
                       for index, (cell, width) in enumerate(zip(row, widths))]
    if not markdown:
        return "\n".join("  ".join(pad(row)).rstrip() for row in cells)
    rule = ["-" * widths[0], *["-" * (width - 1) + ":" for width in widths[1:]]]
    return "\n".join("| " + " | ".join(pad(row)) + " |" for row in [cells[0], rule, *cells[1:]])
