"""Runs DMTF's Protocol Validator on a service, and writes its results as JSON lines.

There are three changes to the tool. It sends no SSDP query, which would leave this machine. It reads the stream of
server-sent events, which is missing in its list of resources, so that the assertions about streams are tested. It sends a
POST that must fail, because the tool checks such responses but does not cause any.
"""

import json
import pathlib
import sys
import tempfile

from redfish_protocol_validator import console_scripts, report, resources, utils
from redfish_protocol_validator.constants import Assertion, RequestType

service, user, password_file, results_file = sys.argv[1:]
original_resources = resources.get_default_resources
original_report = report.json_results


def all_resources(sut, **where):
    events = None
    for response in original_resources(sut, **where):
        if sut.event_service_uri and response["uri"] == sut.event_service_uri:
            events = utils.get_response_json(response["response"]).get("ServerSentEventUri")
        yield response
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
            results = sut.results.get(assertion, [])
            if not results:
                entry = {"check": assertion.name, "result": "UNCODED", "where": "", "message": ""}
                file.write(json.dumps(entry) + "\n")
            for result in results:
                entry = {
                    "check": assertion.name,
                    "result": result["result"].name,
                    "where": f"{result['method']} {result['uri']} {result['status']}".strip(),
                    "message": result["msg"],
                }
                file.write(json.dumps(entry) + "\n")
    original_report(sut, *others)


utils.discover_ssdp = lambda *_, **__: {}
resources.get_default_resources = all_resources
report.json_results = write_results

with tempfile.TemporaryDirectory() as folder:
    sys.argv[1:] = ["--user", user, "--password", pathlib.Path(password_file).read_text(), "--rhost", service]
    sys.argv += ["--no-cert-check", "--report-dir", folder, "--report-type", "tsv"]
    console_scripts.main()
