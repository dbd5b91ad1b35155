"""Reads a system and its power state with sushy, with a session or HTTP Basic."""

import sys

import sushy
from sushy import auth

service, method, user, password = sys.argv[1:]

methods = {"session": auth.SessionAuth, "basic": auth.BasicAuth}
authentication = methods[method](user, password)
root = sushy.Sushy(service, auth=authentication, verify=False, server_side_retries=0)
systems = root.get_system_collection()
print(*systems.members_identities)
system = root.get_system(systems.members_identities[0])
print(system.identity, system.power_state.value)
if method == "session":
    print(len(root.get_session_service().sessions.members_identities))
authentication.close()
