"""Asks for a resource without saying who asks."""

import sys

import redfish

service, path = sys.argv[1:]

client = redfish.redfish_client(base_url=service)
answer = client.get(path)
print(answer.status)
print(answer.text)
