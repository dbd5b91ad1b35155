"""Reads a resource with HTTP Basic."""

import sys

import redfish

service, path, user, password = sys.argv[1:]

client = redfish.redfish_client(base_url=service, username=user, password=password)
client.login(auth="basic")
response = client.get(path)
print(response.status)
print(response.text)
client.logout()
