"""Opens a session and leaves it open."""

import sys

import redfish

service, user, password = sys.argv[1:]

client = redfish.redfish_client(base_url=service, username=user, password=password)
client.login(auth="session")
print(client.get_session_location())
