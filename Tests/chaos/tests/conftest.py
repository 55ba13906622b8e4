"""The chaos machine is imported from its folder, and what it stands on from the system tests."""

import os
import sys

CHAOS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [CHAOS, os.path.join(os.path.dirname(CHAOS), "system")]
