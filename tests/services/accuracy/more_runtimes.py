"""The accuracy suite's truth.py with runtimes of our own beside its own; same arguments.

TRUTH_SUITE is its directory, MORE_RUNTIMES is JSON: {name: [command, environment]}. In a command,
{port} is the service's port; everything else comes by the suite's variables (NODE_NAME, ...).
"""
import json
import os
import sys

sys.path.insert(0, os.environ["TRUTH_SUITE"])
import truth

truth.RUNTIMES.update(json.loads(os.environ["MORE_RUNTIMES"]))
truth.main()
