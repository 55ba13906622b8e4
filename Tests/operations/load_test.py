"""Loads through HAProxy: what users see of the things that operators do, and what a fleet is like after a long time.

Run by `make load-test`, with the release binary that it builds.
"""

import argparse
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "system"))

import events  # noqa: E402
import hold  # noqa: E402


def table(headings, rows):
    widths = [max(len(row[column]) for row in [headings, *rows]) for column in range(len(headings))]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths)) for row in [headings, *rows]]
    lines.insert(1, " | ".join("-" * width for width in widths))
    return "\n".join(f"| {line} |" for line in lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="of each load with an event")
    parser.add_argument("--threads", type=int, default=8, help="users at once")
    parser.add_argument("--only", action="append", choices=list(events.EVENTS), help="this event; may be repeated")
    parser.add_argument(
        "--hold", type=int, metavar="MINUTES", help="in place of events: half of the top load for so long")
    parser.add_argument("--connections", type=int, default=64, help="of the load that is held")
    options = parser.parse_args()
    if options.hold:
        return hold.run(options.hold, options.connections, table)
    rows = []
    for name in options.only or events.EVENTS:
        rows.append(events.observe(name, options.seconds, options.threads).row())
        print(table(events.HEADINGS, rows[-1:]), flush=True)
    print("\n" + table(events.HEADINGS, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
