"""Runs DMTF's Protocol Validator on a service, and writes what it found as JSON lines.

Three things differ from the tool as it comes. It searches no network: its SSDP query would leave this machine. It reads the
stream of server-sent events, which its own list of resources passes over, so that its assertions about streams are tested.
And it sends a POST that must fail, as it judges such answers but provokes none.
"""

import json
import pathlib
import sys
import tempfile

from redfish_protocol_validator import console_scripts, report, resources, utils
from redfish_protocol_validator.constants import Assertion, RequestType

service, user, password_file, results_file = sys.argv[1:]
own_resources = resources.get_default_resources
own_report = report.json_results


def all_resources(sut, **where):
    events = None
    for answer in own_resources(sut, **where):
        if sut.event_service_uri and answer["uri"] == sut.event_service_uri:
            events = utils.get_response_json(answer["response"]).get("ServerSentEventUri")
        yield answer
    if events:
        sut.set_server_sent_event_uri(events)
        stream, destination = utils.get_sse_stream(sut)
        if destination:
            sut.set_event_dest_uri(destination)
        if stream is not None:
            yield {"uri": events, "response": stream, "request_type": RequestType.STREAMING}
    if sut.accounts_uri:
        uri = sut.accounts_uri + "/"
        yield {"uri": uri, "response": sut.post(uri, json={})}


def write_results(sut, *others):
    with open(results_file, "w") as file:
        for assertion in Assertion:
            found = sut.results.get(assertion, [])
            if not found:
                entry = {"check": assertion.name, "result": "UNCODED", "where": "", "message": ""}
                file.write(json.dumps(entry) + "\n")
            for one in found:
                entry = {
                    "check": assertion.name,
                    "result": one["result"].name,
                    "where": f"{one['method']} {one['uri']} {one['status']}".strip(),
                    "message": one["msg"],
                }
                file.write(json.dumps(entry) + "\n")
    own_report(sut, *others)


utils.discover_ssdp = lambda *_, **__: {}
resources.get_default_resources = all_resources
report.json_results = write_results

with tempfile.TemporaryDirectory() as folder:
    sys.argv[1:] = ["--user", user, "--password", pathlib.Path(password_file).read_text(), "--rhost", service]
    sys.argv += ["--no-cert-check", "--report-dir", folder, "--report-type", "tsv"]
    console_scripts.main()
