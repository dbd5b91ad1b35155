"""Reads a system and its power state with sushy, by a session or by HTTP Basic."""

import sys

import sushy
from sushy import auth

service, way, user, password = sys.argv[1:]

ways = {"session": auth.SessionAuth, "basic": auth.BasicAuth}
access = ways[way](user, password)
root = sushy.Sushy(service, auth=access, verify=False, server_side_retries=0)
systems = root.get_system_collection()
print(*systems.members_identities)
system = root.get_system(systems.members_identities[0])
print(system.identity, system.power_state.value)
if way == "session":
    print(len(root.get_session_service().sessions.members_identities))
access.close()
