"""All mutants, by name."""

from mutants.failovers import FAILOVERS
from mutants.found import FOUND
from mutants.scripts import SCRIPTS
from mutants.steps import STEPS

MUTANTS = {mutant.name: mutant for mutant in SCRIPTS + STEPS + FOUND + FAILOVERS}
