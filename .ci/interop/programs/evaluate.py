"""Prints a table of the results of the conformance tools, and lists failures and warnings.

evaluate.py UNTESTED NAME=FILE...: the file UNTESTED lists the checks that may be untested. Exits with 1 if there is a failure.
"""

import collections
import json
import sys

with open(sys.argv[1]) as file:
    may_be_untested = {line.strip() for line in file if line.strip() and not line.startswith("#")}

failures = 0
rows, remarks = [], []
for argument in sys.argv[2:]:
    name, path = argument.split("=", 1)
    results = collections.defaultdict(list)
    try:
        with open(path) as file:
            for line in file:
                entry = json.loads(line)
                results[entry["check"]].append(entry)
    except OSError as error:
        failures += 1
        remarks.append(f"{name}: did not finish ({error.strerror})")
    if not results:
        failures += 1
        remarks.append(f"{name}: no results")
    counts = collections.Counter()
    for check, entries in results.items():
        statuses = {entry["result"] for entry in entries}
        verdict = next((s for s in ("FAIL", "WARN", "PASS") if s in statuses), "UNTESTED")
        counts[verdict] += 1
        if verdict == "UNTESTED" and check in may_be_untested:
            continue
        if verdict in ("FAIL", "UNTESTED"):
            failures += 1
        for entry in entries:
            if entry["result"] in ("FAIL", "WARN") or verdict == "UNTESTED":
                remarks.append(f"{entry['result']} {check} [{entry['where']}] {entry['message']}")
        if check in may_be_untested:
            failures += 1
            remarks.append(f"{check} is tested: remove it from the list of checks that may be untested")
    rows.append((name, counts["PASS"], counts["WARN"], counts["FAIL"], counts["UNTESTED"]))

print("| tool | pass | warn | fail | untested |")
print("|---|--:|--:|--:|--:|")
for row in rows:
    print("| " + " | ".join(str(cell) for cell in row) + " |")
for remark in dict.fromkeys(remarks):
    print(remark)
sys.exit(1 if failures else 0)
