"""Makes a table of what the conformance tools found, and lists what is not as it should be.

judge.py UNTESTED NAME=FILE...: UNTESTED names the checks that may go untested. Ends with 1 when there is a fault.
"""

import collections
import json
import sys

with open(sys.argv[1]) as file:
    may_go_untested = {line.strip() for line in file if line.strip() and not line.startswith("#")}

faults = 0
rows, remarks = [], []
for argument in sys.argv[2:]:
    name, path = argument.split("=", 1)
    found = collections.defaultdict(list)
    try:
        with open(path) as file:
            for line in file:
                entry = json.loads(line)
                found[entry["check"]].append(entry)
    except OSError as error:
        faults += 1
        remarks.append(f"{name}: did not finish ({error.strerror})")
    if not found:
        faults += 1
        remarks.append(f"{name}: found nothing")
    counts = collections.Counter()
    for check, entries in found.items():
        results = {entry["result"] for entry in entries}
        verdict = next((r for r in ("FAIL", "WARN", "PASS") if r in results), "UNTESTED")
        counts[verdict] += 1
        if verdict == "UNTESTED" and check in may_go_untested:
            continue
        if verdict in ("FAIL", "UNTESTED"):
            faults += 1
        for entry in entries:
            if entry["result"] in ("FAIL", "WARN") or verdict == "UNTESTED":
                remarks.append(f"{entry['result']} {check} [{entry['where']}] {entry['message']}")
        if check in may_go_untested:
            faults += 1
            remarks.append(f"{check} is tested: take it from the list of those that may go untested")
    rows.append((name, counts["PASS"], counts["WARN"], counts["FAIL"], counts["UNTESTED"]))

print("| tool | pass | warn | fail | untested |")
print("|---|--:|--:|--:|--:|")
for row in rows:
    print("| " + " | ".join(str(cell) for cell in row) + " |")
for remark in dict.fromkeys(remarks):
    print(remark)
sys.exit(1 if faults else 0)
