"""The list of mutants, a file for the modules that belong together."""

from catalogue.api import API
from catalogue.bases import BASES
from catalogue.bots import BOTS
from catalogue.command import COMMAND
from catalogue.http import HTTP
from catalogue.json import JSON
from catalogue.redis import REDIS
from catalogue.runner import RUNNER
from catalogue.usher import USHER

MUTANTS = BASES + JSON + HTTP + REDIS + USHER + API + RUNNER + BOTS + COMMAND
