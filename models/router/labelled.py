"""Rows with labels as train.py takes them: JSON lines, also gzipped."""

import gzip
import json
import sys


def problem(row):
    """What training misses in a row, beside what `parley route` reads itself; None: nothing."""
    if not isinstance(row, dict):
        return "no JSON object"
    for member in ("id", "dialog_id", "domain"):
        if not isinstance(row.get(member), str):
            return f"{member}: expected a text" if member in row else f"{member} is missing"
    if row.get("trigger") not in ("user", "tool"):
        return "trigger: expected user or tool" if "trigger" in row else "trigger is missing"
    label = row.get("label")
    needs = label.get("needs_tool") if isinstance(label, dict) else None
    return None if isinstance(needs, bool) else "label.needs_tool: expected true or false"


def lines(path):
    opened = gzip.open(path, "rt") if path.endswith(".gz") else open(path)
    rows = []
    with opened as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError:
                row = None
            wrong = problem(row)
            if wrong:
                sys.exit(f"{path}: line {number}: {wrong}")
            rows.append(row)
    return rows
