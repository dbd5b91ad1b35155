"""Reads what sushy offers of the systems, chassis and managers of a service, each object once."""

import sys

import sushy
from sushy import auth
from sushy import exceptions

service, user, password = sys.argv[1:]

authentication = auth.SessionAuth(user, password)
root = sushy.Sushy(service, auth=authentication, verify=False, server_side_retries=0)
read = 0


def visit(resource, *names):
    """Reads these properties, and the members of those that are collections."""
    global read
    for name in names:
        try:
            found = getattr(resource, name)
        except exceptions.MissingAttributeError:
            continue
        if hasattr(found, "get_members"):
            found = found.get_members()
        found = found if isinstance(found, list) else [found]
        read += len(found)
        if name == "storage":
            for storage in found:
                visit(storage, "drives", "volumes")


for system in root.get_system_collection().get_members():
    read += 1
    visit(system, "bios", "processors", "ethernet_interfaces", "storage", "simple_storage", "pcie_devices")
for chassis in root.get_chassis_collection().get_members():
    read += 1
    visit(chassis, "power", "thermal", "network_adapters")
for manager in root.get_manager_collection().get_members():
    read += 1
    visit(manager, "ethernet_interfaces", "virtual_media")
authentication.close()
print(read, "resources")
