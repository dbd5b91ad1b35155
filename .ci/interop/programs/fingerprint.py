"""Prints the version that our service assigns to an image: the first 32 bits of its SHA-256."""

import hashlib
import sys

print(f"U-{hashlib.sha256(open(sys.argv[1], 'rb').read()).hexdigest()[:8].upper()}")
