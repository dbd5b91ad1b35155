"""Reads a resource without authentication."""

import sys

import redfish

service, path = sys.argv[1:]

client = redfish.redfish_client(base_url=service)
response = client.get(path)
print(response.status)
print(response.text)
