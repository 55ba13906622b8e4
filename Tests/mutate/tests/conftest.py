"""The tool is imported from its folder."""

import os
import sys

MUTATE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, MUTATE)
