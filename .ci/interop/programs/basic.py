"""Reads a resource with user and password in each request."""

import sys

import redfish

service, path, user, password = sys.argv[1:]

client = redfish.redfish_client(base_url=service, username=user, password=password)
client.login(auth="basic")
answer = client.get(path)
print(answer.status)
print(answer.text)
client.logout()
